"""Creates, migrates or refuses the SQLite file before any other query, and opens connections."""

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import sqlite_utils

from bot.store import migrations
from bot.store.time_mark import NEWEST_INSTANTS
from bot.store.tx import STORE_TIMEOUT_SECONDS, UnusableDatabase

OPENING_SECONDS = 15.0  # how long to wait for a writer in another process at the start
# For each connection. SQLite's own 2 MiB hold too few pages of the indexes of a million rows.
CACHE_KIBIBYTES = 8192
# Less is a full disk: the files beside the database, the log and its index, begin with 36 KiB.
FEWEST_FREE_BYTES = 64 * 1024
# Bound on the write-ahead log where no duty checkpoints it: 64 MiB.
LONGEST_LOG_PAGES = 16_000


def open_file(path: Path) -> tuple[sqlite_utils.Database, str | None]:
    """A connection to the file, made where there is none, with the schema of this version; and the
    newest instant in it. Raises UnusableDatabase."""
    _create_private(path)
    with _as_unusable_database(path):
        db = connect(path)
        with _closed_on_failure(db):
            _refuse_foreign(db, path)
            path.chmod(0o600)
            _prepare(db, path)
            return db, db.execute(NEWEST_INSTANTS).fetchone()["at"]


def schema_version(path: Path) -> int | None:
    """The version of the schema in a file, which is only read; None: it has none yet. Raises
    UnusableDatabase, as the start would."""
    try:
        if not _is_there(path):
            return None
        address = f"{path.resolve().as_uri()}?mode=ro"
    except OSError as error:  # such as a name that is too long
        raise UnusableDatabase(f"{path} cannot be opened: {error.strerror}") from error
    with (
        _as_unusable_database(path),
        contextlib.closing(sqlite3.connect(address, uri=True)) as connection,
    ):
        connection.row_factory = sqlite3.Row
        db = sqlite_utils.Database(connection)
        version = _refuse_foreign(db, path)
        if version == migrations.VERSION:
            _require_columns(db, path)
            db.execute(NEWEST_INSTANTS).fetchone()
        return version


def _is_there(path: Path) -> bool:
    """False: it can be made. Raises UnusableDatabase, OSError."""
    if not _exists(path):
        folder = next(place for place in path.parents if place.exists())
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise UnusableDatabase(f"{path} cannot be opened: nothing can be made in {folder}")
        return False
    _refuse_other_than_file(path)
    if not os.access(path, os.W_OK):
        raise UnusableDatabase(f"{path} cannot be opened: it cannot be written to")
    return True


def _exists(path: Path) -> bool:
    """Also true of a link that leads nowhere. Raises OSError, of a name that is too long, say."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _refuse_other_than_file(path: Path) -> None:
    """A device would lose its permissions, and a link that leads nowhere may be an unmounted disk.
    Raises UnusableDatabase."""
    if _exists(path) and not path.is_file():
        raise UnusableDatabase(f"{path} cannot be opened: it is not a file")


def connect(path: Path) -> sqlite_utils.Database:
    connection = sqlite3.connect(
        path, timeout=STORE_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
    )
    with _closed_on_failure(connection):
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIBIBYTES}")
        connection.execute(f"PRAGMA wal_autocheckpoint={LONGEST_LOG_PAGES}")
        # SQLite overwrites deleted rows with zeros, so a forgotten number is gone from the file.
        connection.execute("PRAGMA secure_delete=ON")
        return sqlite_utils.Database(connection, execute_plugins=False)


def patiently(attempt: Callable[[], sqlite3.Cursor], seconds: float) -> sqlite3.Cursor:
    """Retries every millisecond while another process holds the lock. SQLite's own busy handler
    sleeps longer each time, up to a tenth of a second, so a process that has just begun to wait
    gets the lock first: with a separate dispatcher, one start in a hundred took more than a second.
    SQLite also does not wait at all when the journal mode is changed."""
    until = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            is_locked = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_locked or time.monotonic() > until:
                raise
            time.sleep(0.001)


def _create_private(path: Path) -> None:
    """The file can be read by its owner alone, and so can the log that SQLite keeps beside it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_other_than_file(path)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise UnusableDatabase(f"{path} cannot be opened: {error.strerror}") from error


