"""PostgreSQL: any number of processes on any number of hosts. The database is the engine.

What differs from SQLite by necessity, and why:

- There is no one lock. A use case locks the row it decides on (`Tx.lock`), and a number where there
  may be no row yet (`Tx.lock_number`); READ COMMITTED, so what it reads afterwards is what is true
  then. Whoever takes work passes over what others hold (SKIP LOCKED).
- One clock for all hosts: the database's, read after the lock. Should it be set back, or another
  server with a slower clock take over, it stands still until the last line of the history is past.
- Whoever follows a table reads only rows of transactions that are over and have none before them
  under way (`Tx.horizon`): rows become visible in any order.
- Two who meet are told so late: by a deadlock, or by a unique index. One of them is undone whole
  and run again. So is what met a lost connection, for a few seconds; a COMMIT whose answer was lost
  is not, since nobody can tell what became of it: transaction numbers are used again after a crash.
"""

import logging
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from bot.store import migrations
from bot.store.tx import (
    Done,
    Listener,
    OutcomeUnknown,
    Row,
    StoreUnavailable,
    Tx,
    UnusableDatabase,
    Value,
    to_instant,
)

T = TypeVar("T")
Connection = psycopg.Connection[DictRow]

# How long callers wait for a server that is away, counted from when it went: Twilio waits fifteen
# seconds for a webhook. Whoever comes later is told at once, so that no thread is held for it.
PATIENCE_SECONDS = 5.0
BRIEFLY_SECONDS = 1.0
CONFLICTS = 10  # of one use case in a row; more are a fault of ours
OLDEST_SERVER = 140000  # PostgreSQL 14

# SET LOCAL, not SET: behind a pooler the next transaction may be somebody else's. A process that is
# paused in the middle keeps its locks no longer than this.
_LIMITS = (
    "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '15s';"
    " SET LOCAL idle_in_transaction_session_timeout = '15s'"
)
_WRITE = f"BEGIN ISOLATION LEVEL READ COMMITTED; {_LIMITS}"
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_CLOCK = """
    SELECT clock_timestamp() AS clock,
        (SELECT at FROM history ORDER BY sequence DESC LIMIT 1) AS last
"""
# Whatever the address does not set itself. A server that is gone without a word is noticed.
_CONNECTION = {
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "application_name": "textback",
}
_SETUP_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('textback schema', 0))"
# What SQLite has by itself: the numbers' indexes.
_EXTRAS = """
    CREATE INDEX tally_number ON tally (number);
    CREATE INDEX history_sequence ON history (sequence);
"""
# What a database that is away, or half away, makes psycopg raise.
_TROUBLES = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,
    errors.IdleInTransactionSessionTimeout,
    PoolTimeout,
)

log = logging.getLogger(__name__)


