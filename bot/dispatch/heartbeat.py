"""The heartbeat of this process, and whether it has run without a halt."""

import logging
import secrets
import time
from collections.abc import Callable
from datetime import timedelta

from bot.concurrency.background import Background
from bot.store.outages import Outages
from bot.store.tx import Store, StoreUnavailable
from bot.usecases import heartbeat

TICK_SECONDS = 0.1
# Without a tick for so long, the process was halted, and requests that reached it may be unread.
HALTED_SECONDS = 1.0

log = logging.getLogger(__name__)


class Ticker(Background):
    """Notices that the process was halted: a thread that does nothing else was late."""

    def __init__(self, outages: Outages, monotonic: Callable[[], float]) -> None:
        super().__init__("ticker")
        self._outages = outages
        self._monotonic = monotonic
        self._ticked_at: float | None = None  # None: no thread ticks

    @property
    def is_late(self) -> bool:
        """Whether the process was halted and its ticker has not recorded that yet."""
        ticked_at = self._ticked_at
        return ticked_at is not None and self._monotonic() - ticked_at > HALTED_SECONDS

    def _run(self) -> None:
        self._ticked_at = self._monotonic()
        while not self._is_over.wait(TICK_SECONDS):
            if self.is_late:
                log.warning("the process was halted; texts that it may have missed are read")
                self._outages.interrupted()  # record the halt before the tick hides it
            self._ticked_at = self._monotonic()
        self._ticked_at = None


class HeartbeatWriter(Background):
    """Writes the heartbeat of this process, also while missed texts are being read."""

    def __init__(self, store: Store, has_judged_all: Callable[[], bool], *, serves: bool) -> None:
        """`has_judged_all`: whether this process has judged all that reached it. `serves`: whether
        replies reach it at all."""
        super().__init__("heartbeat")
        self._store = store
        self._has_judged_all = has_judged_all
        self._serves = serves
        self._is_logged = False
        self._beaten_at = float("-inf")  # by time.monotonic()
        self.process = secrets.token_hex(8)
        self.silent = 0  # number of silent processes that a due verification waits for

    def beat(self) -> None:
        """Writes the heartbeat, which also ends an open outage if no other write has. Raises
        StoreUnavailable."""
        is_idle_due = time.monotonic() - self._beaten_at >= heartbeat.IDLE_SECONDS
        self.silent = self._store.write(
            heartbeat.beat,
            self.process,
            serves=self._serves,
            is_idle_due=is_idle_due,
            lag=self._lag,
        )
        if is_idle_due:
            self._beaten_at = time.monotonic()
        if self._store.outages.is_open:  # nothing was pending, and nothing written
            self._store.check_writable()

    def leave(self) -> None:
        """Raises StoreUnavailable."""
        if self._serves:
            self._store.write(heartbeat.leave, self.process)

    def _lag(self) -> timedelta | None:
        return self._store.oldest_write if self._has_judged_all() else None

    def _run(self) -> None:
        while not self._is_over.wait(heartbeat.EVERY_SECONDS):
            self.try_to_beat()

    def try_to_beat(self) -> None:
        """Logs the first failure of several in a row."""
        try:
            self.beat()
            self._is_logged = False
        except Exception as error:
            if not self._is_logged:
                is_away = isinstance(error, StoreUnavailable)
                log.warning("no heartbeat can be written: %s", error, exc_info=not is_away)
            self._is_logged = True
