"""Connections by what they do, each queue in the order of entering it, and the one that is closed
first where there are too many.

The order of closing, of which each is looked for only if there is none of those before:

1. A connection waits for its next request; the longest wait ends first.
2. It has been sending its head for longer than any client needs.
3. It has been sending its body for longer than any client needs.
4. It is answered, and its client still sends a body, which is discarded.
5. It sends requests before the last one is answered.
6. It has been reading an answer for longer than any client needs.
7. Its head, or else its body, is not whole after a quarter of a second.
"""

import time
from collections import OrderedDict

from bot.server.connection import Connection, State

# Even a client on a very slow line has sent its head after this time. If there are too many
# connections, one whose head takes longer may be closed.
SLOW_HEAD_SECONDS = 1.0
# The same of a body, which is at most 64 KiB, and of a client that reads an answer.
SLOW_BODY_SECONDS = 2.0
SLOW_READ_SECONDS = 2.0
# An honest client's request is whole within this time, unless its line is very slow. If no other
# connection can be spared, one that takes longer is closed.
HALF_SENT_SECONDS = 0.25


class Queues:
    def __init__(self) -> None:
        self.waiting: OrderedDict[Connection, None] = OrderedDict()
        self._waiting_of: dict[str, OrderedDict[Connection, None]] = {}  # by address
        self._heads: OrderedDict[Connection, None] = OrderedDict()
        self._pipelining: OrderedDict[Connection, None] = OrderedDict()  # in a head behind another
        # A body that was being answered and sends more goes behind those that came meanwhile.
        self._bodies: OrderedDict[Connection, None] = OrderedDict()
        self._lingering: OrderedDict[Connection, None] = OrderedDict()  # answered, to be closed
        # Since when, by the monotonic clock.
        self._writing: OrderedDict[Connection, float] = OrderedDict()

    def enter(self, connection: Connection) -> None:
        """Puts a connection where its state belongs."""
        self.leave(connection)
        if connection.state is State.WAITING:
            self.waiting[connection] = None
            self._waiting_of.setdefault(connection.address, OrderedDict())[connection] = None
        elif connection.state is State.HEAD:
            (self._pipelining if connection.is_pipelining else self._heads)[connection] = None
        else:
            self._bodies[connection] = None

    def leave(self, connection: Connection) -> None:
        if connection in self.waiting:
            self._leave_waiting(connection)
        self._heads.pop(connection, None)
        self._pipelining.pop(connection, None)
        self._bodies.pop(connection, None)
        self._lingering.pop(connection, None)
        self._writing.pop(connection, None)

    def _leave_waiting(self, connection: Connection) -> None:
        del self.waiting[connection]
        of_address = self._waiting_of[connection.address]
        del of_address[connection]
        if not of_address:
            del self._waiting_of[connection.address]

    def received(self, connection: Connection) -> None:
        if connection.state is State.BODY:
            self._bodies.setdefault(connection)

    def lingers(self, connection: Connection) -> None:
        self.leave(connection)
        self._lingering[connection] = None

    def begins_writing(self, connection: Connection) -> None:
        self._writing[connection] = time.monotonic()

    def has_written(self, connection: Connection) -> None:
        self._writing.pop(connection, None)

    def idle_of(self, address: str) -> Connection | None:
        """The one of an address that has waited longest for its next request."""
        return next(iter(self._waiting_of.get(address, ())), None)

    def spared(self) -> Connection | None:
        now = time.monotonic()
        return (
            next(iter(self.waiting), None)
            or self._slow_head(now, SLOW_HEAD_SECONDS)
            or self._slow_body(now, SLOW_BODY_SECONDS)
            or next(iter(self._lingering), None)
            or next(iter(self._pipelining), None)
            or next((one for one in self._writing if one.is_pipelining), None)
            or self._slow_reader(now)
            or self._slow_head(now, HALF_SENT_SECONDS)
            or self._slow_body(now, HALF_SENT_SECONDS)
        )

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

    def _slow_reader(self, now: float) -> Connection | None:
        oldest = next(iter(self._writing), None)
        return oldest if oldest and now - self._writing[oldest] >= SLOW_READ_SECONDS else None
