"""The console's overview: pending verifications, and today in counts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.events import EventName
from bot.domain.verification import ENDS
from bot.store import hourly_counts, verification_list
from bot.store.hourly_counts import HourlyCount
from bot.store.rows import to_text
from bot.store.tx import Tx
from bot.usecases import read
from bot.usecases.read import VerificationView

EVENTS = (EventName.STARTED, *(EventName(status.value) for status in ENDS))
PENDING_SHOWN = 50
COUNTRIES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Slice:
    """An hour, a country, or the whole day."""

    name: str
    counts: dict[EventName, int]  # started, and each status
    median_seconds: int | None  # from accepted to the right answer

    @property
    def started(self) -> int:
        return self.counts[EventName.STARTED]

    @property
    def approved(self) -> int:
        return self.counts[EventName.APPROVED]


@dataclass(frozen=True, slots=True)
class Today:
    """Since midnight, UTC. What was started counts in the hour of its start, an end in its own."""

    whole: Slice
    hours: list[Slice]  # 00 to 23
    countries: list[Slice]  # the busiest
    errors: list[tuple[int, int]]  # Twilio's codes that ended some, the most frequent first


def pending(tx: Tx) -> list[VerificationView]:
    """The ones that end next."""
    return read.of_many(tx, verification_list.open_ones(tx, limit=PENDING_SHOWN))


def today(tx: Tx) -> Today:
    midnight = tx.now.replace(hour=0, minute=0, second=0, microsecond=0)
    found = hourly_counts.since(tx, midnight)
    by_hour, by_country = _grouped(found, "hour"), _grouped(found, "country")
    hours = [to_text(midnight + timedelta(hours=number))[:13] for number in range(24)]
    countries = [_slice(name, group) for name, group in by_country.items()]
    return Today(
        whole=_slice("", found),
        hours=[_slice(hour[-2:], by_hour.get(hour, [])) for hour in hours],
        countries=sorted(countries, key=lambda found: -found.started)[:COUNTRIES_SHOWN],
        errors=verification_list.errors_since(tx, midnight),
    )


def _grouped(found: Iterable[HourlyCount], by: str) -> dict[str, list[HourlyCount]]:
    groups: dict[str, list[HourlyCount]] = {}
    for counted in found:
        groups.setdefault(getattr(counted, by), []).append(counted)
    return groups


def _slice(name: str, found: Sequence[HourlyCount]) -> Slice:
    sums: Counter[EventName] = Counter()
    for counted in found:
        sums[counted.event] += counted.count
    return Slice(name, {event: sums[event] for event in EVENTS}, _median(found))


def _median(found: Iterable[HourlyCount]) -> int | None:
    """The median of the times to answer, which are counted by the second."""
    times: Counter[int] = Counter()
    for counted in found:
        if counted.event is EventName.APPROVED and counted.seconds >= 0:
            times[counted.seconds] += counted.count
    middle = (times.total() + 1) // 2
    for seconds in sorted(times):
        middle -= times[seconds]
        if middle <= 0:
            return seconds
    return None
