"""Limits: so many of something within so many seconds. Pure arithmetic over counts and instants.

The window slides: what counts is the last N seconds at any moment, not the calendar's hour.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

DAY_SECONDS = 24 * 3600

# The most that the chance of guessing right may be, per number and day. A four-digit code with the
# sample's four attempts gives 0.04 % a verification; twelve wrong answers a day give 0.12 %.
LARGEST_CHANCE = 0.005


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` within `seconds`. `setting` is the variable it comes from."""

    setting: str
    amount: int
    seconds: int

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


def most_in_a_day(limits: Iterable[Limit]) -> int | None:
    """How many can happen within a day at the worst. None: without bound.

    >>> most_in_a_day([Limit("x", 5, 600), Limit("x", 10, 86400)])
    10
    """
    return min((limit.amount * ceil(DAY_SECONDS / limit.seconds) for limit in limits), default=None)


@dataclass(frozen=True, slots=True)
class GuessBudget:
    """How often a number's code can be guessed within a day, and how likely one guess is right."""

    guesses: int | None  # None: without bound
    code_length: int

    @property
    def chance(self) -> float:
        """The chance that at least one guess of a day is right.

        >>> round(GuessBudget(12, 4).chance, 5)
        0.0012
        """
        if self.guesses is None:
            return 1.0
        return float(1 - (1 - 10.0**-self.code_length) ** self.guesses)

    @property
    def is_sound(self) -> bool:
        return self.chance <= LARGEST_CHANCE

    def __str__(self) -> str:
        guesses = "any number of" if self.guesses is None else str(self.guesses)
        return f"{guesses} guesses a number and day, {self.chance:.2%} to guess right"


def guess_budget(
    starts: Iterable[Limit], wrong: Iterable[Limit], *, attempts: int, code_length: int
) -> GuessBudget:
    """The smaller of what the wrong answers and what the starts of a number allow in a day."""
    started, wrongs = most_in_a_day(starts), most_in_a_day(wrong)
    bounds = [bound for bound in (wrongs, started and started * attempts) if bound is not None]
    return GuessBudget(min(bounds, default=None), code_length)
