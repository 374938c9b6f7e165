"""Reads answers of servers that may never stop sending.

`http.client` reads informational answers, headers, the sizes of chunks and trailers in loops
without a bound. Under gevent no other greenlet runs while bytes are ready, so such a server would
stop the whole process, the watchdog of the call included.
"""

import http.client
import io
from collections.abc import Callable
from typing import Any

from bot.concurrency.blocking import yield_control

LINES_BYTES = 256 * 1024  # of all lines of one answer: statuses, headers, sizes of chunks, trailers
BODY_BYTES = 16 * 1024 * 1024  # of one answer: a page of a thousand messages has two million
PIECE_BYTES = 64 * 1024
READS_AT_ONCE = 64  # between two turns of others


class Endless(http.client.HTTPException):
    """An answer is longer than any needs to be, or goes on beyond its deadline."""


class _Reader(io.BufferedReader):
    def __init__(self, raw: Any, seconds_left: Callable[[], float]) -> None:
        super().__init__(raw)
        self._seconds_left = seconds_left
        self._reads = 0
        self._lines = 0  # bytes
        self._body = 0  # bytes

    def readline(self, size: int | None = -1, /) -> bytes:
        self._take_turns()
        line = super().readline(size)
        self._lines += len(line)
        if self._lines > LINES_BYTES:
            raise Endless("the answer has too many lines")
        return line

    def read(self, size: int | None = -1, /) -> bytes:
        pieces: list[bytes] = []
        left = BODY_BYTES + 1 if size is None or size < 0 else size
        while left > 0:
            self._take_turns()
            piece = super().read(min(left, PIECE_BYTES))
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
            self._body += len(piece)
            if self._body > BODY_BYTES:
                raise Endless("the answer is too long")
        return b"".join(pieces)

    def _take_turns(self) -> None:
        if self._seconds_left() <= 0:
            raise Endless("the deadline passed before the answer was whole")
        self._reads += 1
        if self._reads % READS_AT_ONCE == 0:
            yield_control()


def response_class(seconds_left: Callable[[], float]) -> type[http.client.HTTPResponse]:
    """`seconds_left`: of the call under way in this context."""

    class BoundedResponse(http.client.HTTPResponse):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.fp = _Reader(self.fp.detach(), seconds_left)

    return BoundedResponse
