"""The circuit breaker against SMS pumping: where texts bring no approvals, starts are refused.

Pumping means starting verifications of numbers that never answer, to earn a share of the fees for
the texts. The approval rate reveals it: most people who ask for a code send it back, pumped
numbers never do. An area is a prefix (the number without its last four digits) or a country. Its
circuit is open while almost none of an hour's texts led to an approval, if there were enough texts
to judge by. The hour ends where texts may still be answered. An open circuit refuses starts. The
fraud guards of Twilio and Vonage also look at volume and conversion.

Unanswered starts cannot lock a country out: numbers approved within thirty days pass, and one start
a minute goes through as a probe, so real people who answer close the circuit again. Probes do not
count as texts: only starts from before a circuit opened keep it open.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.effects import UsageKind
from bot.domain.errors import BreakerOpen
from bot.store import usage
from bot.store.tx import Tx
from bot.store.usage import Usage

HOUR = timedelta(hours=1)
PROBE_EVERY = timedelta(minutes=1)
KNOWN_FOR = timedelta(days=30)
# Areas that each counted row looks at in turn, to remove empty ones. A row adds two at most, so
# empty ones are found faster than new ones come, and no row pays for a look at all of them.
LOOKED_AT = 4

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A circuit opens at this many texts or more if at most this share of them was approved.

    The defaults open a circuit by mistake in fewer than one hour of a hundred even where only three
    in ten people answer: of 20 such texts at most one is approved with a chance of 0.8 % (binomial:
    0.7**20 + 20 * 0.3 * 0.7**19).
    """

    texts_per_prefix: int = 20
    texts_per_country: int = 50
    approved_percent: int = 5


@dataclass(frozen=True, slots=True)
class OpenArea:
    """A prefix or country whose circuit is open, with the texts and approvals that count."""

    name: str
    texts: int
    approvals: int


class _Area:
    """The texts and approvals of an hour in one prefix or country. Each instant is moved once and
    dropped once, so the cost of a check does not grow with the number of texts."""

    def __init__(self) -> None:
        self.fresh: deque[datetime] = deque()  # texts that may still be answered
        self.texts: deque[datetime] = deque()  # the others
        self.approvals: deque[datetime] = deque()
        self.last_probe: datetime | None = None

    @property
    def weight(self) -> int:
        """Texts of the hour, whether they may still be answered or not."""
        return len(self.fresh) + len(self.texts)

    def take_back(self, at: datetime) -> None:
        """Removes a text that was never sent from the count. It may remove another text of the
        same hour instead; that error disappears within the hour."""
        for instants in (self.fresh, self.texts):
            if instants and instants[0] <= at:
                instants.popleft()
                return

    def bring_to(self, now: datetime, *, answer_time: timedelta) -> None:
        while self.fresh and self.fresh[0] + answer_time <= now:
            self.texts.append(self.fresh.popleft())
        # The hour ends where texts may still be answered.
        for instants in (self.texts, self.approvals):
            while instants and instants[0] + HOUR + answer_time <= now:
                instants.popleft()

    @property
    def is_empty(self) -> bool:
        return not (self.fresh or self.texts or self.approvals)


