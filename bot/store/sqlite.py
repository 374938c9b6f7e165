"""One SQLite file, opened by sqlite-utils, and the one way to write to it.

Every write is one transaction that begins IMMEDIATE: a deferred one that reads first and writes
later loses to SQLITE_BUSY however long it would wait (four threads lost 152 of 200 updates so).
WAL lets readers go on meanwhile; synchronous=FULL makes every commit survive a power cut, at the
cost of one fsync.

That fsync is most of what a write costs, so writers who wait share it: whoever finds nobody at it
leads, takes all who have queued up, runs them one after the other under one BEGIN IMMEDIATE, and
commits once. Nobody returns before that COMMIT has. Those left waiting are led by the first of
them. Where one of them raises, all are undone and run again, now each in a savepoint of its own:
refusals are rarer than successes, and savepoints were two statements of thirteen. Where SQLite
rolls the whole transaction back by itself (a full disk), or the commit fails, nobody in the batch
counts as done and each is run again alone.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import sqlite_utils

from bot.concurrency import blocking
from bot.store import migrations
from bot.store.outages import NOTED_SECONDS, Outages
from bot.store.steady import SteadyClock, SteppedMonotonic
from bot.store.tx import (
    NEWEST_INSTANTS,
    PATIENCE_SECONDS,
    Done,
    Listener,
    OutcomeUnknown,
    Row,
    StoreUnavailable,
    Tx,
    UnusableDatabase,
    Value,
    to_instant_if_readable,
)

T = TypeVar("T")

OPENING_SECONDS = 15.0  # how long to wait for a writer in another process at the start
# Of each connection. SQLite's own 2 MiB hold too few pages of the indexes of a million rows.
CACHE_KIBIBYTES = 8192
# Of the write-ahead log, where nobody tidies: 64 MiB.
LONGEST_LOG_PAGES = 16_000
FETCHED_AT_ONCE = 200  # rows: a millisecond
BATCH = 64  # write transactions that share one commit, at most


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
        milliseconds under load, with everybody's writes behind it."""
        return f"CAST(round((julianday({later}) - julianday({earlier})) * 86400) AS INTEGER)"


class _Raised(Exception):
    """A use case raised; the cause says what."""


class _Job(Generic[T]):
    """One use case on its way through a commit."""

    def __init__(self, use_case: Callable[[Tx], Done[T]], within: float) -> None:
        self.use_case = use_case
        self.until = time.monotonic() + within
        self.turn = threading.Lock()  # released when it is finished, or is to lead
        self.turn.acquire()
        self.is_finished = False
        self.is_left = False  # its caller waits no more: the leader tells the listeners
        self.done: Done[T] | None = None
        self.error: BaseException | None = None


