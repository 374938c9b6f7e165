"""Ends operations that run beyond their deadline.

A socket's timeout bounds a single read or write, so a peer that sends one byte a second never
reaches it. A caller that needs an absolute deadline passes it together with a function that ends
the operation from outside. One thread checks all operations ten times a second.
"""

import heapq
import itertools
import logging
import socket
import threading
import time
from _socket import socket as _socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

EVERY_SECONDS = 0.1

log = logging.getLogger(__name__)


class Bound:
    """One operation under watch."""

    def __init__(self, cut: Callable[[], None]) -> None:
        self.cut = cut
        self.is_over = False
        self.was_cut = False


class Watchdog:
    """Starts its thread when the first operation is bound, in the process that binds it."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Bound]] = []
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._has_more = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def bound(self, deadline: float, cut: Callable[[], None]) -> Iterator[Bound]:
        """Calls `cut` from another thread where the block lasts beyond `deadline`, an instant of
        `time.monotonic()`. It is never called once the block is left."""
        bound = Bound(cut)
        with self._lock:
            heapq.heappush(self._heap, (deadline, next(self._numbers), bound))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
        self._has_more.set()
        try:
            yield bound
        finally:
            with self._lock:
                bound.is_over = True

    def _run(self) -> None:
        while True:
            self._has_more.wait()
            time.sleep(EVERY_SECONDS)
            self._cut_late()

    def _cut_late(self) -> None:
        now = time.monotonic()
        with self._lock:
            while self._heap and (self._heap[0][0] <= now or self._heap[0][2].is_over):
                bound = heapq.heappop(self._heap)[2]
                if not bound.is_over:
                    bound.was_cut = True
                    self._cut(bound)
            if not self._heap:
                self._has_more.clear()

    def _cut(self, bound: Bound) -> None:
        try:
            bound.cut()
        except Exception:
            log.exception("an operation that takes too long could not be cut")


def shut(fd: int) -> None:
    """Ends all reading and writing of a socket that other code owns: it fails there at once."""
    with suppress(OSError):
        # No second descriptor, since there may be none left; and gevent would watch this one.
        borrowed = _socket(fileno=fd)
        try:
            borrowed.shutdown(socket.SHUT_RDWR)
        finally:
            borrowed.detach()
