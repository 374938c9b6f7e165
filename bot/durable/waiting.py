"""Callers who wait for the outcome of a verification.

A waiting caller holds a thread, so at most a quarter of them may wait, for a minute at most;
whoever finds no seat gets the ordinary 202. A decision in this process wakes its waiters at once;
one of another process, perhaps on another host, is seen at the next look.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from bot.store.tx import Done, Store

LONGEST_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.1


class Waiting:
    def __init__(self, store: Store, *, seats: int) -> None:
        self._seats = threading.BoundedSemaphore(seats)
        self._decided = threading.Condition()
        self._is_over = False
        store.on_commit(self._committed)

    def wait(self, is_finished: Callable[[], bool], *, seconds: float) -> bool:
        """Whether it was finished within the time. False at once where no seat is free."""
        if not self._seats.acquire(blocking=False):
            return is_finished()
        try:
            return self._wait(is_finished, min(seconds, LONGEST_SECONDS))
        finally:
            self._seats.release()

    def release(self) -> None:
        """The process is stopping: everybody who waits is let go. Safe in a signal handler, which
        may have interrupted the very thread that holds the condition: they look by themselves."""
        self._is_over = True

    def _wait(self, is_finished: Callable[[], bool], seconds: float) -> bool:
        ends = time.monotonic() + seconds
        while True:
            with self._decided:
                # Looked at under the condition, so that no decision falls between look and wait.
                if is_finished():
                    return True
                left = ends - time.monotonic()
                if left <= 0 or self._is_over:
                    return False
                self._decided.wait(min(left, LOOK_EVERY_SECONDS))

    def _committed(self, done: Done[Any], seconds: float) -> None:
        if any(change.has_ended for change in done.changes):
            with self._decided:
                self._decided.notify_all()
