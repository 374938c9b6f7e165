"""What tests write goes into memory, where there is enough of it. They are about what is written,
not about how long a disk takes to keep it."""

import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ENOUGH_BYTES = 4 * 2**30
DISK = tempfile.gettempdir()  # for programs: memory may be mounted so that nothing in it can run


def use() -> None:
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES:
        tempfile.tempdir = str(_MEMORY)
