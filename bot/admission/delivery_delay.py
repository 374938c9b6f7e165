"""How long a text waits before a carrier has it, so that a start can be refused in time.

Texts wait in the outbox and again at Twilio, which sends one segment a second from a long code. A
code that arrives after half of its window is too late. The delay at Twilio is taken from the
latest delivery reports; each process uses the few most recent reports that it received itself.
A report that waited for this process says nothing about Twilio. So reports are ignored if Twilio
accepted their text before this process started or before its last outage or halt ended.
"""

import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

LATEST = 5  # reports; their median is not moved by one straggler
FEWEST = 3  # of them; fewer say nothing
GOOD_FOR = timedelta(minutes=2)  # older reports do not describe the present


class DeliveryDelay:
    def __init__(self, disruptions: Callable[[], object] = lambda: None) -> None:
        """`disruptions` returns another value after each outage or halt."""
        self._disruptions = disruptions
        self._seen: object = self  # differs from every value that `disruptions` returns
        self._since = datetime.max.replace(tzinfo=UTC)  # texts accepted before this are ignored
        self._latest: deque[tuple[datetime, timedelta]] = deque(maxlen=LATEST)
        self._lock = threading.Lock()

    def note(self, delay: timedelta, *, now: datetime) -> None:
        """Records how long a text waited at Twilio before a carrier had it."""
        with self._lock:
            self._reset_after_disruption(now)
            if now - delay >= self._since:
                self._latest.append((now, delay))

    def delay_at_twilio(self, now: datetime) -> timedelta:
        with self._lock:
            self._reset_after_disruption(now)
            fresh = [(at, delay) for at, delay in self._latest if at + GOOD_FOR > now]
        if len(fresh) < FEWEST:
            return timedelta(0)
        # A queue of a second is gone after one. Each report shows that it is not: only the time
        # since the newest counts.
        idle = now - max(at for at, _ in fresh)
        delay = timedelta(seconds=median(delay.total_seconds() for _, delay in fresh))
        return max(timedelta(0), delay - idle)

    def _reset_after_disruption(self, now: datetime) -> None:
        """Checks at each use: a halt may be noticed only after the delayed reports are read."""
        if (disruptions := self._disruptions()) != self._seen:
            self._seen, self._since = disruptions, now
            self._latest.clear()
