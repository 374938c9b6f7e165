"""The database of a test: a file in its folder, or one on PostgreSQL."""

import os
from pathlib import Path

from tests import kept, postgres


def sqlite_in(folder: Path) -> str:
    """The address of a file, with the schema in it if there was none."""
    path = folder / "textback.db"
    if not path.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        kept.new_database(path)
    return f"sqlite:///{path}"


def database_in(folder: Path) -> str:
    """A file, unless TEST_DATABASE=postgresql says otherwise (`make soak` does)."""
    if os.environ.get("TEST_DATABASE") == "postgresql":
        return postgres.database_of(folder)
    return sqlite_in(folder)


def bytes_in(folder: Path) -> bytes:
    """The bytes of a test's database file and its log."""
    return b"".join(file.read_bytes() for file in folder.glob("textback.db*"))
