"""Limits: so many of something within so many seconds. Pure arithmetic over counts and instants.

The window slides: what counts is the last N seconds at any moment, not the calendar's hour.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` within `seconds`. `setting` is the variable it comes from, `as_set` how it
    stands there, `10/day`."""

    setting: str
    amount: int
    seconds: int
    as_set: str = ""

    @property
    def window(self) -> timedelta:
        return timedelta(seconds=self.seconds)

    def __str__(self) -> str:
        return f"{self.setting}={self.amount}/{self.seconds} seconds"

    def retry_after_seconds(self, *, nth_newest: datetime | None, now: datetime) -> int | None:
        """Seconds until there is room again, or None where there is room now.

        `nth_newest` is when the `amount`-th newest one happened; None: there are fewer.

        >>> from datetime import UTC
        >>> noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
        >>> five = Limit("LIMIT_PER_NUMBER", 5, 600)
        >>> five.retry_after_seconds(nth_newest=noon, now=noon + timedelta(seconds=590))
        10
        >>> five.retry_after_seconds(nth_newest=noon, now=noon + timedelta(seconds=600)) is None
        True
        """
        if nth_newest is None:
            return None
        left = (nth_newest + self.window - now).total_seconds()
        return ceil(left) if left > 0 else None
