"""How long a text waits before a carrier has it: the honest answer to whoever wants to start one.

Texts wait twice: in our outbox, and at Twilio, which sends one segment a second from a long code. A
code that arrives when half of its window is over is as good as dead, so starts are refused then.
Twilio's part is what its latest reports show; they come to this process, and it keeps a few.
"""

import threading
from collections import deque
from datetime import datetime, timedelta
from statistics import median

LATEST = 5  # reports; their median is not moved by one straggler
FEWEST = 3  # of them; fewer say nothing
GOOD_FOR = timedelta(minutes=2)  # what is older says nothing of now


class DeliveryDelay:
    def __init__(self) -> None:
        self._latest: deque[tuple[datetime, timedelta]] = deque(maxlen=LATEST)
        self._lock = threading.Lock()

    def note(self, delay: timedelta, *, now: datetime) -> None:
        """Twilio handed a text on, so long after it had accepted it."""
        with self._lock:
            self._latest.append((now, delay))

    def delay_at_twilio(self, now: datetime) -> timedelta:
        with self._lock:
            fresh = [d.total_seconds() for at, d in self._latest if at + GOOD_FOR > now]
        return timedelta(seconds=median(fresh) if len(fresh) >= FEWEST else 0.0)
