"""Callers that wait for the outcome of a verification.

A waiting caller costs one event object and no query. A decision in this process wakes the callers
that wait for it. For decisions of other processes, one thread polls on behalf of all callers: ten
times a second it checks whether the history has grown, and only then reads the verifications.
The wait ends when the caller closes its connection, so that it does not take another's place.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.store.tx import Done, Store, StoreUnavailable
from bot.usecases import ended

log = logging.getLogger(__name__)

LONGEST_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.1
GONE_EVERY_SECONDS = 5.0  # looks whether a caller has gone


def gone_check(environ: Mapping[str, Any]) -> Callable[[], bool]:
    """Tells whether the caller of this request has closed its connection: always False where the
    server does not know (bot/server/connection.py does)."""
    return getattr(environ.get("gunicorn.socket"), "is_gone", lambda: False)


class Waiting:
    """While callers wait, a thread looks for decisions of other processes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._events: dict[str, list[threading.Event]] = {}  # by the verification waited for
        self._has_waiters = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_over = False
        self._seen = ended.Snapshot()
        store.on_commit(self._committed)

    def wait(
        self,
        id: str,
        is_finished: Callable[[], bool],
        *,
        seconds: float,
        is_gone: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Waits until the verification is finished, for `seconds`, but at most LONGEST_SECONDS.
        Returns whether it is finished. `is_gone`: whether the caller has closed its connection."""
        event = threading.Event()
        with self._lock:
            self._events.setdefault(id, []).append(event)
            self._start_looking()
        try:
            # Check after registering, so that no decision is missed in between.
            if not is_finished() and not self._is_over:
                until = time.monotonic() + min(seconds, LONGEST_SECONDS)
                while (left := until - time.monotonic()) > 0 and not (self._is_over or is_gone()):
                    if event.wait(min(left, GONE_EVERY_SECONDS)):
                        break
        finally:
            self._leave(id, event)
        return is_finished()

    def end_oldest(self) -> None:
        """Lets the caller go whose verification has been waited for longest: it is told that the
        outcome is not known yet, as at the end of its time."""
        with self._lock:
            for id, events in self._events.items():
                events.pop(0).set()
                if not events:
                    del self._events[id]
                return

    def release(self) -> None:
        """Lets all waiting callers go within a tenth of a second, since the process stops. Safe in
        a signal handler."""
        self._is_over = True

    def _leave(self, id: str, event: threading.Event) -> None:
        with self._lock:
            waiting = self._events.get(id, [])
            if event in waiting:
                waiting.remove(event)
            if not waiting:
                self._events.pop(id, None)

    def _start_looking(self) -> None:
        self._has_waiters.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, name="waiting", daemon=True)
            self._thread.start()

    def _committed(self, done: Done[Any], seconds: float) -> None:
        if self._events:
            self._wake([change.after.id for change in done.changes if change.has_ended])

    def _wake(self, ids: Sequence[str]) -> None:
        with self._lock:
            for id in ids:
                for event in self._events.pop(id, []):
                    event.set()

    def _look(self) -> None:
        while True:
            self._has_waiters.wait()
            time.sleep(LOOK_EVERY_SECONDS)
            with self._lock:
                ids = list(self._events)
                if not ids:
                    self._has_waiters.clear()
            if self._is_over:
                self._wake(ids)
            elif ids:
                self._wake(self._finished(ids))

    def _finished(self, ids: Sequence[str]) -> list[str]:
        """Returns the verifications that any process has ended."""
        try:
            found, self._seen = self._store.read(ended.ended_since, ids, seen=self._seen)
            return found
        except StoreUnavailable:  # the next look finds it, and each caller's own read reports it
            return []
        except Exception:  # the thread must go on: nothing starts another
            log.exception("decisions of other processes could not be looked for; going on")
            return []