class CircuitBreaker:
    def __init__(self, thresholds: Thresholds, *, answer_time: timedelta) -> None:
        """`answer_time`: a text younger than this may still be answered, so it does not count."""
        self._thresholds = thresholds
        self._answer_time = answer_time
        self.longest = HOUR + answer_time  # how far back it looks
        self._areas: dict[str, _Area] = {}
        self.busy: set[str] = set()  # areas with enough texts for an open circuit
        self._in_turn: deque[str] = deque()  # the names of all areas, the next to look at first
        self._probes: deque[str] = deque(maxlen=10_000)  # more than there can be in an hour
        self._newest: deque[tuple[str, int]] = deque(maxlen=100)  # probes, and which of their texts
        self._lock = threading.Lock()

    def count(self, row: Usage) -> None:
        """A text, an approval, or a text never sent, here or elsewhere (`usage_follower.py`)."""
        with self._lock:
            if row.kind is UsageKind.PROBE:
                if row.run_id not in self._probes:
                    self._probes.append(row.run_id)
                return
            if row.kind is UsageKind.UNSENT and row.run_id in self._probes:
                return  # the text of a probe was never counted
            for name in _areas(row.phone, row.country):
                self._count(name, row)
            self._drop_empty(row.at)

    def _count(self, name: str, row: Usage) -> None:
        area = self._areas.get(name)
        if area is None:
            area = self._areas[name] = _Area()
            self._in_turn.append(name)
        if row.kind is UsageKind.UNSENT:
            area.take_back(row.at)
            return
        (area.approvals if row.kind is UsageKind.APPROVAL else area.fresh).append(row.at)
        if area.weight >= self._enough(name):
            self.busy.add(name)

    def admit(self, tx: Tx, *, phone: str, country: str, run_id: str, send: int) -> bool:
        """Whether the start, or a further text of it (`send`: 2 and more), passes as a probe.
        Raises BreakerOpen."""
        with self._lock:
            open_areas = [name for name in _areas(phone, country) if self._is_open(name, tx.now)]
            if not open_areas or self._is_known(tx, phone):
                return False
            if (run_id, send) in self._newest:  # admitted before: its transaction is run again
                return True
            if all(self._may_probe(name, tx.now) for name in open_areas):
                for name in open_areas:
                    self._areas[name].last_probe = tx.now
                self._probes.append(run_id)
                self._newest.append((run_id, send))
                return True
        log.warning("starts in %s are refused: almost no text was answered", ", ".join(open_areas))
        raise BreakerOpen(
            "Almost no text to this prefix or country was answered in the last hour, so starts"
            " there are refused for a while.",
            retry_after_seconds=int(PROBE_EVERY.total_seconds()),
        )

    def open_areas(self, now: datetime) -> list[OpenArea]:
        """The areas whose circuit is open now."""
        with self._lock:
            names = sorted(name for name in self.busy if self._is_open(name, now))
            self.busy = {name for name in self.busy if self._is_busy(name)}
            areas = [(name, self._areas[name]) for name in names]
            return [OpenArea(name, len(area.texts), len(area.approvals)) for name, area in areas]

    @property
    def area_count(self) -> int:
        """Prefixes and countries in memory: those with texts or approvals in the last hour, and a
        few that are not removed yet."""
        return len(self._areas)

    def _is_open(self, name: str, now: datetime) -> bool:
        area = self._areas.get(name)
        if area is None:
            return False
        area.bring_to(now, answer_time=self._answer_time)
        texts = len(area.texts)
        percent = self._thresholds.approved_percent
        return texts >= self._enough(name) and len(area.approvals) * 100 <= texts * percent

    def _enough(self, name: str) -> int:
        """The smallest number of texts with which a circuit can open."""
        is_prefix = name.startswith("+")
        limits = self._thresholds
        return limits.texts_per_prefix if is_prefix else limits.texts_per_country

    def _is_busy(self, name: str) -> bool:
        return name in self._areas and self._areas[name].weight >= self._enough(name)

    def _may_probe(self, name: str, now: datetime) -> bool:
        last = self._areas[name].last_probe
        return last is None or last + PROBE_EVERY <= now

    def _is_known(self, tx: Tx, phone: str) -> bool:
        return usage.was_approved(tx, phone, since=tx.now - KNOWN_FOR)

    def _drop_empty(self, now: datetime) -> None:
        """Removes areas without texts and approvals in the last hour, since prefixes are many."""
        for _ in range(min(LOOKED_AT, len(self._in_turn))):
            name = self._in_turn.popleft()
            area = self._areas[name]
            area.bring_to(now, answer_time=self._answer_time)
            if area.is_empty:
                del self._areas[name]
            else:
                self._in_turn.append(name)


def _areas(phone: str, country: str) -> Iterator[str]:
    yield phone[:-4]
    yield country
