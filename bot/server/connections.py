"""All connections of one worker: how many there may be, in all and of one address.

Where there are too many, one that can be spared is closed (`queues.py`), and only if there is none
the new one is refused. Callers that wait for an outcome leave a tenth of all connections free.
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
from bot.server.connection import BODY_SECONDS, HEAD_SECONDS, Connection, State
from bot.server.queues import Queues
from bot.server.turn import Turn

LOG_EVERY_SECONDS = 10.0
# Bytes of all requests together; a thousand honest clients that send at once stay below this.
# Memory use is two to three times as much.
BUFFERED_BYTES = 32 * 1024 * 1024
# A connection that holds less is not closed for it: 4,000 such connections stay below the bound.
LARGE_BYTES = 8 * 1024

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
        self._queues = Queues()
        self._turn_of_large = Turn()
        self._large: OrderedDict[Connection, None] = OrderedDict()
        self._buffered = 0  # bytes
        self._is_stopping = False
        self._unlogged: Counter[Cut] = Counter()
        self._logged_at: dict[Cut, float] = {}

    def seconds(self, state: State) -> float:
        return self._seconds[state]

    @contextmanager
    def admit(self, connection: Connection, address: Any) -> Iterator[bool]:
        """Yields whether the connection is served. It counts until the block is left."""
        connection.address = network(address[0]) if isinstance(address, tuple) and address else ""
        if not self._has_room(connection.address):
            yield False
            return
        self._all.add(connection)
        self._by_address[connection.address] += 1
        self.entered(connection)
        self.keep_free()
        try:
            yield True
        finally:
            self._release(connection)
            self.forget_buffered(connection)

    def _release(self, connection: Connection) -> None:
        """Makes its place free. It may be closed already, though its greenlet goes on."""
        if connection not in self._all:
            return
        self._all.discard(connection)
        self._queues.leave(connection)
        self._by_address[connection.address] -= 1
        if not self._by_address[connection.address]:
            del self._by_address[connection.address]

    def entered(self, connection: Connection) -> None:
        """Notes that a connection has come into another state."""
        if connection not in self._all:  # closed to make room; its greenlet has not noticed
            return
        self._queues.enter(connection)
        if connection.state is State.WAITING:
            self.forget_buffered(connection)
            if self._is_stopping:
                connection.end()

    def keep_free(self) -> None:
        """Called once a second too: many may begin to wait after the last connection came. Those
        that wait for a request can be closed, as a caller's is once it is answered."""
        busy = len(self._all) - len(self._queues.waiting)
        for _ in range(busy - int(self._most * (1 - KEPT_FREE))):
            self._end_a_wait()

    def received(self, connection: Connection, count: int) -> None:
        connection.buffered += count
        self._buffered += count
        if connection in self._all:
            self._queues.received(connection)
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
        for connection in list(self._queues.waiting):
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

    def take_turn(self, connection: Connection) -> None:
        """Two hundred large bodies that come in chunks of one byte take no more of the loop than
        one. The connection may be closed while it waits."""
        connection.is_reading = True
        self._turn_of_large.take()
        connection.is_reading = False

    def lingers(self, connection: Connection) -> None:
        if connection in self._all:
            self._queues.lingers(connection)

    def begins_writing(self, connection: Connection) -> None:
        if connection in self._all:
            self._queues.begins_writing(connection)

    def has_written(self, connection: Connection) -> None:
        self._queues.has_written(connection)

    def _has_room(self, address: str) -> bool:
        is_full = self._of_one_address and self._by_address[address] >= self._of_one_address
        if is_full and not self._make_room(self._queues.idle_of(address)):
            self.count_cut(Cut.ADDRESS)
            return False
        if len(self._all) < self._most or self._make_room(self._queues.spared()):
            return True
        self._end_a_wait()  # for the next one
        self.count_cut(Cut.REFUSED)
        return False

    def _make_room(self, spared: Connection | None) -> bool:
        """Closes one that can be spared. Returns False if there is none."""
        if spared is None:
            return False
        self._release(spared)
        spared.end()
        self.count_cut(Cut.CROWDED)
        return True

    def _end_large(self) -> None:
        """Closes the connection that has held many bytes longest, of those still sending."""
        slowest = next((one for one in self._large if one.is_reading), None)
        if slowest is None:
            return
        self.forget_buffered(slowest)
        slowest.end()
        self.count_cut(Cut.CROWDED)
