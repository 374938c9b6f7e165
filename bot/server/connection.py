"""The socket of one client, with deadlines for what it sends and reads.

A connection sends the head of a request, sends its body while the application reads it and answers,
or waits for its next request. Deadlines are absolute, so a byte a second buys no more time.
"""

import time
from enum import Enum
from socket import MSG_PEEK, SHUT_RDWR, SHUT_WR
from typing import Any, Protocol

from gevent.socket import socket
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData

from bot.concurrency.blocking import yield_control
from bot.observability.cuts import Cut

HEAD_SECONDS = 10.0  # from the connection, or the first byte of a later request, to the whole head
BODY_SECONDS = 20.0  # from the head to the last byte of the body
WRITE_SECONDS = 20.0  # for the client to read one answer
# The kernel's buffer for unread answers, which it doubles. Its own default is megabytes.
UNREAD_BYTES = 64 * 1024
HEAD_BYTES = 32 * 1024  # of one request; gunicorn's own bounds let it buffer 800 KB
# Of an unread body, discarded so that the connection can be kept.
DRAINED_BYTES = 64 * 1024
# The body of one request as it is sent: what the application reads (64 KiB), what is discarded, and
# the marks of chunks. A chunk of one byte takes six.
BODY_BYTES = 192 * 1024
# Bounds on reading before a connection is closed. The system resets a connection with unread bytes,
# and a client that is still sending would lose its answer.
LINGER_SECONDS = 2.0
LINGER_BYTES = 1024 * 1024
# `recv` does not yield while bytes are ready, so a flooding client would block all others. Parsing
# costs most in chunks of one byte: 16 KiB of them take about ten milliseconds.
TURN_BYTES = 16 * 1024
RECV_COST_BYTES = 256  # what a read costs beside its bytes
READ_BYTES = 8192  # in one read; gunicorn asks for up to a megabyte of a body


class State(Enum):
    HEAD = "head"
    BODY = "body"
    WAITING = "waiting"


class TooSlow(NoMoreData):
    """A client did not send or read in time. gunicorn closes the connection without an answer."""


class BrokenOff(NoMoreData):
    """A body ended before its length. gunicorn would hand on the part as if it were whole."""


class TooMuch(NoMoreData):
    """A client sent more than a body may take. The application answers 400 or 413."""


class Registry(Protocol):
    """The registry that a connection reports to."""

    def seconds(self, state: State) -> float:
        """How long it may be in a state."""

    def entered(self, connection: "Connection") -> None: ...

    def received(self, connection: "Connection", count: int) -> None:
        """Notes that a connection buffers so many more bytes."""

    def forget_buffered(self, connection: "Connection") -> None:
        """Notes that a connection holds none any more."""

    def begins_writing(self, connection: "Connection") -> None: ...

    def has_written(self, connection: "Connection") -> None: ...

    def lingers(self, connection: "Connection") -> None:
        """Notes that it is answered and will be closed."""

    def take_turn(self, connection: "Connection") -> None:
        """Yields, and returns when no other connection with a large body goes on."""

    def count_cut(self, why: Cut) -> None: ...


