"""Converts between rows and values: instants stored as text, unreadable rows, and the parameters of
`IN ()`."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from bot.concurrency.blocking import yielding

T = TypeVar("T")

Row = Mapping[str, Any]
Value = str | int | float | None

# Rows made into values without yielding: about one millisecond. A waiting request takes several
# turns.
ROWS_AT_ONCE = 25
PLACEHOLDERS_AT_ONCE = 500

log = logging.getLogger(__name__)


class UnreadableRow(Exception):
    """A row contains a value that no version of Textback writes, such as an unreadable instant."""

    def __init__(self, table: str, id: str) -> None:
        super().__init__(f"the row {id!r} of {table} cannot be read")
        self.table = table
        self.id = id


def by_name(row: Row) -> Row:
    """A row whose columns are found by a hash of their names: SQLite's rows compare one name after
    the other, which took half the time of reading a row with forty columns."""
    return row if isinstance(row, dict) else dict(zip(row.keys(), row, strict=True))


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
    """The rows that can be read, so that a broken one does not hold up the others. Calls
    `unreadable` with the id of each broken row."""
    items: list[T] = []
    for row in yielding(rows, every=ROWS_AT_ONCE):
        try:
            items.append(read_row(table, row, from_row))
        except UnreadableRow as error:
            log.error("%s; it is left out", error)
            if unreadable is not None:
                unreadable(error.id)
    return items


def count_of(row: Row | None) -> int:
    """The column `count` of a query for a number of rows."""
    return int(row["count"]) if row else 0


def to_text_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else to_text(instant)


@lru_cache(maxsize=4096)
def to_instant(text: str) -> datetime:
    """Parses a stored instant. Raises ValueError if it cannot be read or has no zone, without which
    it could not be compared."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    return instant


def to_instant_if_readable(text: str | None) -> datetime | None:
    """The same; None if it cannot be read. For values that all work depends on, such as the newest
    instant: a broken one must not stop the rest."""
    try:
        return to_instant_or_none(text)
    except ValueError:
        return None


def to_instant_or_none(text: str | None) -> datetime | None:
    return None if text is None else to_instant(text)


def in_parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Parts short enough for one `IN ()`: SQLite looks up each parameter's name among all others.

    >>> [len(part) for part in in_parts(["a"] * 1200)]
    [500, 500, 200]
    """
    for first in range(0, len(values), PLACEHOLDERS_AT_ONCE):
        yield values[first : first + PLACEHOLDERS_AT_ONCE]


def placeholders(values: Sequence[str]) -> str:
    """The text between the brackets of `IN ()`. It is never empty, which
    would be invalid SQL: without values it is NULL, which equals nothing.

    >>> placeholders(["a", "b"]), placeholders([])
    (':place0, :place1', 'NULL')
    """
    return ", ".join(f":place{number}" for number in range(len(values))) or "NULL"


def placeholder_values(values: Sequence[str]) -> dict[str, Value]:
    """The parameters that `placeholders` names."""
    return {f"place{number}": value for number, value in enumerate(values)}
