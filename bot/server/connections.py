"""All connections of one worker: how many there may be, and which is closed when there are more.

The connection that has waited longest is closed first; then the one that has been sending its head,
or else its body, for longer than any client needs; then one that sends requests before the last one
is answered; then the one that has been reading an answer for longest, if it is slow; then the
oldest whose request is not whole: those of honest clients are whole within milliseconds. Only then
is a new connection refused. Callers that wait for an outcome leave a tenth of all connections free.
The bytes of incomplete requests are bounded too: beyond the bound, the connection that has held
many bytes longest is closed.
"""

import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bot.http.networks import network
from bot.observability.cuts import Cut
from bot.server.connection import (
    BODY_SECONDS,
    HEAD_SECONDS,
    SLOW_BODY_SECONDS,
    SLOW_HEAD_SECONDS,
    SLOW_READ_SECONDS,
    Connection,
    State,
)

LOG_EVERY_SECONDS = 10.0
# Bytes of all requests together; a thousand honest clients that send at once stay below this.
# Memory use is two to three times as much.
BUFFERED_BYTES = 32 * 1024 * 1024
# A connection that holds less is not closed for it: 4,000 such connections stay below the bound.
LARGE_BYTES = 8 * 1024

# An honest client's request is whole within this time, unless its line is very slow. If no other
# connection can be spared, one that takes longer is closed.
HALF_SENT_SECONDS = 0.25
# Of all connections. Replies need some while callers wait for what they decide.
KEPT_FREE = 0.1

log = logging.getLogger(__name__)


