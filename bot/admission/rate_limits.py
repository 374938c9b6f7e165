"""Rate limits on starts: per country, per key, and in all.

They bound a bill, not a guess, so they may lag: sums by the minute, kept in memory and brought up
to date before each start from the rows that are new, whichever process wrote them
(`usage_follower.py`).
"""

import threading
from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.effects import UsageKind
from bot.domain.errors import LimitReached
from bot.domain.limits import Limit, LimitName
from bot.store.usage import Usage

MINUTE = timedelta(minutes=1)

COUNTRY, KEY, TOTAL = "country", "key", "total"
_KINDS = {LimitName.PER_COUNTRY: COUNTRY, LimitName.PER_KEY: KEY, LimitName.TOTAL: TOTAL}


class _Window:
    """The starts of one limit's window: counts by minute, and sums per country, key or whole."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.kind = _KINDS[limit.name]
        self._minutes: deque[tuple[datetime, Counter[str]]] = deque()
        self._sums: Counter[str] = Counter()

    def add(self, name: str, at: datetime) -> None:
        minute = at.replace(second=0, microsecond=0)
        if not self._minutes or self._minutes[-1][0] < minute:
            self._minutes.append((minute, Counter()))
        self._minutes[-1][1][name] += 1
        self._sums[name] += 1

    def is_full(self, name: str, now: datetime) -> bool:
        self._forget(now)
        return self._sums[name] >= self.limit.amount

    def retry_after_seconds(self, now: datetime) -> int:
        """Until the oldest minute falls out."""
        falls_out = self._minutes[0][0] + MINUTE + self.limit.window
        return max(1, round((falls_out - now).total_seconds()))

    def fullest(self, now: datetime) -> tuple[str, int]:
        """The name with the most starts, and how many."""
        self._forget(now)
        return max(self._sums.items(), key=lambda pair: pair[1], default=("", 0))

    def _forget(self, now: datetime) -> None:
        while self._minutes and (self._minutes[0][0] + MINUTE + self.limit.window <= now):
            self._sums.subtract(self._minutes.popleft()[1])


class RateLimits:
    def __init__(self, limits: Sequence[Limit]) -> None:
        self._windows = [_Window(limit) for limit in limits]
        self.longest = max((limit.window for limit in limits), default=timedelta(0)) + MINUTE
        self._lock = threading.Lock()

    def count(self, row: Usage) -> None:
        if row.kind not in (UsageKind.START, UsageKind.PROBE):
            return
        names = {COUNTRY: row.country, KEY: row.started_by, TOTAL: ""}
        with self._lock:
            for window in self._windows:
                window.add(names[window.kind], row.at)

    def admit(self, *, country: str, started_by: str, now: datetime) -> None:
        """Raises LimitReached."""
        names = {COUNTRY: country, KEY: started_by, TOTAL: ""}
        with self._lock:
            full = [w for w in self._windows if w.is_full(names[w.kind], now)]
            if full:
                window = max(full, key=lambda w: w.retry_after_seconds(now))
                raise LimitReached(window.limit, window.retry_after_seconds(now))

    def fullest(self, now: datetime) -> list[tuple[Limit, str, int]]:
        """For each limit: the country, key or whole that is fullest now, and how full it is."""
        with self._lock:
            return [(window.limit, *window.fullest(now)) for window in self._windows]
