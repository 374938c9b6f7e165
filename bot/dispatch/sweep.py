"""Removes old rows, a batch at a time, while time goes on steadily."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from bot.store.steady import TOLERATED
from bot.store.tx import REMOVING_SECONDS, Done, Store, Tx
from bot.usecases import audit, counting, forget, notify, removal, repair, timekeeping

EVERY_SECONDS = 3600.0
AT_ONCE = 500
LOG_EVERY_SECONDS = 600.0  # between two log lines that stored time is ahead

log = logging.getLogger(__name__)


class _TimeIsUnsteady(Exception):
    """The clock has jumped or stored time is ahead, so rows that seem old may be new."""


class Sweeper:
    """Called once a second; most calls do nothing."""

    def __init__(self, store: Store, *, kept: timedelta) -> None:
        """`kept`: how long finished verifications are kept."""
        self._store = store
        self._kept = kept
        self._next_at = 0.0
        self._logged_at = -LOG_EVERY_SECONDS
        self._jumps = self._store.steady.jumps
        self._left: list[Callable[[Tx], Done[int]]] = []  # of the sweep under way

    def run_once(self) -> int:
        """Removes a batch of old rows while a sweep is under way; otherwise updates the row of
        `time_mark` and begins a sweep, each if it is due. Returns how many steps are left.

        While stored time is ahead of the clock, every call updates the row: a process that starts
        in the meantime takes the current instant from it. Otherwise its time would lag behind that
        of the others, and a wait of five seconds could end at once."""
        if self._left:
            self._remove()
        elif self._is_ahead() or self._has_jumped() or time.monotonic() >= self._next_at:
            self._begin()
        return len(self._left)

    def sweep(self) -> None:
        """A whole sweep at once, as if it were due."""
        self._next_at = 0.0
        self.run_once()
        while self._left:
            self.run_once()

    def _begin(self) -> None:
        steady = self._store.steady
        has_jumped = self._has_jumped()
        if has_jumped:
            log.error(
                "the clock went forward by more than an hour at once; nothing old is removed for a"
                " day"
            )
        jumps = steady.jumps
        may_remove = self._store.write(timekeeping.keep, has_jumped=has_jumped, ahead=steady.ahead)
        self._jumps = jumps
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + EVERY_SECONDS
        self._store.write(repair.set_unreadable_aside)
        if may_remove:
            self._left = [
                partial(forget.drop_old, kept=self._kept, limit=AT_ONCE),
                partial(notify.drop_old, limit=AT_ONCE),
                partial(audit.drop_old, limit=AT_ONCE),
                partial(removal.drop_old_disowns, limit=AT_ONCE),
                partial(removal.drop_old_messages, limit=AT_ONCE),
                counting.fold_counters,
            ]

    def _remove(self) -> None:
        try:
            removed = self._store.write_within(REMOVING_SECONDS, self._remove_batch)
        except _TimeIsUnsteady:
            self._left = []
            return
        if removed < AT_ONCE:
            self._left.pop(0)

    def _remove_batch(self, tx: Tx) -> Done[int]:
        """Raises _TimeIsUnsteady, which rolls the batch back. This transaction reads the clock to
        compute ages, so it may be the first to notice that the clock has jumped."""
        done = self._left[0](tx)
        if self._has_jumped() or self._is_ahead():
            raise _TimeIsUnsteady
        return done

    def _has_jumped(self) -> bool:
        return self._store.steady.jumps != self._jumps

    def _is_ahead(self) -> bool:
        """Whether stored time is ahead of the clock; logs that every ten minutes."""
        ahead = self._store.steady.ahead
        if ahead <= TOLERATED:
            return False
        if time.monotonic() - self._logged_at >= LOG_EVERY_SECONDS:
            self._logged_at = time.monotonic()
            log.error(
                "stored time is %d s ahead of the clock, because a clock was ahead earlier. Time"
                " windows and limits still work; nothing old is removed. docs/operations.md says"
                " how to fix it",
                ahead.total_seconds(),
            )
        return True
