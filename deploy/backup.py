"""Copy the SQLite database while it is in use, and remove copies that are older than some days.

python deploy/backup.py DATABASE FOLDER [--keep-days 14]

A copy holds phone numbers, so it is readable by its owner alone. It gets its name once it is whole
and has been checked. Only files with a name of this program's are removed.
"""

import argparse
import os
import re
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

NAME = re.compile(r"textback-\d{8}T\d{6}Z\.(db|part)")  # a part is left by a copy that was killed
DAY_SECONDS = 24 * 3600


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Back up Textback's SQLite database.")
    parser.add_argument("database", type=_path)
    parser.add_argument("folder", type=_path)
    parser.add_argument("--keep-days", type=int, default=14, metavar="N")
    options = parser.parse_args(arguments)
    if options.keep_days < 1:
        parser.error("--keep-days must be at least 1")
    os.umask(0o077)
    if not options.database.is_file():
        print(f"There is no file {options.database}.", file=sys.stderr)
        return 1
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
        made = back_up(options.database, options.folder, at=datetime.now(UTC))
    except (sqlite3.Error, OSError) as error:
        print(f"There is no backup of {options.database}: {error}", file=sys.stderr)
        return 1
    print(f"{made}, {made.stat().st_size} bytes")
    remove_old(options.folder, before=time.time() - options.keep_days * DAY_SECONDS, keep=made)
    return 0


def _path(argument: str) -> Path:
    if not argument:  # a shell's variable that is not set; Path would take it for this folder
        raise argparse.ArgumentTypeError("it is empty")
    return Path(argument)


def back_up(database: Path, folder: Path, *, at: datetime) -> Path:
    whole = folder / at.strftime("textback-%Y%m%dT%H%M%SZ.db")
    part = whole.with_suffix(".part")
    part.unlink(missing_ok=True)
    try:
        copy_whole(database, part)
        part.replace(whole)
    finally:
        part.unlink(missing_ok=True)
    return whole


def copy_whole(database: Path, part: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)  # in one step: a write meanwhile does not start it again
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        (found,) = copy.execute("PRAGMA quick_check").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        # An empty file passes the check, and good copies would be removed for it in time.
        if copy.execute("SELECT version FROM schema_version").fetchone() is None:
            raise sqlite3.DatabaseError("it has no schema of Textback")


def remove_old(folder: Path, *, before: float, keep: Path) -> None:
    for path in folder.iterdir():
        if NAME.fullmatch(path.name) and path != keep and path.stat().st_mtime < before:
            path.unlink()
            print(f"{path} is removed")


if __name__ == "__main__":
    sys.exit(main())
