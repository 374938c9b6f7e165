"""The socket of one client, with deadlines for what it sends and reads.

A connection sends the head of a request, sends its body while the application reads it and answers,
or waits for its next request. Deadlines are absolute, so a byte a second buys no more time.
"""

import time
from enum import Enum
from socket import SHUT_RDWR
from typing import Any, Protocol

from gevent.socket import socket
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData

from bot.concurrency.blocking import breathe

HEAD_SECONDS = 10.0  # from the connection, or the first byte of a later request, to the whole head
BODY_SECONDS = 20.0  # from the head to the last byte of the body
WRITE_SECONDS = 20.0  # for one answer to be taken
# Even a client on a very slow line has sent its head after this time. If there are too many
# connections, one whose head takes longer may be closed.
SLOW_HEAD_SECONDS = 1.0
# The head of one request; gunicorn's own bounds let it buffer 800 KB.
HEAD_BYTES = 32 * 1024
# Of an unread body, discarded so that the connection can be kept.
DRAINED_BYTES = 64 * 1024
# `recv` does not yield while bytes are ready, so a flooding client would block all others.
TURN_BYTES = 256 * 1024
RECV_COST_BYTES = 256  # what a read costs beside its bytes


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


class Registry(Protocol):
    """The registry that a connection reports to."""

    def seconds(self, state: State) -> float:
        """How long it may be in a state."""

    def entered(self, connection: "Connection") -> None: ...

    def tell(self, why: Cut) -> None: ...


class Connection(socket):
    """The socket of one client. All reads of gunicorn go through `recv`."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.registry: Registry | None = None
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
