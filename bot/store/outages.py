"""Times when the store was out of reach, so that what was missed meanwhile is caught up with.

A webhook that met one was answered 503, and Twilio may have given up repeating it. So whoever lets
time pass for verifications reads Twilio's list first.
"""

import threading
import time

# Shorter ones lose nothing: the webhook is still answered within its four seconds.
NOTED_SECONDS = 2.0


class Outages:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began: float | None = None
        self.ended = 0  # how many there were; whoever has seen fewer has something to catch up with

    def failed(self, *, waited_seconds: float) -> None:
        """The store was waited for in vain."""
        with self._lock:
            began = time.monotonic() - waited_seconds
            self._began = began if self._began is None else min(began, self._began)

    def reached(self, *, waited_seconds: float = 0.0) -> None:
        """It was reached, after such a wait."""
        if self._began is None and waited_seconds < NOTED_SECONDS:
            return
        with self._lock:
            now = time.monotonic()
            began = now - waited_seconds if self._began is None else self._began
            self._began = None
            if now - began >= NOTED_SECONDS:
                self.ended += 1