class PostgresTx:
    horizon = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

    def __init__(
        self, connection: Connection, clock: Callable[[Connection], datetime], *, writes: bool
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._writes = writes
        self._now: datetime | None = None

    @property
    def now(self) -> datetime:
        if self._now is None:
            self._now = self._clock(self._connection)
        return self._now

    def all(self, sql: str, **params: Value) -> list[Row]:
        return list(self._execute(sql, params).fetchall())

    def one(self, sql: str, **params: Value) -> Row | None:
        return self._execute(sql, params).fetchone()

    def run(self, sql: str, **params: Value) -> int:
        return self._execute(sql, params).rowcount

    def lock(self, sql: str, **params: Value) -> Row | None:
        if not self._writes:
            return self.one(sql, **params)
        row = self.one(f"{sql} FOR UPDATE", **params)
        self._now = None
        return row

    def lock_free(self, sql: str, **params: Value) -> list[Row]:
        if not self._writes:
            return self.all(sql, **params)
        rows = self.all(f"{sql} FOR UPDATE SKIP LOCKED", **params)
        self._now = None
        return rows

    def lock_number(self, phone: str) -> None:
        """Two numbers may share a lock by chance, which costs a wait and nothing else."""
        self._execute("SELECT pg_advisory_xact_lock(hashtextextended(:phone, 0))", {"phone": phone})
        self._now = None

    def seconds(self, earlier: str, later: str) -> str:
        return f"round(extract(epoch FROM {later}::timestamptz - {earlier}::timestamptz))::bigint"

    def _execute(self, sql: str, params: dict[str, Value]) -> psycopg.Cursor[DictRow]:
        return self._connection.execute(_translated(sql), _storable(params))


class PostgresStore:
    """The store of one database, shared with whoever else uses it."""

    def __init__(
        self, url: str, *, connections: int, clock: Callable[[], datetime] | None = None
    ) -> None:
        """Looks whether the database can be used, and makes or migrates the schema; the pool opens
        with the first transaction. `clock` stands in for the database's. Raises UnusableDatabase.
        """
        self._given_clock = clock
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._listeners: list[Listener] = []
        self._mutex = threading.Lock()
        self._is_open = False
        self._away_since: float | None = None
        wanted = conninfo_to_dict(url)
        self._name = f"{wanted.get('dbname', '')} at {wanted.get('host', 'localhost')}"
        missing = {name: value for name, value in _CONNECTION.items() if name not in wanted}
        address = make_conninfo(url, **missing)
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            address,
            kwargs={"autocommit": True, "row_factory": dict_row},
            min_size=1,
            max_size=connections,
            timeout=PATIENCE_SECONDS,
            # Its own waiting between attempts grows to minutes; whoever asks begins a new one.
            reconnect_timeout=0.5,
            open=False,
            name="store",
        )
        try:
            with psycopg.connect(address, autocommit=True, row_factory=dict_row) as connection:
                self._prepare(connection)
        except psycopg.Error as error:
            raise UnusableDatabase(f"{self._name} cannot be used: {error}".strip()) from error

    def on_commit(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def write(self, use_case: Callable[[Tx], Done[T]]) -> T:
        began = time.perf_counter()
        done = self._patiently(partial(self._write_once, use_case))
        seconds = time.perf_counter() - began
        for listener in self._listeners:
            listener(done, seconds)
        return done.value

    def read(self, query: Callable[[Tx], T]) -> T:
        return self._patiently(partial(self._read_once, query))

    def tidy(self) -> None:
        """It does that by itself."""

    def scrub(self) -> bool:
        """What was deleted stays on the disk until PostgreSQL has written over it."""
        return False

    def close(self) -> None:
        self._pool.close()

    # -- one transaction -------------------------------------------------------------------------

    def _write_once(self, use_case: Callable[[Tx], Done[T]]) -> Done[T]:
        with self._connected() as connection:
            connection.execute(_WRITE)
            done = use_case(PostgresTx(connection, self._now, writes=True))
            self._commit(connection)
            return done

    def _read_once(self, query: Callable[[Tx], T]) -> T:
        with self._connected() as connection:
            connection.execute(_READ)
            return query(PostgresTx(connection, self._now, writes=False))

    def _commit(self, connection: Connection) -> None:
        try:
            answer = connection.execute("COMMIT").statusmessage
        except psycopg.OperationalError as error:
            if connection.broken:
                raise OutcomeUnknown(
                    "the connection was lost at COMMIT: all of it was done, or nothing"
                ) from error
            raise
        if answer != "COMMIT":  # a use case went on after a statement that had failed
            raise AssertionError(f"COMMIT was answered with {answer}")

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Whatever is still open at the end is rolled back by the pool."""
        with self._mutex:
            if not self._is_open:
                self._pool.open()
                self._is_open = True
        connection = self._pool.getconn(timeout=max(BRIEFLY_SECONDS, self._patience()))
        try:
            yield connection
        finally:
            try:
                self._roll_back(connection)
            finally:
                self._pool.putconn(connection)

    def _roll_back(self, connection: Connection) -> None:
        if connection.broken or not connection.info.transaction_status:
            return
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()  # with it goes the transaction

    # -- again -----------------------------------------------------------------------------------

    def _patiently(self, attempt: Callable[[], T]) -> T:
        conflicts = 0
        while True:
            try:
                result = attempt()
            except (
                errors.UniqueViolation,
                errors.DeadlockDetected,
                errors.SerializationFailure,
            ):
                conflicts += 1
                if conflicts > CONFLICTS:
                    raise
                time.sleep(random.uniform(0, 0.005 * conflicts))
            except _TROUBLES as error:
                if not _may_pass(error):
                    raise StoreUnavailable(f"PostgreSQL: {_said(error)}") from error
                self._note_away(error)
                if self._patience() <= 0:
                    raise StoreUnavailable(f"PostgreSQL: {_said(error)}") from error
                log.warning("PostgreSQL is away: %s; trying again", _said(error))
                time.sleep(random.uniform(0.02, 0.2))
            else:
                self._away_since = None
                return result

    def _note_away(self, error: Exception) -> None:
        if self._away_since is not None:
            return
        self._away_since = time.monotonic()
        # Replaces connections that are broken, or that lead to a standby. Not here: each may take
        # as long as a dead host is waited for.
        replace = self._pool.drain if _only_reads(error) else self._pool.check
        threading.Thread(target=replace, name="replace", daemon=True).start()

    def _patience(self) -> float:
        """Seconds that a server which is away is still waited for."""
        if self._away_since is None:
            return PATIENCE_SECONDS
        return self._away_since + PATIENCE_SECONDS - time.monotonic()

    # -- time ------------------------------------------------------------------------------------

    def _now(self, connection: Connection) -> datetime:
        row = connection.execute(_CLOCK).fetchone()
        assert row is not None
        now: datetime = row["clock"].astimezone(UTC)
        if self._given_clock is not None:
            now = self._given_clock()
        if row["last"] is not None:
            now = max(now, to_instant(row["last"]))
        with self._mutex:
            self._latest = max(self._latest, now)
            return self._latest

    # -- the schema ------------------------------------------------------------------------------

    def _prepare(self, connection: Connection) -> None:
        if connection.info.server_version < OLDEST_SERVER:
            raise UnusableDatabase(f"{self._name} is older than PostgreSQL 14")
        if connection.info.parameter_status("server_encoding") != "UTF8":
            raise UnusableDatabase(f"{self._name} is not encoded in UTF8")
        with connection.transaction():
            connection.execute(_SETUP_LOCK)  # one of several that start at once
            if _value(connection, "SELECT to_regclass('schema_version')") is None:
                _run_script(connection, migrations.schema())
                connection.execute(_EXTRAS)
                return
            version = _value(connection, "SELECT version FROM schema_version")
            migrations.refuse(version, name=self._name)
            for step in migrations.steps(version):
                _run_script(connection, step)
            _renumber_if_restored(connection)


def _renumber_if_restored(connection: Connection) -> None:
    """A database that was dumped and loaded elsewhere has rows of transactions that are yet to come
    there. All of it is numbered as of before the beginning, what is not counted yet after the
    rest."""
    next_one = _value(connection, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    newest = _value(
        connection,
        "SELECT greatest((SELECT max(sequence) FROM history), (SELECT max(number) FROM tally),"
        " (SELECT max(sequence) FROM figured))",
    )
    if newest is None or newest < next_one:
        return
    counted_to = _value(connection, "SELECT sequence FROM figured")
    connection.execute("UPDATE history SET sequence = 0 WHERE sequence <= %s", [counted_to])
    # Rows that are not counted keep their order, after the counted ones and before all to come.
    connection.execute("UPDATE history SET sequence = 1 WHERE sequence > %s", [counted_to])
    # Each keeps a number of its own, in its order.
    connection.execute("UPDATE tally SET number = row - (SELECT max(row) FROM tally)")
    connection.execute("UPDATE figured SET sequence = 0")


def _run_script(connection: Connection, script: str) -> None:
    connection.execute(migrations.for_postgres(script))


def _value(connection: Connection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return next(iter(row.values())) if row else None


@lru_cache(maxsize=1024)
def _translated(sql: str) -> str:
    """`:name` in psycopg's words."""
    return re.sub(r"(?<!:):([a-z_][a-z_0-9]*)", r"%(\1)s", sql.replace("%", "%%"))


def _storable(params: dict[str, Value]) -> dict[str, Value]:
    """PostgreSQL's texts hold no NUL; it becomes the sign for what cannot be shown."""
    return {
        name: value.replace("\0", "\ufffd") if isinstance(value, str) else value
        for name, value in params.items()
    }


def _may_pass(error: Exception) -> bool:
    """Lost connections, a server that starts, stops or only reads, a transaction that was paused
    for too long; not a lock or a statement that took too long, or a full disk: those are told at
    once."""
    code = getattr(error, "sqlstate", None) or ""
    return code == "" or code.startswith(("08", "25", "57P")) or code == "53300"


def _only_reads(error: Exception) -> bool:
    return isinstance(error, errors.ReadOnlySqlTransaction)


def _said(error: Exception) -> str:
    """An error's class and state; its message may hold values."""
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__
