"""PostgreSQL: any number of processes on any number of hosts.

Necessary differences from SQLite, and their reasons:

- There is no global lock. A use case locks the row it decides on (`Tx.lock`), or the number if
  there may be no row yet (`Tx.lock_name`). The isolation is READ COMMITTED, so that reads after
  the lock see the current state. Work is taken with SKIP LOCKED.
- One clock for all hosts: the database's, read after the lock. If it is set back, or another server
  with a slower clock takes over, time goes on from the last line of the history (`steady`).
- A follower of a table reads only rows of transactions that are over and have none before them
  under way (`Tx.horizon`): rows become visible in any order.
- Colliding transactions fail late, by a deadlock or a unique index. One of them is rolled back and
  run again. A transaction that lost its connection is also run again, for a few seconds. A COMMIT
  whose answer was lost is not: whether it took effect cannot be found out, since PostgreSQL may
  reuse transaction numbers after a crash.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from bot.concurrency.watchdog import Watchdog, shut
from bot.store.outages import Outages
from bot.store.postgres_retries import Retries
from bot.store.postgres_schema import Connection, address_of, connected, prepare
from bot.store.postgres_tx import PostgresTx
from bot.store.rows import to_instant_if_readable
from bot.store.steady import SteadyClock, monotonic_of
from bot.store.time_mark import NEWEST_INSTANTS
from bot.store.tx import STORE_TIMEOUT_SECONDS, Done, OutcomeUnknown, Store, StoreUnavailable, Tx

T = TypeVar("T")

# A transaction waits STORE_TIMEOUT_SECONDS for a server that has just gone away. One that begins
# later fails within this time, so that no thread is held for it.
BRIEFLY_SECONDS = 1.0

LOCK_MILLISECONDS = 3500
PAUSE_MILLISECONDS = 15_000  # between statements: a process that is paused lets go of its locks
STATEMENT_SECONDS = 15  # of one statement, unless its transaction may take longer
# SET LOCAL, not SET: behind a pooler the next transaction may be another program's.
_WRITE = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = {};"
    " SET LOCAL idle_in_transaction_session_timeout = {}; SET LOCAL statement_timeout = '{}s'"
)
# A read that is given up must end on the server too: otherwise its backend goes on beside the new
# connection, and a lock held for long fills `max_connections`.
READ = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
    f" SET LOCAL statement_timeout = '{STORE_TIMEOUT_SECONDS:.0f}s'"
)
_CLOCK = """
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS clock,
        (SELECT at FROM history ORDER BY sequence DESC LIMIT 1) AS last
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PostgresStore(Store):
    """The store of one database, shared with other processes."""

    errors = psycopg.Error

    def __init__(
        self,
        url: str,
        *,
        connections: int,
        clock: Callable[[], datetime] | None = None,
        steady: SteadyClock | None = None,
    ) -> None:
        """Checks that the database can be used, and creates or migrates the schema. The connection
        pool opens with the first transaction. `clock` replaces the database's clock. Raises
        UnusableDatabase."""
        super().__init__()
        self._given_clock = clock
        self.steady = steady or SteadyClock(monotonic_of(clock))
        self.outages = Outages()
        self._mutex = threading.Lock()
        self._watchdog = Watchdog()
        self._is_open = False
        address, self._name = address_of(url)
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            address,
            kwargs={"autocommit": True, "row_factory": dict_row},
            min_size=1,
            max_size=connections,
            timeout=STORE_TIMEOUT_SECONDS,
            # Its own waiting between attempts grows to minutes; the next request begins a new one.
            reconnect_timeout=0.5,
            open=False,
            name="store",
        )
        self._retries = Retries(self._pool, self.outages)
        self._look_first(address)

    def _look_first(self, address: str) -> None:
        with connected(address, self._name) as connection:
            prepare(connection, self._name)
            row = connection.execute(NEWEST_INSTANTS).fetchone()
            clock_row = connection.execute(_CLOCK).fetchone()
            assert row is not None
            assert clock_row is not None
            self._read_clock(clock_row["clock"], row["at"])

    def _write(self, use_case: Callable[[Tx], Done[T]], seconds: float) -> T:
        began = time.perf_counter()
        done = self._retries.run(partial(self._write_once, use_case), seconds)
        self._notify_listeners(done, time.perf_counter() - began)
        return done.value

    def _read(self, query: Callable[[Tx], T]) -> T:
        return self._retries.run(partial(self._read_once, query), STORE_TIMEOUT_SECONDS)

    def checkpoint(self) -> None:
        """Does nothing: PostgreSQL has a checkpointer of its own."""

    def scrub(self) -> bool:
        """Deleted rows stay on the disk until PostgreSQL has written over them."""
        return False

    def close(self) -> None:
        self._pool.close()

    # -- one transaction -------------------------------------------------------------------------

    def _write_once(self, use_case: Callable[[Tx], Done[T]], until: float) -> Done[T]:
        with self._connected(until) as connection:
            seconds = max(STATEMENT_SECONDS, int(until - time.monotonic()))
            connection.execute(_WRITE.format(LOCK_MILLISECONDS, PAUSE_MILLISECONDS, seconds))
            tx = PostgresTx(connection, self._now, writes=True)
            done = use_case(tx)
            self._commit(connection)
        if tx.has_written:  # reads, and empty transactions, succeed on a full disk too
            self._retries.note_write()
        return done

    def _read_once(self, query: Callable[[Tx], T], until: float) -> T:
        with self._connected(until) as connection:
            connection.execute(READ)
            found = query(PostgresTx(connection, self._now, writes=False))
            # After a ROLLBACK psycopg would forget what it has prepared, on the server too.
            connection.execute("COMMIT")
            return found

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
    def _connected(self, until: float) -> Iterator[Connection]:
        """Yields a connection for one transaction and cuts it if that lasts beyond `until`: a
        halted server does not answer, and its own timeouts do not work then."""
        with self._mutex:
            if not self._is_open:
                self._pool.open()
                self._is_open = True
        left = min(until - time.monotonic(), max(BRIEFLY_SECONDS, self._retries.patience()))
        connection = self._pool.getconn(timeout=max(0.05, left))
        try:
            with self._watchdog.bound(until, partial(_cut, connection)) as bound:
                try:
                    yield connection
                except (psycopg.Error, OutcomeUnknown) as error:
                    if bound.was_cut:
                        self._after_cut(error)
                    raise
                finally:
                    self._roll_back(connection)
        finally:
            self._pool.putconn(connection)

    def _after_cut(self, error: Exception) -> None:
        """Replaces the connections once the watchdog has cut one: the server may be well, or other
        connections may hang too. Raises StoreUnavailable, unless the outcome of a COMMIT is
        unknown."""
        self._retries.replace_connections()
        if not isinstance(error, OutcomeUnknown):
            raise StoreUnavailable("PostgreSQL takes too long") from error

    def _roll_back(self, connection: Connection) -> None:
        if connection.broken or not connection.info.transaction_status:
            return
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()  # with it goes the transaction

    # -- time ------------------------------------------------------------------------------------

    def _now(self, connection: Connection) -> datetime:
        row = connection.execute(_CLOCK).fetchone()
        assert row is not None
        return self._read_clock(row["clock"], row["last"])

    def _read_clock(self, theirs: int, newest: str | None) -> datetime:
        """`theirs`: microseconds since 1970. As a timestamp its form would depend on DateStyle, and
        as a float on extra_float_digits."""
        server_time = _EPOCH + timedelta(microseconds=theirs)
        clock = self._given_clock() if self._given_clock else server_time
        return self.steady.read(clock, to_instant_if_readable(newest))


def _cut(connection: Connection) -> None:
    if not connection.closed:
        shut(connection.fileno())
