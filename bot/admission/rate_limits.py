"""Rate limits on starts: per country, per key, and in all.

They bound costs, not guesses, so they may lag a little. Each process keeps sums in memory, by the
minute or, for windows of less than an hour, by a sixtieth of the window. Before each start it adds
the new rows of all processes (`usage_follower.py`), and its transaction counts those since: of a
thousand starts at once, on SQLite no more pass than the limit has room for. On PostgreSQL
transactions under way do not see each other.
"""

import threading
from collections import Counter, deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.domain.effects import UsageKind
from bot.domain.errors import retry_after
from bot.domain.limits import Limit, LimitName
from bot.store.rows import to_text
from bot.store.usage import Usage

MINUTE = timedelta(minutes=1)
SLOTS = 60  # in a window of an hour or less: it ends late by one of them at most

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Window:
    """The starts of one limit's window: counts by slots of time, and sums per country, key or
    whole."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._slot = min(MINUTE, limit.window / SLOTS)
        self._slots: deque[tuple[datetime, Counter[str]]] = deque()  # with the time of their end
        self._sums: Counter[str] = Counter()

    def add(self, name: str, at: datetime) -> None:
        end = at - (at - _EPOCH) % self._slot + self._slot
        if not self._slots or self._slots[-1][0] < end:
            self._slots.append((end, Counter()))
        self._slots[-1][1][name] += 1
        self._sums[name] += 1

    def is_full(self, name: str, now: datetime, ahead: int) -> bool:
        """`ahead`: starts that are not in the sums yet."""
        self._forget(now)
        return self._sums[name] + ahead >= self.limit.amount

    def retry_after_seconds(self, name: str, now: datetime, ahead: int) -> int:
        """Returns the seconds until enough starts of a full country or key have left the window for
        one more."""
        left = self._sums[name] + ahead
        for end, counts in self._slots:
            left -= counts[name]
            if left < self.limit.amount:
                return retry_after(end + self.limit.window - now)
        return retry_after(self.limit.window)

    def fullest(self, now: datetime) -> tuple[str, int]:
        """The name with the most starts, and how many."""
        self._forget(now)
        return max(self._sums.items(), key=lambda pair: pair[1], default=("", 0))

    def _forget(self, now: datetime) -> None:
        while self._slots and self._slots[0][0] + self.limit.window <= now:
            self._sums.subtract(self._slots.popleft()[1])


class RateLimits:
    def __init__(self, limits: Sequence[Limit]) -> None:
        self._windows = [_Window(limit) for limit in limits]
        self.longest = max((limit.window for limit in limits), default=timedelta(0)) + MINUTE
        self._lock = threading.Lock()

    def count(self, row: Usage) -> None:
        if row.kind not in (UsageKind.START, UsageKind.PROBE):
            return
        counted_by = _counted_by(row.country, row.started_by)
        with self._lock:
            for window in self._windows:
                window.add(counted_by[window.limit.name], row.at)

    def hit(
        self,
        *,
        country: str,
        started_by: str,
        now: datetime,
        ahead: Sequence[tuple[str, str, str, int]] = (),
    ) -> tuple[Limit, int] | None:
        """The limit that is reached, with the seconds until it has room again. If several are
        reached, the one that takes longest. `ahead`: country, caller, newest instant as text,
        and count of starts that are not counted yet."""
        counted_by = _counted_by(country, started_by)
        others = [(_counted_by(of, caller), at, count) for of, caller, at, count in ahead]
        waits: list[tuple[Limit, int]] = []
        with self._lock:
            for window in self._windows:
                limit = window.limit
                name, since = counted_by[limit.name], to_text(now - limit.window)
                added = sum(
                    count for names, at, count in others if names[limit.name] == name and at > since
                )
                if window.is_full(name, now, added):
                    waits.append((limit, window.retry_after_seconds(name, now, added)))
        return max(waits, key=lambda pair: pair[1], default=None)

    def fullest(self, now: datetime) -> list[tuple[Limit, str, int]]:
        """Returns, for each limit, the country, key or total with the most starts now, and their
        number."""
        with self._lock:
            return [(window.limit, *window.fullest(now)) for window in self._windows]


def _counted_by(country: str, started_by: str) -> dict[LimitName, str]:
    """What each limit counts a start under: its country, its key, or nothing."""
    return {
        LimitName.PER_COUNTRY: country,
        LimitName.PER_KEY: started_by,
        LimitName.TOTAL: "",
    }
