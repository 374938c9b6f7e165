"""How often the code of a number can be guessed within a day, from the limits that are set."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from bot.domain.limits import Limit

DAY_SECONDS = 24 * 3600

# The largest allowed chance that a number's code is guessed within a day. A four-digit code with
# four attempts gives 0.04 % per verification, and twelve wrong answers a day give 0.12 %.
LARGEST_CHANCE = 0.005


def most_in_a_day(limits: Iterable[Limit]) -> int | None:
    """Returns the largest number of events that the limits allow within one day. None: unlimited.

    >>> most_in_a_day([Limit("x", 5, 600), Limit("x", 10, 86400)])
    10
    """
    return min((limit.amount * ceil(DAY_SECONDS / limit.seconds) for limit in limits), default=None)


@dataclass(frozen=True, slots=True)
class GuessBudget:
    """How many guesses at a number's codes are possible in a day, and how likely one of them is
    right."""

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
        """
        >>> str(GuessBudget(12, 10))
        '12 guesses a number and day, less than 0.01% to guess right'
        """
        guesses = "any number of" if self.guesses is None else str(self.guesses)
        chance = f"{self.chance:.2%}" if self.chance >= 0.0001 else "less than 0.01%"
        return f"{guesses} guesses a number and day, {chance} to guess right"


def guess_budget(
    starts: Iterable[Limit], wrong: Iterable[Limit], *, attempts: int, code_length: int
) -> GuessBudget:
    """The guesses a day that the limits allow: the limits on wrong answers, or the limits on starts
    times the attempts of each, whichever is smaller."""
    started, wrongs = most_in_a_day(starts), most_in_a_day(wrong)
    bounds = [bound for bound in (wrongs, started and started * attempts) if bound is not None]
    return GuessBudget(min(bounds, default=None), code_length)
