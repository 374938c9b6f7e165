"""The interface between use cases and the database, and the result of a use case.

A use case is a function of one transaction. It reads and writes through the `Tx` alone, because
the store may run it again, or let several share one commit; and it *returns* what must happen
afterwards, because nothing may happen before the commit.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from bot.domain.events import Event
from bot.domain.verification import Verification
from bot.store.outages import Outages
from bot.store.rows import Row, Value
from bot.store.steady import SteadyClock

T = TypeVar("T")
P = ParamSpec("P")


class UnusableDatabase(Exception):
    """The database cannot be used as it is. No data in it was changed."""


class StoreUnavailable(Exception):
    """The database cannot be used at the moment: a full disk, a lock that is held for long, a
    server that is away. Nothing was done."""

    code = "store_unavailable"
    counted_as = code  # in the metric of refusals
    sentence = "The database cannot be used at the moment. Nothing was done; try again."
    retry_after_seconds = 5


class RowLocked(StoreUnavailable):
    """Another transaction holds a row or a number for too long; others can be written."""


class MissedRepliesFirst(StoreUnavailable):
    """Replies that were missed are being read. The store is well."""

    counted_as = "missed_replies_first"
    sentence = "Replies that were missed are being read. Nothing was done; try again."


class OutcomeUnknown(StoreUnavailable):
    """The answer to a COMMIT was lost: all of it was done, or nothing."""

    sentence = (
        "The database cannot be used at the moment. Whether this was done is not known; try again."
    )


class PartlyDone(StoreUnavailable):
    """Some batches were written, of a removal for example; the others were not."""

    sentence = "The database cannot be used at the moment. Part of this was done; try again."

    @classmethod
    def after(cls, batches: int, error: StoreUnavailable) -> StoreUnavailable:
        """`error` itself if no batch was written."""
        return cls(str(error)) if batches else error


class Tx(Protocol):
    """An open transaction.

    Before writing, lock the row the decision depends on: the verification's row, which stands for
    its texts and its history too, or the number if there is no row yet. SQLite holds one lock from
    the beginning, so there these methods only read; so do they in a transaction that only reads.
    """

    # SQL for the number that followers may read up to, exclusive. From there on, a row may still
    # become visible after one with a higher number.
    horizon: str

    @property
    def now(self) -> datetime:
        """Read after the lock is held; it never runs backwards. It stays the same at least until
        the next lock."""

    def seconds(self, earlier: str, later: str) -> str:
        """SQL for the whole seconds between two columns with instants, which no two databases
        write alike."""

    def all(self, sql: str, **params: Value) -> list[Row]: ...

    def one(self, sql: str, **params: Value) -> Row | None: ...

    def run(self, sql: str, **params: Value) -> int:
        """How many rows changed."""

    def lock(self, sql: str, **params: Value) -> Row | None:
        """Reads one row once no other transaction holds it, and locks it until the commit."""

    def lock_skip_locked(self, sql: str, **params: Value) -> list[Row]:
        """Rows that no other transaction holds, ours until the commit. The others are skipped."""

    def lock_name(self, name: str) -> None:
        """Locks what has no row to lock. Of a number: until the commit no other transaction starts,
        opts out or forgets it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a verification, with its events. `before` is None at its start."""

    before: Verification | None
    after: Verification
    events: tuple[Event, ...]

    @property
    def has_ended(self) -> bool:
        return self.after.is_terminal and not (self.before and self.before.is_terminal)


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The result of a use case: its value, and what follows once it is committed."""

    value: T
    has_work: bool = False  # the dispatcher has something due
    has_webhook_events: bool = False  # webhook events are due, beside those of ends among `changes`
    changes: tuple[Change, ...] = ()  # callers may wait for an end; metrics and logs follow all


# How long a write waits for the store. Twilio waits fifteen seconds for a webhook, and its repeats
# must fit into them.
STORE_TIMEOUT_SECONDS = 4.0
# For one transaction that removes many rows on a busy database.
REMOVING_SECONDS = 60.0

# Gets the result of a use case, and how many seconds it took, waiting included.
Listener = Callable[[Done[Any], float], None]


class Store(ABC):
    """One database. Both kinds bind a use case's arguments and tell their listeners alike."""

    steady: SteadyClock  # what `now` comes from
    outages: Outages
    errors: type[Exception]  # of the database's driver

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._under_way: dict[object, float] = {}  # writes; since when, by the monotonic clock
        self.is_damaged = False  # the database has said so: what it holds may be wrong

    def write(
        self, use_case: Callable[Concatenate[Tx, P], Done[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs the use case in a write transaction; returns after the commit, or raises after
        a rollback. Raises StoreUnavailable, and what the use case raises. A failed write may have
        been a reply, so it counts as an outage."""
        write = object()
        self._under_way[write] = time.monotonic()
        try:
            return self.write_within(STORE_TIMEOUT_SECONDS, use_case, *args, **kwargs)
        except MissedRepliesFirst:
            raise
        except StoreUnavailable:
            self.outages.failed()
            raise
        finally:
            del self._under_way[write]

    @property
    def disruptions(self) -> tuple[int, int]:
        """Returns how often the database was unreachable or this process was halted, and how often
        its clock was set forward. If the pair changes, replies and reports may have waited."""
        return self.outages.ended, self.steady.steps

    @property
    def oldest_write(self) -> timedelta:
        """How long the oldest `write` under way has taken so far."""
        began = list(self._under_way.values())
        return timedelta(seconds=time.monotonic() - min(began)) if began else timedelta(0)

    def write_within(
        self,
        seconds: float,
        use_case: Callable[Concatenate[Tx, P], Done[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Like `write`, with a time limit of `seconds`: for use cases that remove many rows. On
        PostgreSQL its failure is no outage: it may have met one locked row."""
        return self._write(lambda tx: use_case(tx, *args, **kwargs), seconds)

    def read(self, query: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs it on a snapshot. Raises StoreUnavailable, and what the query raises."""
        return self._read(lambda tx: query(tx, *args, **kwargs))

    def now(self) -> datetime:
        """The current instant. Raises StoreUnavailable."""
        return self._read(lambda tx: tx.now)

    def on_commit(self, listener: Listener) -> None:
        """Calls the listener after every commit, in the thread that asked for it."""
        self._listeners.append(listener)

    def _notify_listeners(self, done: Done[Any], seconds: float) -> None:
        for listener in self._listeners:
            listener(done, seconds)

    @abstractmethod
    def _write(self, use_case: Callable[[Tx], Done[T]], seconds: float) -> T:
        """Tells the listeners after the commit."""

    @abstractmethod
    def _read(self, query: Callable[[Tx], T]) -> T: ...

    def check_writable(self) -> None:
        """Checks whether the store can be written to now. After a failure it writes a row, to see
        whether the disk has room again. Raises StoreUnavailable."""
        self.write(_touch if self.outages.is_open else _nothing)

    @abstractmethod
    def checkpoint(self) -> None:
        """Moves what was committed from the log into the database, beside the writers."""

    @abstractmethod
    def scrub(self) -> bool:
        """Makes deleted bytes unreadable where the database would keep them. False: not yet."""

    @abstractmethod
    def close(self) -> None: ...


def _touch(tx: Tx) -> Done[None]:
    # Two updates: SQLite writes no page to the disk whose bytes stay the same.
    tx.run("UPDATE schema_version SET version = version + 1")
    tx.run("UPDATE schema_version SET version = version - 1")
    return Done(None)


def _nothing(tx: Tx) -> Done[None]:
    return Done(None)
