"""Times when the store was out of reach.

During an outage webhooks are answered 503, and Twilio may stop repeating them before it ends. So
after each outage Twilio's list is read, and no verification expires before that.
"""

import threading
import time
from collections.abc import Callable

# A wait for the store that counts as an outage even if it ended well. No webhook is refused during
# a shorter one: a webhook waits for the store for four seconds, and Twilio waits for fifteen.
NOTED_SECONDS = 2.0
LONG_SECONDS = 5.0  # an outage this long begins a new wait for Twilio's list


class Outages:
    """Counts outages. A refused request may have been a reply, however short the outage was."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began = 0.0
        self.is_open = False  # a write was refused, and none has succeeded since
        self.ended = 0  # how many there were
        self.long_ended = 0  # how many of them were long

    def failed(self) -> None:
        """Notes that the store could not be used."""
        with self._lock:
            self._began = self._began if self.is_open else self._clock()
            self.is_open = True

    def interrupted(self) -> None:
        """Notes that replies waited or were refused: this process was halted, a write took too
        long, or the database refused one of them."""
        with self._lock:
            self.ended += 1

    def reached(self, *, waited_seconds: float = 0.0) -> None:
        """Notes that the store was written to, or reached after a wait of this length."""
        if not self.is_open and waited_seconds < NOTED_SECONDS:
            return
        with self._lock:
            was_long = self.is_open and self._clock() - self._began >= LONG_SECONDS
            self.is_open = False
            self.ended += 1
            self.long_ended += was_long
