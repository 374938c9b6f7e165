"""One SQLite file, opened by sqlite-utils, and the one way to write to it.

Every write is one transaction that begins IMMEDIATE: a deferred one that reads first and writes
later fails with SQLITE_BUSY however long it would wait (four threads lost 152 of 200 updates).
WAL lets readers go on meanwhile; synchronous=FULL makes every commit survive a power cut, at the
cost of one fsync, which writers share (`group_commit.py`).
"""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import sqlite_utils

from bot.concurrency import blocking
from bot.store.file_identity import files_of, identities
from bot.store.group_commit import GroupCommit
from bot.store.outages import NOTED_SECONDS, Outages
from bot.store.rows import to_instant_if_readable
from bot.store.sqlite_file import connect, open_file, patiently
from bot.store.sqlite_tx import SqliteTx
from bot.store.steady import SteadyClock, monotonic_of
from bot.store.tx import STORE_TIMEOUT_SECONDS, Done, Store, StoreUnavailable, Tx

T = TypeVar("T")

log = logging.getLogger(__name__)

SCRUB_MILLISECONDS = 100
# Connections that read: each takes two files and up to 8 MiB. A long list reads in turns with
# others, so several are open at once.
READERS_AT_ONCE = 24
READERS_KEPT = 16
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class SqliteStore(Store):
    """The store of one file. `clock` gives aware instants in UTC, and `steady` makes the current
    instant of them."""

    errors = sqlite3.Error

    def __init__(
        self, path: Path, *, clock: Callable[[], datetime], steady: SteadyClock | None = None
    ) -> None:
        """Opens the file, making it where there is none. Raises UnusableDatabase."""
        super().__init__()
        self.path = path
        self._clock = clock
        self.steady = steady or SteadyClock(monotonic_of(clock))
        self.outages = Outages()
        self._mutex = threading.Lock()
        self.group = GroupCommit(self._transaction, self._tx, on_commit=self._notify_listeners)
        self._readers: list[sqlite_utils.Database] = []
        self._reading = threading.BoundedSemaphore(READERS_AT_ONCE)
        self.writer, newest = open_file(path)
        self._files = files_of(path)
        self._identities = identities(self._files)
        self.writer.execute("PRAGMA busy_timeout=0")  # it waits by itself
        self.steady.read(clock(), to_instant_if_readable(newest))

    def _write(self, use_case: Callable[[Tx], Done[T]], seconds: float) -> T:
        with self.as_store_unavailable():
            return self.group.write(use_case, seconds)

    def _read(self, query: Callable[[Tx], T]) -> T:
        with self.as_store_unavailable():
            self._require_same_file()
            with self._reader() as db:
                db.execute("BEGIN")
                try:
                    return query(self._tx(db))
                finally:
                    db.rollback()

    @contextlib.contextmanager
    def as_store_unavailable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            is_damage = _code(error) in _DAMAGE
            self.is_damaged = self.is_damaged or is_damage
            if not is_damage and not isinstance(error, sqlite3.OperationalError):
                raise
            raise StoreUnavailable(f"SQLite says: {error}") from error

    def _require_same_file(self) -> None:
        """Connections go on with a removed file, and what they write is lost with it."""
        try:
            is_same = identities(self._files) == self._identities
        except OSError:
            is_same = False
        if not is_same:
            raise StoreUnavailable(f"{self.path} was removed or replaced: restart the service")

    def _tx(self, db: sqlite_utils.Database) -> SqliteTx:
        return SqliteTx(db, partial(self._now, db))

    def checkpoint(self) -> None:
        """Copies the write-ahead log into the file while writers continue. By default SQLite would
        do that within a commit, after every thousandth page; under load this delayed one reply in
        ten and made the slowest hundredth."""
        with self._reader() as db:
            blocking.call(fetch_one, db, "PRAGMA wal_checkpoint(PASSIVE)")

    def scrub(self) -> bool:
        """Empties the write-ahead log, which may still contain deleted data. Returns False if the
        log is being read at the moment, or the disk is full; it is then emptied later."""
        try:
            self._require_same_file()  # else connecting would make an empty file
            with contextlib.closing(connect(self.path)) as db:
                # It holds the lock of writers while it waits for readers, a backup for example.
                db.execute(f"PRAGMA busy_timeout={SCRUB_MILLISECONDS}")
                busy = blocking.call(fetch_one, db, "PRAGMA wal_checkpoint(TRUNCATE)")[0]
                return bool(busy == 0)
        except (StoreUnavailable, sqlite3.DatabaseError) as error:
            log.warning("the write-ahead log could not be emptied: %s", error)
            return False

    def close(self) -> None:
        with self._mutex:
            readers, self._readers = self._readers, []
        for db in (*readers, self.writer):
            db.close()

    @contextlib.contextmanager
    def _transaction(self, until: float) -> Iterator[sqlite_utils.Database]:
        db = self.writer
        began = time.monotonic()
        self._require_same_file()
        try:
            patiently(partial(db.conn.execute, "BEGIN IMMEDIATE"), max(0.05, until - began))
            waited = time.monotonic() - began
            if waited >= NOTED_SECONDS:  # before the use case runs: it may expire something
                self.outages.reached(waited_seconds=waited)
            changes = db.conn.total_changes
            try:
                yield db
                has_written = db.conn.total_changes != changes
                # Others are served during its fsync, and queue up for the next one.
                blocking.call(db.conn.execute, "COMMIT")
            except BaseException:
                db.rollback()
                raise
        except sqlite3.Error:  # a lock, a full disk, a file that cannot be written
            self.outages.failed()
            raise
        if has_written:  # an empty transaction commits even on a full disk, so it proves nothing
            self.outages.reached()

    # -- time ------------------------------------------------------------------------------------

    def _now(self, db: sqlite_utils.Database) -> datetime:
        """The current instant. It is never earlier than the last line of the history, the newest
        decision of any process, even if the clock was set back since."""
        sql = "SELECT at FROM history ORDER BY sequence DESC LIMIT 1"
        last = db.conn.execute(sql).fetchone()
        newest = to_instant_if_readable(last["at"]) if last else None
        return self.steady.read(self._clock(), newest)

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite_utils.Database]:
        if not self._reading.acquire(timeout=STORE_TIMEOUT_SECONDS):
            raise StoreUnavailable(f"{READERS_AT_ONCE} others are reading the database.")
        try:
            with self._mutex:
                kept = self._readers.pop() if self._readers else None
            db = kept or connect(self.path)
            try:
                yield db
            finally:
                self._put_back(db)
        finally:
            self._reading.release()

    def _put_back(self, db: sqlite_utils.Database) -> None:
        with self._mutex:
            is_kept = len(self._readers) < READERS_KEPT
            if is_kept:
                self._readers.append(db)
        if not is_kept:
            db.close()


def fetch_one(db: sqlite_utils.Database, sql: str) -> Any:
    return db.execute(sql).fetchone()


def _code(error: sqlite3.DatabaseError) -> int:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF
