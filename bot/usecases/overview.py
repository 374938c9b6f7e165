"""What an operator sees at a glance: what is pending, and today in figures."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.verification import Status
from bot.store import figures, verifications
from bot.store.figures import Figure
from bot.store.tx import Tx, to_text
from bot.usecases import read
from bot.usecases.read import Standing

STARTED = "started"
PENDING_SHOWN = 50
COUNTRIES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Today:
    """Since midnight, UTC. What was started counts in the hour of its start, an end in its own."""

    counts: dict[str, int]  # started, and each status
    median_seconds: int | None  # from accepted to the right answer
    hours: list[tuple[str, int, int]]  # 00 to 23, starts, approvals
    countries: list[tuple[str, int, int]]  # the busiest, starts, approvals
    errors: list[tuple[int, int]]  # Twilio's codes that ended some, the most frequent first


def pending(tx: Tx) -> list[Standing]:
    """The ones that end next."""
    return read.of_many(tx, verifications.open_ones(tx, limit=PENDING_SHOWN))


def today(tx: Tx) -> Today:
    midnight = tx.now.replace(hour=0, minute=0, second=0, microsecond=0)
    found = figures.since(tx, midnight)
    return Today(
        counts=_sums(found, [STARTED, *(s.value for s in Status if s is not Status.PENDING)]),
        median_seconds=_median(found),
        hours=_hours(found, midnight),
        countries=_countries(found),
        errors=verifications.errors_since(tx, midnight),
    )


def _sums(found: Iterable[Figure], events: Iterable[str]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for figure in found:
        sums[figure.event] += figure.count
    return {event: sums[event] for event in events}


def _median(found: Iterable[Figure]) -> int | None:
    """Of the times to answer, counted by the second: the one in the middle."""
    times: Counter[int] = Counter()
    for figure in found:
        if figure.event == Status.APPROVED and figure.seconds >= 0:
            times[figure.seconds] += figure.count
    middle = (times.total() + 1) // 2
    for seconds in sorted(times):
        middle -= times[seconds]
        if middle <= 0:
            return seconds
    return None


def _hours(found: Iterable[Figure], midnight: datetime) -> list[tuple[str, int, int]]:
    sums: Counter[tuple[str, str]] = Counter()
    for figure in found:
        sums[figure.hour, figure.event] += figure.count
    hours = [to_text(midnight + timedelta(hours=number))[:13] for number in range(24)]
    return [(h[-2:], sums[h, STARTED], sums[h, Status.APPROVED.value]) for h in hours]


def _countries(found: Iterable[Figure]) -> list[tuple[str, int, int]]:
    sums: dict[str, Counter[str]] = {}
    for figure in found:
        sums.setdefault(figure.country, Counter())[figure.event] += figure.count
    rows = [(name, c[STARTED], c[Status.APPROVED.value]) for name, c in sums.items()]
    return sorted(rows, key=lambda row: -row[1])[:COUNTRIES_SHOWN]
