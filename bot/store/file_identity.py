"""Whether the files of an SQLite database are still those that its connections have open."""

from pathlib import Path


def files_of(path: Path) -> tuple[Path, ...]:
    """The file, and the write-ahead log and its index, which stand beside it while a connection is
    open. With another index than theirs, processes overwrite what each other has written. SQLite
    puts them beside the target of a link. The link is among the files, since it may be changed."""
    real = path.resolve()
    return path, real.with_name(f"{real.name}-wal"), real.with_name(f"{real.name}-shm")


def identities(files: tuple[Path, ...]) -> list[tuple[int, int]]:
    """Device and inode of each file. An open connection goes on with files that were removed or
    replaced. Raises OSError if one is missing."""
    found = [file.stat() for file in files]
    return [(one.st_dev, one.st_ino) for one in found]
