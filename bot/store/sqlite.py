"""One SQLite file, opened by sqlite-utils, and the one way to write to it.

Every write is one transaction that begins IMMEDIATE: a deferred one that reads first and writes
later loses to SQLITE_BUSY however long it would wait (four threads lost 152 of 200 updates so).
WAL lets readers go on meanwhile; synchronous=FULL makes every commit survive a power cut, at the
cost of one fsync, which writers share (`group_commit.py`).

Over 250 lines: transaction, store and opening share the rules of one file and its connections.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import sqlite_utils

from bot.concurrency import blocking
from bot.store import migrations
from bot.store.group_commit import GroupCommit
from bot.store.outages import NOTED_SECONDS, Outages
from bot.store.rows import Row, Value, to_instant_if_readable
from bot.store.steady import SteadyClock, SteppedMonotonic
from bot.store.tx import (
    NEWEST_INSTANTS,
    PATIENCE_SECONDS,
    Done,
    Store,
    StoreUnavailable,
    Tx,
    UnusableDatabase,
)

T = TypeVar("T")

OPENING_SECONDS = 15.0  # how long to wait for a writer in another process at the start
# For each connection. SQLite's own 2 MiB hold too few pages of the indexes of a million rows.
CACHE_KIBIBYTES = 8192
# Bound on the write-ahead log where no duty tidies it: 64 MiB.
LONGEST_LOG_PAGES = 16_000
FETCHED_AT_ONCE = 200  # rows: a millisecond


class SqliteTx:
    def __init__(self, db: sqlite_utils.Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    @cached_property
    def now(self) -> datetime:
        """Read when it is first asked for: the lock is held by then, and many reads never ask."""
        return self._clock()

    def all(self, sql: str, **params: Value) -> list[Row]:
        cursor = self._db.execute(sql, params)
        rows: list[Row] = cursor.fetchmany(FETCHED_AT_ONCE)
        last = len(rows)
        while last == FETCHED_AT_ONCE:
            blocking.breathe()
            more = cursor.fetchmany(FETCHED_AT_ONCE)
            last = len(more)
            rows += more
        return rows

    def one(self, sql: str, **params: Value) -> Row | None:
        row: Row | None = self._db.execute(sql, params).fetchone()
        return row

    def run(self, sql: str, **params: Value) -> int:
        return self._db.execute(sql, params).rowcount

    # One writer at a time: what is read is locked, and rows become visible in their order.
    lock = one
    lock_free = all
    horizon = str(2**63 - 1)

    def lock_number(self, phone: str) -> None:
        pass

    def seconds(self, earlier: str, later: str) -> str:
        """Not a function of ours: SQLite would wait for the interpreter at each call, up to five
        milliseconds under load, with all writes behind it."""
        return f"CAST(round((julianday({later}) - julianday({earlier})) * 86400) AS INTEGER)"


class SqliteStore(Store):
    """The store of one file. `clock` gives aware instants in UTC, and `steady` makes the present
    instant of them."""

    def __init__(
        self, path: Path, *, clock: Callable[[], datetime], steady: SteadyClock | None = None
    ) -> None:
        """Opens the file, making it where there is none. Raises UnusableDatabase."""
        super().__init__()
        self.path = path
        self._clock = clock
        self.steady = steady or SteadyClock(SteppedMonotonic(clock))
        self.outages = Outages()
        self._mutex = threading.Lock()
        self.group = GroupCommit(
            self._transaction,
            lambda db: SqliteTx(db, partial(self._now, db)),
            tell=self._tell,
        )
        self._readers: list[sqlite_utils.Database] = []
        _create_private(path)
        try:
            self.writer = self._connect()
            with _closed_on_failure(self.writer):
                self._refuse_foreign()
                path.chmod(0o600)
                self._prepare()
                self.writer.execute("PRAGMA busy_timeout=0")  # it waits by itself
                newest = self.writer.execute(NEWEST_INSTANTS).fetchone()["at"]
                self.steady.read(clock(), to_instant_if_readable(newest))
        except sqlite3.Error as error:
            raise UnusableDatabase(f"{path} cannot be opened as a database: {error}") from error

    def _write(self, use_case: Callable[[Tx], Done[T]], seconds: float) -> T:
        began = time.perf_counter()
        try:
            return self.group.write(use_case, seconds)
        except StoreUnavailable:
            self.outages.failed(waited_seconds=time.perf_counter() - began)
            raise
        except sqlite3.DatabaseError as error:
            if not _may_pass(error):
                raise
            self.outages.failed(waited_seconds=time.perf_counter() - began)
            raise StoreUnavailable(f"SQLite says: {error}") from error

    def _read(self, query: Callable[[Tx], T]) -> T:
        try:
            return self._read_once(query)
        except sqlite3.DatabaseError as error:
            if not _may_pass(error):
                raise
            raise StoreUnavailable(f"SQLite says: {error}") from error

    def _read_once(self, query: Callable[[Tx], T]) -> T:
        with self._reader() as db:
            db.execute("BEGIN")
            try:
                return query(SqliteTx(db, partial(self._now, db)))
            finally:
                db.rollback()

    def probe(self) -> None:
        """After a failure it writes a page, to see whether there is room again."""
        self.write(_touch if self.outages.has_failed else _nothing)

    def tidy(self) -> None:
        """Copies the write-ahead log into the file while writers go on. Left to SQLite, every
        thousandth page written would make one of them do it in the middle of its commit, which was
        every tenth reply under load and the slowest hundredth of them."""
        with self._reader() as db:
            blocking.call(_fetch_one, db, "PRAGMA wal_checkpoint(PASSIVE)")

    def scrub(self) -> bool:
        """Empties the write-ahead log, where what was deleted may still stand. False: it
        is being read at the moment, and is emptied later by itself."""
        db = self._connect()
        try:
            busy = blocking.call(_fetch_one, db, "PRAGMA wal_checkpoint(TRUNCATE)")[0]
            return bool(busy == 0)
        finally:
            db.close()

    def close(self) -> None:
        with self._mutex:
            readers, self._readers = self._readers, []
        for db in (*readers, self.writer):
            db.close()

    @contextlib.contextmanager
    def _transaction(self, until: float) -> Iterator[sqlite_utils.Database]:
        db = self.writer
        began = time.monotonic()
        try:
            _patiently(partial(db.execute, "BEGIN IMMEDIATE"), max(0.05, until - began))
            waited = time.monotonic() - began
            if waited >= NOTED_SECONDS:  # a use case that lets time pass must know before it does
                self.outages.reached(waited_seconds=waited)
            changes = db.conn.total_changes
            try:
                yield db
                has_written = db.conn.total_changes != changes
                # Others are served during its fsync, and queue up for the next one.
                blocking.call(db.execute, "COMMIT")
            except BaseException:
                db.rollback()
                raise
        except sqlite3.Error:  # a lock, a full disk, a file that cannot be written
            self.outages.failed(waited_seconds=time.monotonic() - began)
            raise
        if has_written:  # nothing at all can be committed on a full disk too
            self.outages.reached()

    # -- time ------------------------------------------------------------------------------------

    def _now(self, db: sqlite_utils.Database) -> datetime:
        """Never earlier than what this or any other process has written down, whatever the clock
        was set to meanwhile: the last line of the history is the latest instant decided upon."""
        last = db.execute("SELECT at FROM history ORDER BY sequence DESC LIMIT 1").fetchone()
        newest = to_instant_if_readable(last["at"]) if last else None
        return self.steady.read(self._clock(), newest)

    # -- opening ---------------------------------------------------------------------------------

    def _connect(self) -> sqlite_utils.Database:
        connection = sqlite3.connect(
            self.path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
        )
        with _closed_on_failure(connection):
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute(f"PRAGMA cache_size=-{CACHE_KIBIBYTES}")
            connection.execute(f"PRAGMA wal_autocheckpoint={LONGEST_LOG_PAGES}")
            # What is deleted is overwritten with zeros, so that forgetting means it.
            connection.execute("PRAGMA secure_delete=ON")
            return sqlite_utils.Database(connection, execute_plugins=False)

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite_utils.Database]:
        with self._mutex:
            kept = self._readers.pop() if self._readers else None
        db = kept or self._connect()
        try:
            yield db
        finally:
            with self._mutex:
                self._readers.append(db)

    def _prepare(self) -> None:
        mode = self._use_wal()
        if mode != "wal":
            raise UnusableDatabase(
                f"{self.path} cannot use write-ahead logging (its mode is {mode}): put it on a"
                " local disk, not on a network share"
            )
        # A table is made anew by dropping the old one, which would take with it all that refers to
        # it; this can be switched outside of a transaction alone.
        self.writer.execute("PRAGMA foreign_keys=OFF")
        with self._opening() as db:
            if not db.table_names():
                _run_script(db, migrations.schema())
            else:
                self._migrate(db)
        self.writer.execute("PRAGMA foreign_keys=ON")

    @contextlib.contextmanager
    def _opening(self) -> Iterator[sqlite_utils.Database]:
        """A transaction that waits longer: another process may be migrating. Its COMMIT is not
        handed to a thread, since a file is opened before the fork too, and threads end there."""
        db = self.writer
        _patiently(partial(db.execute, "BEGIN IMMEDIATE"), OPENING_SECONDS)
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            db.rollback()
            raise

    def _migrate(self, db: sqlite_utils.Database) -> None:
        """In one transaction that all others wait for: all steps are done, or none."""
        version = db.execute("SELECT version FROM schema_version").fetchone()["version"]
        steps = migrations.steps(version)
        try:
            for step in steps:
                _run_script(db, step)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:  # such as a full disk
                raise
            raise migrations.of_no_release(str(self.path), version, str(error)) from error
        self._require_columns(db)
        if not steps:  # the check below reads every row: a minute with ten million verifications
            return
        dangling = db.execute("PRAGMA foreign_key_check").fetchone()
        if dangling is not None:
            raise UnusableDatabase(f"{self.path} has rows of {dangling[0]} that belong to none")

    def _require_columns(self, db: sqlite_utils.Database) -> None:
        sql = """
            SELECT t.name AS of, c.name FROM sqlite_master t, pragma_table_info(t.name) c
            WHERE t.type = 'table'
        """
        columns = ((row["of"], row["name"]) for row in db.execute(sql))
        migrations.require_columns(str(self.path), columns)

    def _use_wal(self) -> str:
        """Its journal mode then. Two processes that open a new file at once meet here."""
        switch = partial(self.writer.execute, "PRAGMA journal_mode=WAL")
        return str(_patiently(switch, OPENING_SECONDS).fetchone()[0])

    def _refuse_foreign(self) -> None:
        """Only looks, so that a file which is not ours stays as it is."""
        names = set(self.writer.table_names())
        if not names:
            return
        if "schema_version" not in names:
            raise UnusableDatabase(f"{self.path} is a database of another program")
        row = self.writer.execute("SELECT version FROM schema_version").fetchone()
        migrations.refuse(row["version"] if row else None, name=str(self.path))


def _touch(tx: Tx) -> Done[None]:
    tx.run("UPDATE count_cursor SET removals = removals")
    return Done(None)


def _nothing(tx: Tx) -> Done[None]:
    return Done(None)


def _fetch_one(db: sqlite_utils.Database, sql: str) -> Any:
    return db.execute(sql).fetchone()


def _run_script(db: sqlite_utils.Database, script: str) -> None:
    """Statement by statement: `executescript` would commit what came before it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""
    db.execute(statement)  # a last one without its semicolon, or a comment


def _patiently(attempt: Callable[[], sqlite3.Cursor], seconds: float) -> sqlite3.Cursor:
    """Waits for a lock of another process, a millisecond at a time. SQLite's own wait sleeps longer
    and longer, up to a tenth of a second, and the one that has waited least comes first: with a
    dispatcher beside the web process one start in a hundred took more than a second. It does not
    wait at all where the journal mode is switched."""
    until = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            is_locked = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_locked or time.monotonic() > until:
                raise
            time.sleep(0.001)


def _may_pass(error: sqlite3.DatabaseError) -> bool:
    """Errors of the disk, a lock or the file may pass, or be mended."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return isinstance(error, sqlite3.OperationalError) or code == sqlite3.SQLITE_CORRUPT


@contextlib.contextmanager
def _closed_on_failure(opened: sqlite3.Connection | sqlite_utils.Database) -> Iterator[None]:
    try:
        yield
    except BaseException:
        opened.close()
        raise


def _create_private(path: Path) -> None:
    """The file can be read by its owner alone, and so can the log that SQLite keeps beside it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise UnusableDatabase(f"{path} cannot be opened: {error.strerror}") from error