class SqliteStore:
    """The store of one file. `clock` gives aware instants in UTC, and `steady` makes the present
    instant of them."""

    def __init__(
        self, path: Path, *, clock: Callable[[], datetime], steady: SteadyClock | None = None
    ) -> None:
        """Opens the file, making it where there is none. Raises UnusableDatabase."""
        self._path = path
        self._clock = clock
        self.steady = steady or SteadyClock(SteppedMonotonic(clock))
        self.outages = Outages()
        self._listeners: list[Listener] = []
        self._mutex = threading.Lock()
        self._waiting: deque[_Job[Any]] = deque()
        self._is_led = False
        self._until = 0.0  # how long the present leader waits for its lock
        self._readers: list[sqlite_utils.Database] = []
        _create_private(path)
        try:
            self._writer = self._connect()
            with _closed_on_failure(self._writer):
                self._refuse_foreign()
                path.chmod(0o600)
                self._prepare()
                self._writer.execute("PRAGMA busy_timeout=0")  # it waits by itself
                newest = self._writer.execute(NEWEST_INSTANTS).fetchone()["at"]
                self.steady.read(clock(), to_instant_if_readable(newest))
        except sqlite3.Error as error:
            raise UnusableDatabase(f"{path} cannot be opened as a database: {error}") from error

    def on_commit(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def write(self, use_case: Callable[[Tx], Done[T]], *, within: float = PATIENCE_SECONDS) -> T:
        began = time.perf_counter()
        job = _Job(use_case, within)
        with self._mutex:
            self._waiting.append(job)
            leads = not self._is_led
            self._is_led = True
        if not leads:
            self._await_turn(job, within)
        if not job.is_finished:
            self._lead(job.until)
        if job.error is not None:
            error = _unavailable_or_itself(job.error)
            if isinstance(error, StoreUnavailable):
                self.outages.failed(waited_seconds=time.perf_counter() - began)
            raise error
        assert job.done is not None
        # In the thread that asked, so that what is logged of it names its request.
        self._tell(job.done, time.perf_counter() - began)
        return job.done.value

    def _await_turn(self, job: "_Job[Any]", seconds: float) -> None:
        """Until it is finished, or is to lead. Raises StoreUnavailable once its patience is over:
        OutcomeUnknown where it is being written by then."""
        if job.turn.acquire(timeout=seconds):
            return
        with self._mutex:
            if job.turn.acquire(blocking=False):  # just now
                return
            self.outages.failed(waited_seconds=seconds)
            if job not in self._waiting:
                job.is_left = True
                raise OutcomeUnknown("the commit takes too long")
            self._waiting.remove(job)
        raise StoreUnavailable("the writers before it take too long")

    def _tell(self, done: Done[Any], seconds: float) -> None:
        for listener in self._listeners:
            listener(done, seconds)

    def read(self, query: Callable[[Tx], T]) -> T:
        try:
            return self._read(query)
        except sqlite3.DatabaseError as error:
            raise _unavailable_or_itself(error) from error

    def _read(self, query: Callable[[Tx], T]) -> T:
        with self._reader() as db:
            db.execute("BEGIN")
            try:
                return query(SqliteTx(db, partial(self._now, db)))
            finally:
                db.rollback()

    def probe(self) -> None:
        self.write(lambda tx: Done(None))

    def tidy(self) -> None:
        """Copies the write-ahead log into the file while writers go on. Left to SQLite, every
        thousandth page written would make one of them do it in the middle of its commit, which was
        every tenth reply under load and the slowest hundredth of them."""
        with self._reader() as db:
            blocking.call(_fetch_one, db, "PRAGMA wal_checkpoint(PASSIVE)")

    def scrub(self) -> bool:
        """Empties the write-ahead log, where what was deleted may still stand. False: somebody
        reads from it at the moment; it is emptied later by itself."""
        db = self._connect()
        try:
            busy = blocking.call(_fetch_one, db, "PRAGMA wal_checkpoint(TRUNCATE)")[0]
            return bool(busy == 0)
        finally:
            db.close()

    def close(self) -> None:
        with self._mutex:
            readers, self._readers = self._readers, []
        for db in (*readers, self._writer):
            db.close()

    # -- one commit for all who wait -------------------------------------------------------------

    def _lead(self, until: float) -> None:
        """`until`: from then on the leader's own caller waits no more, and so does it."""
        self._until = until
        batch: list[_Job[Any]] = []
        try:
            if not self._commit_at_once(batch):
                self._commit_apart(batch)
        except Exception as error:
            self._commit_singly(batch, error)
        finally:
            self._hand_over()
        with self._mutex:
            for job in batch:
                job.is_finished = True
                job.turn.release()
            left = [job.done for job in batch if job.is_left]
        for done in left:  # its caller has gone; others wait for what it did
            if done is not None:
                self._tell(done, PATIENCE_SECONDS)

    def _commit_at_once(self, batch: list[_Job[Any]]) -> bool:
        """Draws all who wait, and runs them. False: one of them raised, and nothing was done.
        Raises where the transaction itself came to nothing."""
        try:
            with self._transaction() as db:
                # Whoever comes while others are served goes along: one fsync for more of them.
                while drawn := self._draw(batch):
                    # Read after the lock is held and they are drawn: nobody is judged as of an
                    # instant before they asked.
                    tx = SqliteTx(db, partial(self._now, db))
                    for job in drawn:
                        self._run(job, tx)
        except _Raised as raised:
            if len(batch) == 1:  # nobody else's work was undone
                batch[0].error = raised.__cause__
            return len(batch) == 1
        return True

    def _draw(self, batch: list[_Job[Any]]) -> list[_Job[Any]]:
        """Those who wait, as far as the batch has room; it holds them too."""
        with self._mutex:
            count = min(len(self._waiting), BATCH - len(batch))
            drawn = [self._waiting.popleft() for _ in range(count)]
        batch.extend(drawn)
        return drawn

    def _run(self, job: _Job[Any], tx: SqliteTx) -> None:
        try:
            job.done = job.use_case(tx)
        except Exception as error:
            raise _Raised from error

    def _commit_apart(self, batch: list[_Job[Any]]) -> None:
        with self._transaction() as db:
            tx = SqliteTx(db, partial(self._now, db))
            for job in batch:
                self._run_apart(job, tx, db)

    def _run_apart(self, job: _Job[Any], tx: SqliteTx, db: sqlite_utils.Database) -> None:
        db.execute("SAVEPOINT use_case")
        try:
            job.done = job.use_case(tx)
        except Exception as error:
            if not db.conn.in_transaction:
                raise  # SQLite undid everybody's work
            db.execute("ROLLBACK TO use_case")
            job.done, job.error = None, error
        db.execute("RELEASE use_case")

    def _commit_singly(self, batch: list[_Job[Any]], error: Exception) -> None:
        if not batch:  # not even begun: those who wait fail with the reason
            with self._mutex:
                batch.extend(self._waiting)
                self._waiting.clear()
            for job in batch:
                job.error = error
            return
        for job in batch:
            job.done, job.error = None, None
            try:
                with self._transaction() as db:
                    job.done = job.use_case(SqliteTx(db, partial(self._now, db)))
            except Exception as alone:
                job.done, job.error = None, alone

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite_utils.Database]:
        db = self._writer
        began = time.monotonic()
        try:
            _patiently(partial(db.execute, "BEGIN IMMEDIATE"), max(0.05, self._until - began))
            waited = time.monotonic() - began
            if waited >= NOTED_SECONDS:  # who lets time pass must know before it does
                self.outages.reached(waited_seconds=waited)
            try:
                yield db
                # Others are served during its fsync, and queue up for the next one.
                blocking.call(db.execute, "COMMIT")
            except BaseException:
                db.rollback()
                raise
        except sqlite3.Error:  # a lock, a full disk, a file that cannot be written
            self.outages.failed(waited_seconds=time.monotonic() - began)
            raise
        self.outages.reached()

    def _hand_over(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting[0].turn.release()
            else:
                self._is_led = False

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
            self._path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
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
                f"{self._path} cannot use write-ahead logging (its mode is {mode}): put it on a"
                " local disk, not on a network share"
            )
        # A table is made anew by dropping the old one, which would take with it all that refers to
        # it; this can be switched outside of a transaction alone.
        self._writer.execute("PRAGMA foreign_keys=OFF")
        with self._opening() as db:
            if not db.table_names():
                _run_script(db, migrations.schema())
            else:
                self._migrate(db)
        self._writer.execute("PRAGMA foreign_keys=ON")

    @contextlib.contextmanager
    def _opening(self) -> Iterator[sqlite_utils.Database]:
        """A transaction that waits longer: another process may be migrating. Its COMMIT is not
        handed to a thread, since a file is opened before the fork too, and threads end there."""
        db = self._writer
        _patiently(partial(db.execute, "BEGIN IMMEDIATE"), OPENING_SECONDS)
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            db.rollback()
            raise

    def _migrate(self, db: sqlite_utils.Database) -> None:
        """In the transaction that everybody else waits for: all steps are done, or none."""
        version = db.execute("SELECT version FROM schema_version").fetchone()["version"]
        for step in migrations.steps(version):
            _run_script(db, step)
        dangling = db.execute("PRAGMA foreign_key_check").fetchone()
        if dangling is not None:
            raise UnusableDatabase(f"{self._path} has rows of {dangling[0]} that belong to none")

    def _use_wal(self) -> str:
        """Its journal mode then. Two processes that open a new file at once meet here."""
        switch = partial(self._writer.execute, "PRAGMA journal_mode=WAL")
        return str(_patiently(switch, OPENING_SECONDS).fetchone()[0])

    def _refuse_foreign(self) -> None:
        """Only looks, so that a file which is not ours stays as it is."""
        names = set(self._writer.table_names())
        if not names:
            return
        if "schema_version" not in names:
            raise UnusableDatabase(f"{self._path} is a database of another program")
        row = self._writer.execute("SELECT version FROM schema_version").fetchone()
        migrations.refuse(row["version"] if row else None, name=str(self._path))


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
    and longer, up to a tenth of a second, and whoever has waited least comes first: with a
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


def _unavailable_or_itself(error: BaseException) -> BaseException:
    """What the disk, a lock or the file are to blame for may pass, or be mended."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    if isinstance(error, sqlite3.OperationalError) or code == sqlite3.SQLITE_CORRUPT:
        unavailable = StoreUnavailable(f"SQLite says: {error}")
        unavailable.__cause__ = error
        return unavailable
    return error


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
