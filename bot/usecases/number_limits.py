"""The limits of a number, its opt-out, and whether its holder replied NO."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.admission.admission import Admission
from bot.domain.limits import Limit
from bot.store import disowns, opt_outs
from bot.store.tx import Tx
from bot.usecases.rules import Rules


@dataclass(frozen=True, slots=True)
class NumberLimits:
    number: str
    limits: list[tuple[Limit, int]]  # with how much of each is used
    opted_out_since: datetime | None
    disowned_until: datetime | None

    @property
    def is_clear(self) -> bool:
        """Whether none of its limits is full, and it has neither opted out nor replied NO."""
        full = any(used >= limit.amount for limit, used in self.limits)
        return not (full or self.opted_out_since or self.disowned_until)


def opted_out(tx: Tx, rules: Rules, *, limit: int) -> list[tuple[str, datetime]]:
    """The numbers that have texted STOP to our current address, and when, the newest first."""
    return opt_outs.newest(tx, from_address=rules.from_address, limit=limit)


def number_limits(
    tx: Tx, phones: Sequence[str], rules: Rules, admission: Admission
) -> NumberLimits:
    """`phones`: all spellings of one number, the current one first."""
    by_spelling = [admission.used(tx, phone) for phone in phones]
    most = [max(alike, key=lambda pair: pair[1]) for alike in zip(*by_spelling, strict=True)]
    mark = opt_outs.load(tx, phone=phones[0], from_address=rules.from_address)
    return NumberLimits(
        number=phones[0],
        limits=most,
        opted_out_since=mark.since if mark else None,
        disowned_until=disowns.ends_at(tx, phones[0]),
    )
