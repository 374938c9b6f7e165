"""Threads beside the loop: what they do may wait for Twilio, and no text must wait for it."""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from bot.store.tx import StoreUnavailable

REPEATED_EVERY_SECONDS = 1.0

log = logging.getLogger(__name__)


class Background(ABC):
    """A thread is started by `start` alone, and ended by `stop`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def refuse_more(self) -> None:
        self._is_over.set()

    def stop(self, *, within_seconds: float) -> None:
        self.refuse_more()
        if self._thread is not None:  # it may wait for Twilio, and nothing is lost with it
            self._thread.join(within_seconds)

    @abstractmethod
    def _run(self) -> None:
        """Returns soon after `_is_over` is set."""


class Repeated(Background):
    """Duties done again each second. What waits for Twilio has a thread each, so that none waits
    behind another."""

    def __init__(self, name: str, duties: Sequence[Callable[[], object]]) -> None:
        super().__init__(name)
        self._duties = duties

    def _run(self) -> None:
        while not self._is_over.wait(REPEATED_EVERY_SECONDS):
            for duty in self._duties:
                try:
                    duty()
                except StoreUnavailable as error:
                    log.warning("a duty in the background waits for the database: %s", error)
                except Exception:
                    log.exception("a duty in the background failed; going on")
