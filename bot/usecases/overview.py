"""The console's overview: pending verifications, and what happened lately in counts."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from bot.domain.events import EventName
from bot.domain.verification import ENDS, Status
from bot.store import hourly_counts, verification_list
from bot.store.hourly_counts import HourlyCount
from bot.store.rows import to_text
from bot.store.tx import Tx
from bot.usecases import read
from bot.usecases.read import VerificationView

PENDING_SHOWN = 50
COUNTRIES_SHOWN = 8
OTHERS = "others"

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Period(StrEnum):
    TODAY = "today"  # since midnight, UTC
    LAST_24_HOURS = "24h"
    LAST_7_DAYS = "7d"  # today and six days before it
    LAST_30_DAYS = "30d"


_LENGTHS = {
    Period.TODAY: (24, HOUR),
    Period.LAST_24_HOURS: (24, HOUR),
    Period.LAST_7_DAYS: (7, DAY),
    Period.LAST_30_DAYS: (30, DAY),
}


@dataclass(frozen=True, slots=True)
class Slice:
    """An hour, a day, a country, or the whole period."""

    name: str
    counts: dict[EventName, int]  # started, texts sent again, and each status
    median_seconds: int | None  # from accepted to the right answer
    slow_seconds: int | None  # the 95th percentile of it

    @property
    def started(self) -> int:
        return self.counts[EventName.STARTED]

    @property
    def approved(self) -> int:
        return self.counts[EventName.APPROVED]

    @property
    def approval_rate(self) -> float | None:
        """The share of approvals among those that ended and were not canceled: a new start cancels
        one."""
        judged = (status for status in ENDS if status is not Status.CANCELED)
        ended = sum(self.counts[EventName(status.value)] for status in judged)
        return self.approved / ended if ended else None

    @property
    def texts_per_approval(self) -> float | None:
        texts = self.started + self.counts[EventName.RESEND_ASKED]
        return texts / self.approved if self.approved else None


@dataclass(frozen=True, slots=True)
class Overview:
    """Starts and ends each count at their own time. All times are UTC."""

    period: Period
    since: datetime
    step: timedelta  # an hour or a day
    whole: Slice
    steps: list[Slice]  # named as 2026-01-31T09, or 2026-01-31
    countries: list[Slice]  # the busiest, and OTHERS for the rest
    errors: list[tuple[int, int]]  # Twilio's codes that ended some, the most frequent first


def pending(tx: Tx) -> list[VerificationView]:
    """The ones that end next."""
    return read.of_many(tx, verification_list.pending(tx, limit=PENDING_SHOWN))


def overview(tx: Tx, period: Period) -> Overview:
    count, step = _LENGTHS[period]
    first = _first(tx.now, period)
    daily = step == DAY
    names = [to_text(first + number * step)[: 10 if daily else 13] for number in range(count)]
    rows = hourly_counts.since(tx, first, by=("hour", "country", "event"), daily=daily)
    approvals_by = partial(hourly_counts.since, tx, first, daily=daily, only=EventName.APPROVED)
    by_hour = approvals_by(by=("hour", "seconds"))
    by_country = approvals_by(by=("country", "seconds"))
    countries = _slices(rows, by_country, "country")
    ranked = sorted(countries.values(), key=lambda country: -country.started)
    steps = _slices(rows, by_hour, "hour")
    return Overview(
        period=period,
        since=first,
        step=step,
        whole=_slice("", rows, by_country),
        steps=[steps.get(name) or _slice(name, [], []) for name in names],
        countries=_with_others(ranked, rows, by_country),
        errors=verification_list.errors_since(tx, first),
    )


def _first(now: datetime, period: Period) -> datetime:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.TODAY:
        return midnight
    count, step = _LENGTHS[period]
    newest = midnight if step == DAY else now.replace(minute=0, second=0, microsecond=0)
    return newest - (count - 1) * step


def _with_others(
    ranked: list[Slice], rows: list[HourlyCount], times: list[HourlyCount]
) -> list[Slice]:
    """The shown slices, and the rest as one: together they are the whole."""
    shown, rest = ranked[:COUNTRIES_SHOWN], {one.name for one in ranked[COUNTRIES_SHOWN:]}
    if not rest:
        return shown
    others = _slice(
        OTHERS,
        [one for one in rows if one.country in rest],
        [one for one in times if one.country in rest],
    )
    return [*shown, others]


def _slices(found: list[HourlyCount], times: list[HourlyCount], by: str) -> dict[str, Slice]:
    counts, seconds = _grouped(found, by), _grouped(times, by)
    return {name: _slice(name, counts[name], seconds[name]) for name in counts}


def _grouped(found: Iterable[HourlyCount], by: str) -> dict[str, list[HourlyCount]]:
    groups: dict[str, list[HourlyCount]] = defaultdict(list)
    for counted in found:
        groups[getattr(counted, by)].append(counted)
    return groups


def _slice(name: str, found: Iterable[HourlyCount], times: Iterable[HourlyCount]) -> Slice:
    """`times`: its approvals, with the seconds they took."""
    sums: Counter[EventName] = Counter()
    for counted in found:
        sums[counted.event] += counted.count
    answered: Counter[int] = Counter()
    for counted in times:
        if counted.seconds >= 0:
            answered[counted.seconds] += counted.count
    return Slice(
        name,
        {event: sums[event] for event in hourly_counts.EVENTS},
        _percentile(answered, 50),
        _percentile(answered, 95),
    )


def _percentile(times: Counter[int], percent: int) -> int | None:
    """The smallest time, in seconds, that this percentage of the times does not exceed."""
    place = -(-times.total() * percent // 100)
    for seconds in sorted(times):
        place -= times[seconds]
        if place <= 0:
            return seconds
    return None
