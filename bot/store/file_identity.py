"""Whether the files of an SQLite database are still those that its connections have open."""

from pathlib import Path


def files_of(path: Path) -> tuple[Path, ...]:
    """The file, and the write-ahead log and its index, which stand beside it while a connection is
    open. With another index than theirs, processes overwrite what each other has written."""
    return path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def identities(files: tuple[Path, ...]) -> list[tuple[int, int]] | None:
    """Device and inode of each file; None: one is missing. An open connection goes on with files
    that were removed or replaced."""
    try:
        found = [file.stat() for file in files]
    except OSError:
        return None
    return [(one.st_dev, one.st_ino) for one in found]
