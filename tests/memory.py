"""Makes tests write to memory if there is enough of it: they check what is written, not how long a
disk takes. The garbage collector runs less often."""

import gc
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ENOUGH_BYTES = 4 * 2**30
DISK = tempfile.gettempdir()  # for programs: memory may be mounted so that nothing in it can run


# An application has thousands of long-lived objects: scanning them after every 700 new ones takes a
# tenth of a test's time.
_OBJECTS_BETWEEN_COLLECTIONS = 20_000


def use() -> None:
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES:
        tempfile.tempdir = str(_MEMORY)
