"""Follows the table `usage`: each process reads each row once, for all that count it.

Rate limits and circuit breaker keep sums in memory and lag a little. No start counts a day of rows,
and no counter is shared: a row that every start updates cost PostgreSQL two thirds of its rate.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from bot.concurrency.blocking import in_turns
from bot.store import usage
from bot.store.rows import ROWS_AT_ONCE
from bot.store.tx import Store, Tx
from bot.store.usage import Usage

READ_AT_ONCE = 5000
PATIENCE_SECONDS = 0.5


class UsageFollower:
    def __init__(
        self, store: Store, *, longest: timedelta, counters: Sequence[Callable[[Usage], None]]
    ) -> None:
        """`longest`: how far back any of the counters looks."""
        self._store = store
        self._longest = longest
        self._counters = counters
        self._read_to: int | None = None  # number of the last row counted
        self._is_whole = False  # all that was there at the beginning is counted
        self.lock = threading.Lock()

    def refresh(self) -> bool:
        """Counts what has come since the last time, here or elsewhere. If another thread is still
        at it after half a second, skip: these sums may lag, and threads must not queue up.

        False: what was there before this process has not been counted once, so that no limit can
        be kept.
        """
        if not self.lock.acquire(timeout=PATIENCE_SECONDS):
            return self._is_whole
        try:
            while self._store.read(self._read) > READ_AT_ONCE // 2:
                pass
            self._is_whole = True
        finally:
            self.lock.release()
        return True

    def _read(self, tx: Tx) -> int:
        since = tx.now - self._longest
        if self._read_to is None:
            self._read_to = usage.first_since(tx, since)
        rows = usage.after(tx, self._read_to, since=since, limit=READ_AT_ONCE)
        for row in in_turns(rows, at_once=ROWS_AT_ONCE):
            self._read_to = row.number
            for count in self._counters:
                count(row)
        return len(rows)
