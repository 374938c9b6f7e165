"""All connections of one worker: how many there may be, and which is closed when there are more.

The one that has waited longest is closed first; then the one that has been sending its head for
longer than any client needs; only then is a new one refused.
"""

import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bot.server.connection import (
    BODY_SECONDS,
    HEAD_SECONDS,
    SLOW_HEAD_SECONDS,
    Connection,
    Cut,
    State,
)

TELL_EVERY_SECONDS = 10.0

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
    ) -> None:
        """`most`: the bound on all connections; `of_one_address`: the bound per address (0: none).
        `cut` counts each connection closed on its client, by reason. `keepalive`: seconds that a
        connection may wait for its next request."""
        self._most = most
        self._of_one_address = of_one_address
        self._seconds = {
            State.HEAD: HEAD_SECONDS,
            State.BODY: BODY_SECONDS,
            State.WAITING: float(keepalive),
        }
        self._cut = cut
        self._all: set[Connection] = set()
        self._by_address: Counter[str] = Counter()
        # Each in the order of entering the state, the oldest first.
        self._waiting: OrderedDict[Connection, None] = OrderedDict()
        self._heads: OrderedDict[Connection, None] = OrderedDict()
        self._is_stopping = False
        self._untold: Counter[Cut] = Counter()
        self._told_at: dict[Cut, float] = {}

    def seconds(self, state: State) -> float:
        return self._seconds[state]

    @contextmanager
    def admit(self, connection: Connection, address: Any) -> Iterator[bool]:
        """Whether it is served. It is counted until the block is left."""
        name = address[0] if isinstance(address, tuple) and address else ""
        if not self._has_room(name):
            yield False
            return
        connection.registry = self
        self._all.add(connection)
        self._by_address[name] += 1
        self.entered(connection)
        try:
            yield True
        finally:
            self._all.discard(connection)
            self._waiting.pop(connection, None)
            self._heads.pop(connection, None)
            self._by_address[name] -= 1
            if not self._by_address[name]:
                del self._by_address[name]

    def entered(self, connection: Connection) -> None:
        """It has come into another state."""
        self._waiting.pop(connection, None)
        self._heads.pop(connection, None)
        if connection.state is State.WAITING:
            self._waiting[connection] = None
        elif connection.state is State.HEAD:
            self._heads[connection] = None
        if self._is_stopping and connection.state is State.WAITING:
            connection.end()

    def refuse_more(self) -> None:
        """Called when the process stops. Closes connections that wait for their next request, now
        and whenever one begins to wait. A connection that was just accepted is still answered."""
        self._is_stopping = True
        for connection in list(self._waiting):
            connection.end()

    def end_half_sent(self) -> None:
        """Ends connections whose head or body has not arrived whole."""
        for connection in [one for one in self._all if one.is_reading]:
            connection.end()

    def end_all(self) -> None:
        for connection in list(self._all):
            connection.end()

    def tell(self, why: Cut) -> None:
        """Counts it, and logs it: at once, then every ten seconds how many there were."""
        self._cut(why.value)
        self._untold[why] += 1
        now = time.monotonic()
        if now - self._told_at.get(why, -TELL_EVERY_SECONDS) < TELL_EVERY_SECONDS:
            return
        self._told_at[why] = now
        log.warning("cut %d connections: %s", self._untold.pop(why), why.value)

    def _has_room(self, name: str) -> bool:
        if self._of_one_address and self._by_address[name] >= self._of_one_address:
            self.tell(Cut.ADDRESS)
            return False
        if len(self._all) < self._most or self._make_room():
            return True
        self.tell(Cut.REFUSED)
        return False

    def _make_room(self) -> bool:
        """Closes one that can be spared."""
        now = time.monotonic()
        for queue in (self._waiting, self._heads):
            oldest = next(iter(queue), None)
            if oldest is None:
                continue
            if queue is self._heads and now - oldest.since < SLOW_HEAD_SECONDS:
                continue
            del queue[oldest]
            self._all.discard(oldest)
            oldest.end()
            self.tell(Cut.CROWDED)
            return True
        return False
