"""The current instant, whatever a clock was set to meanwhile.

`now` never runs backwards, or a history would be out of order. It never stands still, or windows
would not close and limits would not recover. While the clock is behind the newest decision, `now`
continues from that decision by the monotonic clock. So a clock that was a day ahead leaves stored
time a day ahead; deadlines and limits still hold, since they are differences.

While `now` is ahead of the clock by up to five seconds, it runs at half speed until the clock has
caught up: NTP sets clocks back by less than that, and this host's monotonic clock drifts against a
database server's. A greater lead is reported to the operator.
"""

import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

# A greater lead is reported to the operator; a smaller one is reduced.
TOLERATED = timedelta(seconds=5)
# While `now` is ahead of the clock, it does not include time in which no process ran. Searches of
# Twilio's list by age therefore go back this much further. A longer stop is not covered.
UNCOUNTED = timedelta(hours=1)
# If the clock gains this much on the monotonic one, it was set forward or the host slept.
JUMP = timedelta(hours=1)
# A gain of this much counts as set forward too: NTP sets clocks by seconds, which shortens waits of
# seconds.
STEP = timedelta(seconds=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SteadyClock:
    """Safe for many threads. `monotonic`: seconds that only grow."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic
        self._lock = threading.Lock()
        self.latest = _EPOCH  # the current instant, when it was read last
        self._last_at = self._began_at = monotonic()
        self.ahead = timedelta(0)  # of the clock, when it was read last
        self.jumps = 0  # how often the clock was found to have jumped forward
        self.steps = 0  # how often stored time went forward at once by more than STEP
        self._stepped_at = -math.inf

    @property
    def since_step(self) -> timedelta:
        """The time since stored time was seen to be set forward. A wait of at most this length was
        not shortened by such a step, unless that came before this process started."""
        seconds = self.monotonic() - self._stepped_at
        return timedelta.max if math.isinf(seconds) else timedelta(seconds=seconds)

    @property
    def since_step_or_start(self) -> timedelta:
        """Like `since_step`, but at most the time since this process started, because earlier steps
        are not known."""
        return min(self.since_step, timedelta(seconds=self.monotonic() - self._began_at))

    @property
    def uncounted(self) -> timedelta:
        """How much time may not have been counted before this process started."""
        return UNCOUNTED if self.ahead > TOLERATED else timedelta(0)

    def read(self, clock: datetime, newest: datetime | None) -> datetime:
        """The current instant. `clock`: what the clock says, read before this; `newest`: the
        newest instant that was decided upon by any process."""
        with self._lock:
            at = self.monotonic()
            elapsed = timedelta(seconds=max(0.0, at - self._last_at))
            at_full_speed = self.latest + elapsed
            if timedelta(0) < self.ahead <= TOLERATED:
                elapsed /= 2
            continued = self.latest + elapsed
            now = max(clock, continued, newest or clock)
            if self.latest != _EPOCH:
                self.jumps += clock - continued > JUMP
                if now - at_full_speed > STEP:  # of this clock, or of another process's
                    self._stepped_at = at
                    self.steps += 1
            self.latest, self._last_at = now, at
            self.ahead = now - clock
            return now


def monotonic_of(clock: Callable[[], datetime] | None) -> Callable[[], float]:
    """This host's monotonic clock; beside a clock that replaces the host's, one derived from it."""
    return SteppedMonotonic(clock) if clock else time.monotonic


class SteppedMonotonic:
    """A monotonic clock derived from one that may be set, for a clock that is not this host's:
    ignores steps back."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._seen = clock()
        self._seconds = 0.0

    def __call__(self) -> float:
        seen = self._clock()
        self._seconds += max(0.0, (seen - self._seen).total_seconds())
        self._seen = seen
        return self._seconds
