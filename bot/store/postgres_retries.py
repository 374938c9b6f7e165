"""Retries on PostgreSQL: a use case that collided with another one is run again, and so is, for a
few seconds, a use case that could not reach the server."""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool, PoolTimeout

from bot.store.outages import Outages
from bot.store.postgres_schema import Connection, message_of
from bot.store.tx import STORE_TIMEOUT_SECONDS, RowLocked, StoreUnavailable

T = TypeVar("T")

LONGEST_PAUSE_SECONDS = 0.2  # before the next try of a server that is away
REPLACED_EVERY_SECONDS = 1.0  # connections
CONFLICTS = 10  # of one use case in a row; more are a fault of ours

# Another transaction collided, or a migration that runs at the same time changed the result columns
# of a statement that psycopg had prepared.
_CONFLICTS = (
    errors.UniqueViolation,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.FeatureNotSupported,
)
# Raised by psycopg when the database is away, or partly away.
_CONNECTION_ERRORS = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,
    errors.IdleInTransactionSessionTimeout,
    errors.TransactionTimeout,
    PoolTimeout,
)

log = logging.getLogger(__name__)


class Retries:
    def __init__(self, pool: ConnectionPool[Connection], outages: Outages) -> None:
        self._pool = pool
        self._outages = outages
        self._away_since: float | None = None
        self._only_reads = False  # the server was a standby since then
        self._replaced_at = 0.0  # when connections were replaced last

    def run(self, attempt: Callable[[float], T], seconds: float) -> T:
        """Calls `attempt` again after conflicts and lost connections, for `seconds` at most.
        `attempt` gets the instant of `time.monotonic()` by which it must end. Raises
        StoreUnavailable."""
        conflicts = 0
        began = time.monotonic()
        until = began + seconds
        while True:
            try:
                result = attempt(until)
            except _CONFLICTS as error:
                conflicts += 1
                if conflicts > CONFLICTS:
                    raise
                self._after_conflict(error, conflicts)
            except _CONNECTION_ERRORS as error:
                if not self._may_try_again(error, until):
                    is_held = isinstance(error, errors.LockNotAvailable)
                    kind = RowLocked if is_held else StoreUnavailable
                    raise kind(f"PostgreSQL: {message_of(error)}") from error
                log.warning("PostgreSQL is away: %s; trying again", message_of(error))
                time.sleep(random.uniform(0.02, LONGEST_PAUSE_SECONDS))
            else:
                if not self._only_reads:  # a standby answers reads: only a write ends the outage
                    self._away_since = None
                return result

    def _after_conflict(self, error: psycopg.Error, conflicts: int) -> None:
        if isinstance(error, errors.FeatureNotSupported):
            self.replace_connections(at_once=True)
        else:
            time.sleep(random.uniform(0, 0.005 * conflicts))

    def _may_try_again(self, error: Exception, until: float) -> bool:
        if not _may_pass(error):
            return False
        self._note_away(error)
        return self.patience() > 0 and time.monotonic() + LONGEST_PAUSE_SECONDS <= until

    def _note_away(self, error: Exception) -> None:
        is_first = self._away_since is None
        if is_first:
            self._away_since = time.monotonic()
        elif not _is_read_only(error):
            return
        self._only_reads = _is_read_only(error)
        # New connections may lead to a standby too, until the address points elsewhere.
        self.replace_connections(at_once=is_first and not isinstance(error, PoolTimeout))

    def replace_connections(self, *, at_once: bool = False) -> None:
        """Replaces all connections, which may be broken or lead to a standby or a hanging server.
        They are not checked one by one: checking a dead connection takes as long as the timeout
        for a dead host. At most once a second, unless `at_once`."""
        now = time.monotonic()
        if at_once or now - self._replaced_at >= REPLACED_EVERY_SECONDS:
            self._replaced_at = now
            self._pool.drain()

    def patience(self) -> float:
        """Seconds that a server which is away is still waited for."""
        if self._away_since is None:
            return STORE_TIMEOUT_SECONDS
        return self._away_since + STORE_TIMEOUT_SECONDS - time.monotonic()

    def note_write(self) -> None:
        """Notes that a transaction changed rows: the server is up and not a standby."""
        self._outages.reached()
        self._away_since = None


def _may_pass(error: Exception) -> bool:
    """Whether an error may be temporary: a lost connection, a server that starts, stops or is
    read-only, or a transaction that was paused for too long. A lock or statement that took too long
    and a full disk are not: they are reported at once."""
    code = getattr(error, "sqlstate", None) or ""
    return code == "" or code.startswith(("08", "25", "57P")) or code == "53300"


def _is_read_only(error: Exception) -> bool:
    return isinstance(error, errors.ReadOnlySqlTransaction)
