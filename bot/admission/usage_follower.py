"""Follows the table `usage`: each process reads each row once, for all that count it.

The rate limits and the circuit breaker keep sums in memory, which may lag a little. So a start
need not count a day's rows, and processes share no counter row: when every start updated one,
PostgreSQL handled only a third as many starts.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from bot.concurrency.blocking import yield_turn, yielding
from bot.store import usage
from bot.store.rows import ROWS_AT_ONCE
from bot.store.tx import Store, Tx
from bot.store.usage import Usage

READ_AT_ONCE = 5000
LOCK_TIMEOUT_SECONDS = 0.5


class UsageFollower:
    def __init__(
        self, store: Store, *, longest: timedelta, counters: Sequence[Callable[[Usage], None]]
    ) -> None:
        """`longest`: how far back any of the counters looks."""
        self._store = store
        self._longest = longest
        self._counters = counters
        self._read_to: int | None = None  # number of the last row counted
        self._is_whole = False  # every row that existed when this process started is counted
        self.lock = threading.Lock()
        self._begun = 0  # reads of the table
        self._ended = 0  # the number of the last one that succeeded

    def refresh(self) -> bool:
        """Counts the rows that any process has added since the last call. Calls at the same moment
        share one read, which begins after each of them: a read costs a tenth of a start. If another
        thread is still refreshing after half a second, this call skips: the sums may lag, and
        threads must not queue up.

        Returns False while the rows from before this process started are not counted yet, so that
        no limit can be enforced.
        """
        begun = self._begun
        if not self.lock.acquire(timeout=LOCK_TIMEOUT_SECONDS):
            return self._is_whole
        try:
            if self._ended > begun:
                return True
            yield_turn()
            self._begun += 1
            while self._store.read(self._read) > READ_AT_ONCE // 2:
                pass
            self._is_whole, self._ended = True, self._begun
        finally:
            self.lock.release()
        return True

    def starts_ahead(self, tx: Tx) -> list[tuple[str, str, str, int]]:
        """Country, caller, newest instant as text, and count of the starts that are not counted
        yet: those before this one in its commit, and those committed since the last read."""
        return [] if self._read_to is None else usage.starts_after(tx, self._read_to)

    def _read(self, tx: Tx) -> int:
        since = tx.now - self._longest
        if self._read_to is None:
            self._read_to = usage.first_since(tx, since)
        rows = usage.after(tx, self._read_to, since=since, limit=READ_AT_ONCE)
        for row in yielding(rows, every=ROWS_AT_ONCE):
            self._read_to = row.number
            for count in self._counters:
                count(row)
        return len(rows)
