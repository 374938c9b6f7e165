"""Pages of rows that are ordered by instant and id."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from bot.store.rows import Row, readable, to_instant_if_readable

T = TypeVar("T")

# How many reads, the first one included, may fill a page that has rows which cannot be read.
READ_ON = 20


PageCursor = tuple[datetime, str]  # an instant and an id


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted."""

    limit: int
    after: PageCursor | None = None  # of the last one seen


W = TypeVar("W", bound=PageRequest)


def read_page(
    table: str,
    from_row: Callable[[Row], T],
    read: Callable[[W], Sequence[Row]],
    filter: W,
    *,
    at: str,
) -> list[T]:
    """A page in which later rows replace those that cannot be read, so that only the last page is
    not full. `at` is the column of the instants."""
    items: list[T] = []
    for _ in range(READ_ON):
        rows = read(filter)
        items += readable(table, rows, from_row)
        if len(items) >= filter.limit or len(rows) < filter.limit:
            break
        cursor = last_cursor(rows, at)
        if cursor is None:
            break
        filter = replace(filter, after=cursor)
    return items[: filter.limit]


def last_cursor(rows: Sequence[Row], at: str) -> PageCursor | None:
    """The cursor after the last row whose instant can be read."""
    for row in reversed(rows):
        instant = to_instant_if_readable(row[at])
        if instant is not None:
            return instant, row["id"]
    return None