def _refuse_foreign(db: sqlite_utils.Database, path: Path) -> int | None:
    """Returns its version; None: it is empty. Raises UnusableDatabase if the file is not ours. It
    only reads, so such a file stays unchanged."""
    names = set(db.table_names())
    if not names:
        return None
    if "schema_version" not in names:
        raise UnusableDatabase(f"{path} is a database of another program")
    row = db.execute("SELECT version FROM schema_version").fetchone()
    return migrations.refuse(row["version"] if row else None, name=str(path))


def _prepare(db: sqlite_utils.Database, path: Path) -> None:
    mode = _use_wal(db)
    if mode != "wal":
        raise UnusableDatabase(
            f"{path} cannot use write-ahead logging (its mode is {mode}): put it on a"
            " local disk, not on a network share"
        )
    # Migrations rebuild tables by dropping the old ones, which would delete all rows that refer to
    # them. Foreign keys can only be switched off outside a transaction.
    db.execute("PRAGMA foreign_keys=OFF")
    with _alone(db):
        if not db.table_names():
            _run_script(db, migrations.schema())
        else:
            _migrate(db, path)
    db.execute("PRAGMA foreign_keys=ON")


def _use_wal(db: sqlite_utils.Database) -> str:
    """Switches to WAL and returns the journal mode then. Two processes that open a new file at once
    meet here."""
    switch = partial(db.execute, "PRAGMA journal_mode=WAL")
    return str(patiently(switch, OPENING_SECONDS).fetchone()[0])


@contextlib.contextmanager
def _alone(db: sqlite_utils.Database) -> Iterator[None]:
    """A transaction that waits longer: another process may be migrating. Its COMMIT is not handed
    to a thread, since a file is opened before the fork too, and threads end there."""
    db.execute("PRAGMA busy_timeout=0")
    patiently(partial(db.execute, "BEGIN IMMEDIATE"), OPENING_SECONDS)
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def _migrate(db: sqlite_utils.Database, path: Path) -> None:
    """Runs all steps in one transaction that all others wait for: all are done, or none."""
    version = db.execute("SELECT version FROM schema_version").fetchone()["version"]
    steps = migrations.steps(version)
    try:
        for step in steps:
            _run_script(db, step)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:  # such as a full disk
            raise
        raise migrations.of_no_release(str(path), version, str(error)) from error
    _require_columns(db, path)
    if not steps:  # the check below reads every row: a minute with ten million verifications
        return
    dangling = db.execute("PRAGMA foreign_key_check").fetchone()
    if dangling is not None:
        raise UnusableDatabase(f"{path} has rows of {dangling[0]} that belong to none")


def _require_columns(db: sqlite_utils.Database, path: Path) -> None:
    sql = """
        SELECT t.name AS of, c.name FROM sqlite_master t, pragma_table_info(t.name) c
        WHERE t.type = 'table'
    """
    columns = ((row["of"], row["name"]) for row in db.execute(sql))
    migrations.require_columns(str(path), columns)


def _run_script(db: sqlite_utils.Database, script: str) -> None:
    """Statement by statement: `executescript` would commit what came before it."""
    statement = ""
    for line in migrations.for_sqlite(script).splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""
    db.execute(statement)  # a last one without its semicolon, or a comment


@contextlib.contextmanager
def _as_unusable_database(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        why = "the disk is full" if _is_disk_full(path) else str(error)
        raise UnusableDatabase(f"{path} cannot be opened as a database: {why}") from error


def _is_disk_full(path: Path) -> bool:
    """SQLite reports it as an error of the disk, as it does of a broken one."""
    try:
        return shutil.disk_usage(path.parent).free < FEWEST_FREE_BYTES
    except OSError:
        return False


@contextlib.contextmanager
def _closed_on_failure(opened: sqlite3.Connection | sqlite_utils.Database) -> Iterator[None]:
    try:
        yield
    except BaseException:
        opened.close()
        raise
