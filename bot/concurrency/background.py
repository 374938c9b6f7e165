"""Threads beside the dispatcher's loop. They may wait for Twilio without delaying texts."""

import threading
from abc import ABC, abstractmethod


class Background(ABC):
    """Only `start` starts the thread. `stop` ends it."""

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
        if self._thread is not None:  # it may be waiting for Twilio; abandoning it loses nothing
            self._thread.join(within_seconds)

    @abstractmethod
    def _run(self) -> None:
        """Returns soon after `_is_over` is set."""
