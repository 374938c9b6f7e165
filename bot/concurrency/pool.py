"""Threads that make calls which may wait, with a count of those under way."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TypeVar

T = TypeVar("T")


class Pool:
    def __init__(self, name: str, at_once: int) -> None:
        self._name = name
        self._at_once = at_once
        self._executor: ThreadPoolExecutor | None = None  # made after the fork
        self._futures: set[Future[None]] = set()
        self._lock = threading.Lock()

    @property
    def under_way(self) -> int:
        """Calls that were submitted and have not ended."""
        with self._lock:
            return len(self._futures)

    def submit(self, call: Callable[[T], None], item: T, on_done: Callable[[int], None]) -> None:
        """Runs the call in a thread. `on_done` then gets the number of calls still under way."""
        with self._lock:
            self._executor = self._executor or ThreadPoolExecutor(self._at_once, self._name)
            future = self._executor.submit(call, item)
            self._futures.add(future)
        future.add_done_callback(partial(self._ended, on_done))

    def stop(self, *, within_seconds: float) -> bool:
        """Waits for the calls under way. False: some have not ended."""
        with self._lock:
            under_way = set(self._futures)
        left = wait(under_way, timeout=within_seconds).not_done
        if self._executor is not None:
            self._executor.shutdown(wait=not left, cancel_futures=True)
        return not left

    def _ended(self, on_done: Callable[[int], None], future: Future[None]) -> None:
        with self._lock:
            self._futures.discard(future)
            left = len(self._futures)
        on_done(left)
