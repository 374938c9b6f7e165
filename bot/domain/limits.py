"""Limits: at most N events within M seconds. Pure arithmetic over counts and instants.

The window slides: a limit covers the last M seconds at any moment, not the calendar's hour.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil


class LimitName(StrEnum):
    """Each limit, named as the setting it comes from."""

    PER_NUMBER = "LIMIT_PER_NUMBER"
    WRONG_PER_NUMBER = "LIMIT_WRONG_PER_NUMBER"
    PER_COUNTRY = "LIMIT_PER_COUNTRY"
    PER_KEY = "LIMIT_PER_KEY"
    TOTAL = "LIMIT_TOTAL"


@dataclass(frozen=True, slots=True)
class Limit:
    """Allows at most `amount` within `seconds`. `as_set` is its spelling in the setting:
    `10/day`."""

    name: LimitName
    amount: int
    seconds: int
    as_set: str = ""

    @property
    def window(self) -> timedelta:
        return timedelta(seconds=self.seconds)

    def __str__(self) -> str:
        return f"{self.name}={self.as_set or f'{self.amount}/{self.seconds} seconds'}"

    def retry_after_seconds(self, *, nth_newest: datetime | None, now: datetime) -> int | None:
        """Seconds until there is room again, or None where there is room now.

        `nth_newest` is when the `amount`-th newest event happened; None: there are fewer.

        >>> from datetime import UTC
        >>> noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
        >>> five = Limit(LimitName.PER_NUMBER, 5, 600)
        >>> five.retry_after_seconds(nth_newest=noon, now=noon + timedelta(seconds=590))
        10
        >>> five.retry_after_seconds(nth_newest=noon, now=noon + timedelta(seconds=600)) is None
        True
        """
        if nth_newest is None:
            return None
        left = (nth_newest + self.window - now).total_seconds()
        return ceil(left) if left > 0 else None
