"""The heartbeat of this process, and whether it has run without a halt."""

import logging
import secrets
import time
from collections.abc import Callable
from datetime import timedelta

from bot.concurrency.background import Background
from bot.store.tx import Store, StoreUnavailable
from bot.usecases import heartbeat

TICK_SECONDS = 0.1
# Without a tick for so long the process was halted. What reached it may not even be read yet.
HALTED_SECONDS = 1.0

log = logging.getLogger(__name__)


class Heart(Background):
    """Beats while the catch-up reads, too: a process that reads is not silent."""

    def __init__(
        self,
        store: Store,
        has_read_all: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("heartbeat")
        self._store = store
        self._has_read_all = has_read_all
        self._monotonic = monotonic
        self._ticked_at: float | None = None  # None: no thread ticks
        self._is_told = False
        self.process = secrets.token_hex(8)
        self.silent = 0  # other processes that a verification which is due waits for

    @property
    def is_halted(self) -> bool:
        """The process goes on after a halt that its thread has not noticed yet."""
        ticked_at = self._ticked_at
        return ticked_at is not None and self._monotonic() - ticked_at > HALTED_SECONDS

    def beat(self) -> None:
        """Raises StoreUnavailable."""
        found = self._store.write(heartbeat.beat, self.process, lag=self._lag)
        self.silent = found.silent

    def probe(self) -> None:
        """Ends an open outage, if no other write has. Raises StoreUnavailable."""
        if self._store.outages.is_open:
            self._store.check_writable()

    def _lag(self) -> timedelta | None:
        return self._store.oldest_write if self._has_read_all() else None

    def _run(self) -> None:
        beat_at = self._ticked_at = self._monotonic()
        while not self._is_over.wait(TICK_SECONDS):
            self._tick()
            if self._monotonic() >= beat_at:
                beat_at = self._monotonic() + heartbeat.EVERY_SECONDS
                self._try_to_beat()
        self._ticked_at = None

    def _tick(self) -> None:
        if self.is_halted:
            log.warning("the process was halted; texts that it may have missed are read")
            self._store.outages.halted()  # before the tick, which says that it runs
        self._ticked_at = self._monotonic()

    def _try_to_beat(self) -> None:
        try:
            self.probe()
            self.beat()
            self._is_told = False
        except StoreUnavailable as error:
            if not self._is_told:
                log.warning("the heartbeat waits for the database: %s", error)
            self._is_told = True
        except Exception:
            log.exception("the heartbeat failed; going on")