class Connections:
    """All of one worker. Greenlets of one thread use it, so it needs no lock."""

    def __init__(
        self,
        *,
        most: int,
        of_one_address: int,
        keepalive: float,
        cut: Callable[[str], None],
        end_a_wait: Callable[[], None] = lambda: None,
    ) -> None:
        """`most`: the bound on all connections; `of_one_address`: the bound per address (0: none).
        `keepalive`: seconds that one may wait for its next request. `cut` counts each connection
        closed on its client, by reason. `end_a_wait` ends the longest wait for an outcome."""
        self._most = most
        self._of_one_address = of_one_address
        self._seconds = {
            State.HEAD: HEAD_SECONDS,
            State.BODY: BODY_SECONDS,
            State.WAITING: float(keepalive),
        }
        self._cut = cut
        self._end_a_wait = end_a_wait
        self._all: set[Connection] = set()
        self._by_address: Counter[str] = Counter()
        # Each in the order of entering the state, oldest first. A body that was being answered
        # and sends more goes behind those that came meanwhile.
        self._waiting: OrderedDict[Connection, None] = OrderedDict()
        self._heads: OrderedDict[Connection, None] = OrderedDict()
        self._pipelining: OrderedDict[Connection, None] = OrderedDict()  # in a head behind another
        self._bodies: OrderedDict[Connection, None] = OrderedDict()
        self._large: OrderedDict[Connection, None] = OrderedDict()
        # Since when, by the monotonic clock.
        self._writing: OrderedDict[Connection, float] = OrderedDict()
        self._buffered = 0  # bytes
        self._is_stopping = False
        self._unlogged: Counter[Cut] = Counter()
        self._logged_at: dict[Cut, float] = {}

    def seconds(self, state: State) -> float:
        return self._seconds[state]

    @contextmanager
    def admit(self, connection: Connection, address: Any) -> Iterator[bool]:
        """Yields whether the connection is served. It counts until the block is left."""
        name = network(address[0]) if isinstance(address, tuple) and address else ""
        if not self._has_room(name):
            yield False
            return
        self._all.add(connection)
        self._by_address[name] += 1
        self.entered(connection)
        self.keep_free()
        try:
            yield True
        finally:
            self._all.discard(connection)
            self._leave_queues(connection)
            self.forget_buffered(connection)
            self._by_address[name] -= 1
            if not self._by_address[name]:
                del self._by_address[name]

    def entered(self, connection: Connection) -> None:
        """Notes that a connection has come into another state."""
        self._leave_queues(connection)
        if connection.state is State.WAITING:
            self.forget_buffered(connection)
            self._waiting[connection] = None
        elif connection.state is State.HEAD:
            (self._pipelining if connection.is_pipelining else self._heads)[connection] = None
        else:
            self._bodies[connection] = None
        if self._is_stopping and connection.state is State.WAITING:
            connection.end()

    def keep_free(self) -> None:
        """Called once a second too: many may begin to wait after the last connection came. Those
        that wait for a request can be closed, as a caller's is once it is answered."""
        busy = len(self._all) - len(self._waiting)
        for _ in range(busy - int(self._most * (1 - KEPT_FREE))):
            self._end_a_wait()

    def received(self, connection: Connection, count: int) -> None:
        connection.buffered += count
        self._buffered += count
        if connection.state is State.BODY:
            self._bodies.setdefault(connection)
        if connection.buffered >= LARGE_BYTES:
            self._large[connection] = None
        if self._buffered > BUFFERED_BYTES:
            self._end_large()

    def forget_buffered(self, connection: Connection) -> None:
        self._large.pop(connection, None)
        self._buffered -= connection.buffered
        connection.buffered = 0

    def refuse_more(self) -> None:
        """Called when the process stops. From here on a connection ends where it would wait for its
        next request. One that waits already, or was just accepted, is still answered."""
        self._is_stopping = True

    def end_waiting(self) -> None:
        """Ends connections that wait for their next request."""
        for connection in list(self._waiting):
            connection.end()

    def end_half_sent(self) -> None:
        """Ends connections whose head or body has not arrived whole."""
        self._stop([one for one in self._all if one.is_reading])

    def end_all(self) -> None:
        self._stop(list(self._all))

    def _stop(self, connections: list[Connection]) -> None:
        for connection in connections:
            is_counted = connection.buffered > 0 or connection.state is State.BODY
            if is_counted and not connection.is_over:
                self.count_cut(Cut.STOPPING)
            connection.end()

    def count_cut(self, why: Cut) -> None:
        """Counts a closed connection; `report` logs it."""
        self._cut(why.value)
        self._unlogged[why] += 1

    def report(self, *, is_last: bool = False) -> None:
        """Called once a second. Logs how many were cut, each kind at most once in ten seconds."""
        now = time.monotonic()
        for why in list(self._unlogged):
            is_due = now - self._logged_at.get(why, -LOG_EVERY_SECONDS) >= LOG_EVERY_SECONDS
            if is_due or is_last:
                self._logged_at[why] = now
                log.warning("cut %d connections: %s", self._unlogged.pop(why), why.value)

    def _has_room(self, name: str) -> bool:
        if self._of_one_address and self._by_address[name] >= self._of_one_address:
            self.count_cut(Cut.ADDRESS)
            return False
        if len(self._all) < self._most or self._make_room():
            return True
        self._end_a_wait()  # for the next one
        self.count_cut(Cut.REFUSED)
        return False

    def _make_room(self) -> bool:
        """Closes one that can be spared."""
        now = time.monotonic()
        spared = (
            next(iter(self._waiting), None)
            or self._slow_head(now, SLOW_HEAD_SECONDS)
            or self._slow_body(now, SLOW_BODY_SECONDS)
            or next(iter(self._pipelining), None)
            or next((one for one in self._writing if one.is_pipelining), None)
            or self._slow_reader(now)
            or self._slow_head(now, HALF_SENT_SECONDS)
            or self._slow_body(now, HALF_SENT_SECONDS)
        )
        if spared is None:
            return False
        self._all.discard(spared)
        self._leave_queues(spared)
        spared.end()
        self.count_cut(Cut.CROWDED)
        return True

    def _slow_head(self, now: float, seconds: float) -> Connection | None:
        oldest = next(iter(self._heads), None)
        return oldest if oldest and now - oldest.since >= seconds else None

    def _slow_body(self, now: float, seconds: float) -> Connection | None:
        while oldest := next(iter(self._bodies), None):
            if now - oldest.since < seconds:
                return None
            if oldest.is_reading:
                return oldest
            del self._bodies[oldest]  # it is being answered; with its next bytes it comes back
        return None

    def begins_writing(self, connection: Connection) -> None:
        self._writing[connection] = time.monotonic()

    def has_written(self, connection: Connection) -> None:
        self._writing.pop(connection, None)

    def _slow_reader(self, now: float) -> Connection | None:
        oldest = next(iter(self._writing), None)
        return oldest if oldest and now - self._writing[oldest] >= SLOW_READ_SECONDS else None

    def _leave_queues(self, connection: Connection) -> None:
        for queue in (self._waiting, self._heads, self._pipelining, self._bodies):
            queue.pop(connection, None)
        self._writing.pop(connection, None)

    def _end_large(self) -> None:
        """Closes the connection that has held many bytes longest, of those still sending."""
        slowest = next((one for one in self._large if one.is_reading), None)
        if slowest is None:
            return
        self.forget_buffered(slowest)
        slowest.end()
        self.count_cut(Cut.CROWDED)
