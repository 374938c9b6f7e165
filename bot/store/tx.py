"""What a use case sees of the database, and what it gives back.

A use case is a function of one transaction. It reads and writes through the `Tx` alone, because
the store may run it again, or let several share one commit; and it *returns* what must happen
afterwards, because nothing may happen before the commit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

from bot.domain.transitions import Event
from bot.domain.verification import Verification

T = TypeVar("T")

Row = Mapping[str, Any]
Value = str | int | float | None


class Tx(Protocol):
    """An open transaction. `now` is read once, after its lock is held, and never runs backwards."""

    @property
    def now(self) -> datetime: ...

    def all(self, sql: str, **params: Value) -> list[Row]: ...

    def one(self, sql: str, **params: Value) -> Row | None: ...

    def run(self, sql: str, **params: Value) -> int:
        """How many rows changed."""


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


# Told what a use case left behind, and how many seconds it took, waiting included.
Listener = Callable[[Done[Any], float], None]


class Store(Protocol):
    def write(self, use_case: Callable[[Tx], Done[T]]) -> T:
        """Runs it in a write transaction; returns after the commit, or raises having undone it."""

    def read(self, query: Callable[[Tx], T]) -> T:
        """Runs it on a snapshot."""

    def on_commit(self, listener: Listener) -> None:
        """It is told of every commit, in the thread that asked for it."""

    def scrub(self) -> bool:
        """Makes deleted bytes unreadable where the database would keep them. False: not yet."""

    def close(self) -> None: ...


def to_text(instant: datetime) -> str:
    """An aware instant as the fixed-width text that is stored.

    >>> to_text(datetime(2026, 1, 31, 9, 30, tzinfo=UTC))
    '2026-01-31T09:30:00.000000Z'
    """
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def to_text_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else to_text(instant)


def to_instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def to_instant_or_none(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


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
