"""Connections: what each may take its time for, and how many there may be.

A connection sends the head of a request, sends its body while the application reads it and answers,
or waits for its next request. Deadlines are absolute, so a byte a second buys no more time. Where
there are too many, the one that has waited longest is closed first; then the one that has been
sending its head for longer than any client needs; and only then is a new one refused.
"""

import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from socket import SHUT_RDWR
from typing import Any

from gevent.socket import socket
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData

from bot.concurrency.blocking import breathe

HEAD_SECONDS = 10.0  # from the connection, or the first byte of a later request, to the whole head
BODY_SECONDS = 20.0  # from the head to the last byte of the body
WRITE_SECONDS = 20.0  # for one answer to be taken
# A client on the worst of lines has sent its head by then; what has not may make room for others.
SLOW_HEAD_SECONDS = 1.0
# Of one head: gunicorn's own bounds let it buffer 800 KB.
HEAD_BYTES = 32 * 1024
# Of an unread body, read and thrown away so that the connection can be kept.
DRAINED_BYTES = 64 * 1024
# Bytes that are ready are read without waiting, so a client that floods would never yield.
TURN_BYTES = 256 * 1024
RECV_COST_BYTES = 256  # what a read costs beside its bytes
TELL_EVERY_SECONDS = 10.0

log = logging.getLogger(__name__)


class State(Enum):
    HEAD = "head"
    BODY = "body"
    WAITING = "waiting"


class Cut(Enum):
    """Why a connection was closed on its client."""

    HEAD = "head"  # its head took too long
    BODY = "body"  # its body took too long
    ANSWER = "answer"  # it did not read its answer
    CROWDED = "crowded"  # it waited, or sent its head slowly, when there were too many
    REFUSED = "refused"  # there were too many, and all were busy
    ADDRESS = "address"  # there were too many of its address


class TooSlow(NoMoreData):
    """A client did not send or read in time. gunicorn closes the connection without a word."""


class Connection(socket):
    """The socket of one client. All reads of gunicorn go through `recv`."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.registry: Connections | None = None
        self.state = State.HEAD
        self.since = time.monotonic()
        self.is_over = False
        self.is_reading = False  # waits for bytes at this moment
        self._received = 0  # bytes in this state
        self._turn = 0  # cost since it yielded

    def begin_body(self) -> None:
        """The head has arrived."""
        self._enter(State.BODY)

    def begin_waiting(self) -> None:
        """The request is answered."""
        self._enter(State.WAITING)

    def _enter(self, state: State) -> None:
        self.state, self.since, self._received = state, time.monotonic(), 0
        if self.registry is not None:
            self.registry.entered(self)

    def recv(self, *args: Any) -> bytes:
        """Raises TooSlow at the deadline of what is being sent. b"": it was closed."""
        if self.is_over:
            return b""
        assert self.registry is not None
        left = self.since + self.registry.seconds(self.state) - time.monotonic()
        if left <= 0:  # also where bytes are always ready, and no read would wait
            return self._too_late()
        self.settimeout(left)
        self.is_reading = True
        try:
            data: bytes = super().recv(*args)
        except TimeoutError:
            return self._too_late()
        except OSError:
            if self.is_over:  # `end` wakes it with EBADF
                return b""
            raise
        finally:
            self.is_reading = False
        self._account(len(data))
        return data

    def _account(self, count: int) -> None:
        """Raises LimitRequestHeaders."""
        if self.state is State.WAITING and count:
            self._enter(State.HEAD)
        self._received += count
        if self.state is State.HEAD and self._received > HEAD_BYTES:
            raise LimitRequestHeaders("the head is too long")
        self._turn += count + RECV_COST_BYTES
        if self._turn > TURN_BYTES:
            self._turn = 0
            breathe()

    def _too_late(self) -> bytes:
        """b"" where it waited for a next request; else raises TooSlow."""
        self._give_up(Cut.HEAD if self.state is State.HEAD else Cut.BODY)
        if self.state is State.WAITING:
            return b""
        raise TooSlow

    def sendall(self, data: Any, flags: int = 0) -> Any:
        """Raises TooSlow where the client does not read."""
        try:
            self.settimeout(WRITE_SECONDS)
            return super().sendall(data, flags)
        except TimeoutError:
            self._give_up(Cut.ANSWER)
            raise TooSlow from None

    def end(self) -> None:
        """From another greenlet: its own finds nothing more to read."""
        self.is_over = True
        try:
            self.shutdown(SHUT_RDWR)
        except OSError:
            return

    def _give_up(self, why: Cut) -> None:
        self.is_over = True
        if self.registry is not None and self.state is not State.WAITING:
            self.registry.tell(why)


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
        """`most` in all, and `of_one_address` (0: as many as in all). `cut` counts why one was
        closed on its client; `keepalive`: seconds it may wait for a next request."""
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
        """The process stops: what waits for a next request is closed, now and later. What was just
        accepted has its head on the way, and is answered."""
        self._is_stopping = True
        for connection in list(self._waiting):
            connection.end()

    def end_half_sent(self) -> None:
        """Heads and bodies that are waited for."""
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
