"""Times when the store was out of reach.

During an outage webhooks are answered 503, and Twilio may stop repeating them before it ends. So
after each outage Twilio's list is read, and no verification expires before that.
"""

import threading
import time
from collections.abc import Callable

# Shorter ones lose nothing: the webhook is still answered within its four seconds.
NOTED_SECONDS = 2.0


class Outages:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._began: float | None = None
        self.ended = 0  # how many there were

    @property
    def has_failed(self) -> bool:
        """A wait for the store has failed, and no write has succeeded since."""
        return self._began is not None

    @property
    def is_open(self) -> bool:
        """It has been out of reach for so long that replies may have been missed."""
        began = self._began
        return began is not None and self.clock() - began >= NOTED_SECONDS

    def failed(self, *, waited_seconds: float) -> None:
        """Notes that a wait for the store failed."""
        with self._lock:
            began = self.clock() - waited_seconds
            self._began = began if self._began is None else min(began, self._began)

    def reached(self, *, waited_seconds: float = 0.0) -> None:
        """Notes that the store was written to, or reached after a wait of this length."""
        if self._began is None and waited_seconds < NOTED_SECONDS:
            return
        with self._lock:
            now = self.clock()
            began = now - waited_seconds if self._began is None else self._began
            self._began = None
            if now - began >= NOTED_SECONDS:
                self.ended += 1