class Connection(socket):
    """The socket of one client. All reads of gunicorn go through `recv`."""

    def __init__(self, registry: Registry, *, fileno: int | None = None) -> None:
        super().__init__(fileno=fileno)
        self._registry = registry
        self.address = ""  # of its client, or the client's network
        self.state = State.HEAD
        self.since = time.monotonic()
        self.is_over = False
        self.is_reading = False  # waits for bytes, or for its turn, at this moment
        self.is_pipelining = False  # its next request began before the last one was answered
        self.buffered = 0  # bytes of the request that is being sent or answered
        self._received = 0  # bytes in this state
        self._turn = 0  # cost since it yielded

    def begin_body(self) -> None:
        """Starts the deadline of the body: the head has arrived."""
        self._enter(State.BODY)

    def begin_waiting(self, *, has_begun: bool) -> None:
        """Starts the wait for the next request: this one is answered. `has_begun`: bytes of the
        next one have been read with it."""
        self.is_pipelining = has_begun
        self._enter(State.HEAD if has_begun else State.WAITING)

    def _enter(self, state: State) -> None:
        self.state, self.since, self._received = state, time.monotonic(), 0
        self._registry.entered(self)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Reads at most `size` bytes; b"" if it was closed. Raises TooSlow at the deadline of the
        request, LimitRequestHeaders, TooMuch, and BrokenOff if it was closed within a body."""
        if self.is_over:
            return self._at_end()
        if self._is_too_long():
            raise TooMuch
        left = self.since + self._registry.seconds(self.state) - time.monotonic()
        if left <= 0:  # also if bytes are always ready, so that no read times out
            return self._too_late()
        self.settimeout(left)
        self.is_reading = True
        try:
            data: bytes = super().recv(min(size, READ_BYTES), flags)
        except TimeoutError:
            return self._too_late()
        except OSError:
            if self.is_over:  # `end` wakes it with EBADF
                return self._at_end()
            raise
        finally:
            self.is_reading = False
        if not data:
            return self._at_end()
        self._account(len(data))
        return data

    def _at_end(self) -> bytes:
        """gunicorn reads a body only while some of it is missing. Raises BrokenOff."""
        if self.state is State.BODY:
            raise BrokenOff
        return b""

    def _account(self, count: int) -> None:
        """Raises LimitRequestHeaders, TooMuch."""
        if self.state is State.WAITING:
            self._enter(State.HEAD)
        self._received += count
        self._registry.received(self, count)
        if self.state is State.HEAD and self._received > HEAD_BYTES:
            raise LimitRequestHeaders("the head is too long")
        if self._is_too_long():
            self._registry.count_cut(Cut.LONG)
            raise TooMuch
        self._take_turns(count)

    def _is_too_long(self) -> bool:
        return self.state is State.BODY and self._received > BODY_BYTES

    def _take_turns(self, count: int) -> None:
        self._turn += count + RECV_COST_BYTES
        if self._turn > TURN_BYTES:
            self._turn = 0
            if self.state is State.BODY and self._received > TURN_BYTES:
                self._registry.take_turn(self)
            else:
                yield_control()

    def _too_late(self) -> bytes:
        """Returns b"" if it waited for a next request; otherwise raises TooSlow."""
        self._give_up(Cut.HEAD if self.state is State.HEAD else Cut.BODY)
        if self.state is State.WAITING:
            return b""
        raise TooSlow

    def sendall(self, data: Any, flags: int = 0) -> Any:
        """Raises TooSlow where the client does not read."""
        self._registry.begins_writing(self)
        try:
            self._send_by(time.monotonic() + WRITE_SECONDS, memoryview(data), flags)
        except TimeoutError:
            self._give_up(Cut.ANSWER)
            raise TooSlow from None
        except OSError:
            if self.is_over:  # `end` was called meanwhile
                raise TooSlow from None
            raise
        finally:
            self._registry.has_written(self)

    def _send_by(self, until: float, data: memoryview, flags: int) -> None:
        """gevent's own `sendall` has a deadline by the wall clock, and costs twice as much."""
        while data:
            left = until - time.monotonic()
            if left <= 0:  # though each part was sent at once
                raise TimeoutError
            self.settimeout(left)
            data = data[self.send(data, flags) :]

    def answered(self) -> None:
        """Stops counting its bytes as held: the rest of the request is discarded."""
        self._registry.forget_buffered(self)

    def is_gone(self) -> bool:
        """Whether the client has closed it, or its sending half, while its request is answered."""
        try:
            self.settimeout(0.0)
            return not super().recv(1, MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def linger(self) -> None:
        """The answer is written and the connection will be closed: discards what the client still
        sends, within bounds. A connection that was cut for being slow does not wait."""
        self.answered()
        if self.is_over:
            return
        self._registry.lingers(self)
        self._received = 0  # what follows is not parsed, so it needs no turn of a large body
        until, remaining = time.monotonic() + LINGER_SECONDS, LINGER_BYTES
        try:
            self.shutdown(SHUT_WR)
            while remaining > 0 and (seconds := until - time.monotonic()) > 0:
                self.settimeout(seconds)
                count = len(super().recv(READ_BYTES))
                if not count:
                    return
                remaining -= count
                self._take_turns(count)
        except OSError:
            return

    def end(self) -> None:
        """Ends the connection from another greenlet; its own then finds nothing more to read."""
        self.is_over = True
        try:
            self.shutdown(SHUT_RDWR)
        except OSError:
            return

    def _give_up(self, why: Cut) -> None:
        self.is_over = True
        if self.state is not State.WAITING:
            self._registry.count_cut(why)
