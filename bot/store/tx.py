"""What a use case sees of the database, and what it gives back.

A use case is a function of one transaction. It reads and writes through the `Tx` alone, because
the store may run it again, or let several share one commit; and it *returns* what must happen
afterwards, because nothing may happen before the commit.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

from bot.concurrency.blocking import in_turns
from bot.domain.transitions import Event
from bot.domain.verification import Verification
from bot.store.outages import Outages
from bot.store.steady import SteadyClock

T = TypeVar("T")

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
Value = str | int | float | None


class UnreadableRow(Exception):
    """A row holds what no version of Textback writes: an instant that is none, an unknown word."""

    def __init__(self, table: str, id: str) -> None:
        super().__init__(f"the row {id!r} of {table} cannot be read")
        self.table = table
        self.id = id


class UnusableDatabase(Exception):
    """The database cannot be used as it is. It was not touched."""


class StoreUnavailable(Exception):
    """The database cannot be used at the moment: a full disk, a lock that is held for long, a
    server that is away. Nothing was done."""

    sentence = "The database cannot be used at the moment. Nothing was done; try again."
    retry_after_seconds = 5


class OutcomeUnknown(StoreUnavailable):
    """The answer to a COMMIT was lost: all of it was done, or nothing."""

    sentence = (
        "The database cannot be used at the moment. Whether this was done is not known; try again."
    )


class Tx(Protocol):
    """An open transaction.

    Whoever writes locks first what he decides on: a verification's row, which stands for all that
    belongs to it, or a number where there may be no row yet. In SQLite one lock is held from the
    beginning, so these methods only read; so do they in a transaction that only reads.
    """

    # SQL for a number that followers may read up to, and not including. Beyond it a row may still
    # appear below one that is visible already.
    horizon: str

    @property
    def now(self) -> datetime:
        """Read after the lock is held; it never runs backwards. It stands still until the next
        lock."""

    def seconds(self, earlier: str, later: str) -> str:
        """SQL for the whole seconds between two columns with instants, which no two databases
        write alike."""

    def all(self, sql: str, **params: Value) -> list[Row]: ...

    def one(self, sql: str, **params: Value) -> Row | None: ...

    def run(self, sql: str, **params: Value) -> int:
        """How many rows changed."""

    def lock(self, sql: str, **params: Value) -> Row | None:
        """One row as it is once nobody else holds it; ours until the commit."""

    def lock_free(self, sql: str, **params: Value) -> list[Row]:
        """Rows that nobody else holds, ours until the commit. The others are passed over."""

    def lock_number(self, phone: str) -> None:
        """Until the commit nobody else starts, opts out or forgets this number."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a verification, and how its history tells it. Before its start it is None."""

    before: Verification | None
    after: Verification
    events: tuple[Event, ...]

    @property
    def has_ended(self) -> bool:
        return self.after.is_terminal and not (self.before and self.before.is_terminal)


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What a use case leaves behind: its value, and what is to happen once it is committed."""

    value: T
    has_work: bool = False  # the dispatcher has something due
    changes: tuple[Change, ...] = ()  # somebody may wait for an end; metrics and logs follow all


# Rows made into values in one go: about three milliseconds.
ROWS_AT_ONCE = 100


# How long anybody waits for the store. Twilio waits fifteen seconds for a webhook, and its repeats
# must fit into them.
PATIENCE_SECONDS = 4.0

# Where the newest instants stand, whatever was removed since: read once, when a store is opened.
NEWEST_INSTANTS = """
    SELECT max(at) AS at FROM (
        SELECT max(at) AS at FROM time_mark
        UNION ALL SELECT max(at) FROM tally
        UNION ALL SELECT max(received_at) FROM inbound
        UNION ALL SELECT at FROM (SELECT at FROM history ORDER BY sequence DESC LIMIT 1) AS newest
    ) AS instants
"""


# Told what a use case left behind, and how many seconds it took, waiting included.
Listener = Callable[[Done[Any], float], None]


class Store(Protocol):
    steady: SteadyClock  # what `now` comes from
    outages: Outages

    def write(self, use_case: Callable[[Tx], Done[T]], *, within: float = PATIENCE_SECONDS) -> T:
        """Runs it in a write transaction; returns after the commit, or raises having undone it.
        `within`: seconds that all of it may take; more for what removes a lot at once.

        Raises StoreUnavailable.
        """

    def read(self, query: Callable[[Tx], T]) -> T:
        """Runs it on a snapshot."""

    def on_commit(self, listener: Listener) -> None:
        """It is told of every commit, in the thread that asked for it."""

    def probe(self) -> None:
        """Looks whether it could be written to at this moment. Raises StoreUnavailable."""

    def tidy(self) -> None:
        """What the database wants done now and then, beside the writers."""

    def scrub(self) -> bool:
        """Makes deleted bytes unreadable where the database would keep them. False: not yet."""

    def close(self) -> None: ...


@lru_cache(maxsize=4096)  # one instant stands in several columns and rows of a transaction
def to_text(instant: datetime) -> str:
    """An aware instant as the fixed-width text that is stored.

    >>> to_text(datetime(2026, 1, 31, 9, 30, tzinfo=UTC))
    '2026-01-31T09:30:00.000000Z'
    """
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def read_row(table: str, row: Row, from_row: Callable[[Row], T]) -> T:
    """Raises UnreadableRow."""
    try:
        return from_row(row)
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableRow(table, str(row["id"])) from error


def readable(
    table: str,
    rows: Sequence[Row],
    from_row: Callable[[Row], T],
    *,
    unreadable: Callable[[str], None] | None = None,
) -> list[T]:
    """Those that can be read: one that cannot does not hold up the others. `unreadable` is called
    with the id of each that cannot."""
    found: list[T] = []
    for row in in_turns(rows, at_once=ROWS_AT_ONCE):
        try:
            found.append(read_row(table, row, from_row))
        except UnreadableRow as error:
            log.error("%s; it is left out", error)
            if unreadable is not None:
                unreadable(error.id)
    return found


def to_text_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else to_text(instant)


@lru_cache(maxsize=4096)
def to_instant(text: str) -> datetime:
    """Raises ValueError where it is none, or has no zone: it could not be compared."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    return instant


def to_instant_if_readable(text: str | None) -> datetime | None:
    """None where it cannot be read: for values that everything depends on, such as the newest
    instant, of which a broken one must not stop the rest."""
    try:
        return to_instant_or_none(text)
    except ValueError:
        return None


def to_instant_or_none(text: str | None) -> datetime | None:
    return None if text is None else to_instant(text)


def places(values: Sequence[str]) -> str:
    """What stands between the brackets of `IN ()`. None at all would be no SQL, so it is never
    empty; a place without a value is NULL, which is in nothing.

    >>> places(["a", "b"]), places([])
    (':place0, :place1', 'NULL')
    """
    return ", ".join(f":place{number}" for number in range(len(values))) or "NULL"


def placed(values: Sequence[str]) -> dict[str, Value]:
    """The values for `places`."""
    return {f"place{number}": value for number, value in enumerate(values)}
