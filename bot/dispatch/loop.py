"""The dispatcher: wakes, runs each duty, sleeps until the next due time.

A start in this process wakes it at once. One in another process, perhaps on another host, is seen
within a tenth of a second, because it never sleeps longer: looking costs one read of two small
indexes, and works behind every pooler, which listening to the database's notices does not. Any
number of dispatchers are harmless, since every duty takes its work by lease or looks again inside
its transaction.
"""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.dispatch import catch_up, count, erase, expire, probe
from bot.dispatch.send import Sender
from bot.sms.gateway import Gateway
from bot.store import inbound, outbox
from bot.store import verifications as table
from bot.store.tx import Done, StoreUnavailable, Tx
from bot.usecases import forget
from bot.usecases.verifications import Verifications

LONGEST_SLEEP = timedelta(milliseconds=100)
SHORTEST_SLEEP = timedelta(milliseconds=20)  # so that nothing can keep the loop spinning
CATCH_UP_SECONDS = 10.0
STOP_SECONDS = 20.0
SWEEP_SECONDS = 3600.0
AWAY_SECONDS = 1.0  # between two looks whether the database is back
ASIDE_EVERY_SECONDS = 1.0
SWEPT_AT_ONCE = 500

log = logging.getLogger(__name__)


class Dispatcher:
    """Threads are started by `start` alone, and ended by `stop`."""

    def __init__(
        self,
        verifications: Verifications,
        gateway: Gateway,
        sender: Sender,
        *,
        kept: timedelta,
    ) -> None:
        """`kept`: how long finished verifications are."""
        self._verifications = verifications
        self._kept = kept
        self._gateway = gateway
        self._sender = sender
        self._wake = threading.Event()
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._aside: threading.Thread | None = None
        self._next_sweep = 0.0
        verifications.store.on_commit(self._committed)

    def start(self) -> None:
        """Catches up first, for ten seconds at most, and returns when the loop runs: a server
        that starts this before it listens expires nothing that was answered in time."""
        self.catch_up()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        self._thread.start()
        self._aside = threading.Thread(target=self._run_aside, name="aside", daemon=True)
        self._aside.start()

    def catch_up(self) -> None:
        """Reads what was missed, for ten seconds at most. A web process whose dispatcher runs
        elsewhere calls this alone: it is the one that was down."""
        catching_up = threading.Thread(target=self._catch_up, name="catch-up", daemon=True)
        catching_up.start()
        catching_up.join(CATCH_UP_SECONDS)

    def refuse_more(self) -> None:
        """Nothing is begun any more. Safe in a signal handler."""
        self._is_stopping.set()
        self._sender.refuse_more()
        self._wake.set()

    def stop(self) -> bool:
        """Ends the threads; what is being sent is finished or handed back. False: not all was."""
        self.refuse_more()
        until = time.monotonic() + STOP_SECONDS
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        is_done = self._sender.stop(within_seconds=max(0.0, until - time.monotonic()))
        if self._aside is not None:  # last: it may wait for Twilio, and nothing is lost with it
            self._aside.join(max(0.0, until - time.monotonic()))
        return is_done

    def run_once(self) -> int:
        """Every duty once, in this thread. Returns how much there was to do."""
        probe.run_once(self._verifications, self._gateway)
        erase.run_once(self._verifications, self._gateway)
        count.run_once(self._verifications)
        return self._sender.run_once() + expire.run_once(self._verifications)

    def _committed(self, done: Done[Any], seconds: float) -> None:
        if done.has_work:
            self._wake.set()

    def _catch_up(self) -> None:
        try:
            expire.retire_keys(self._verifications)
            count = catch_up.run_once(self._verifications, self._gateway)
        except Exception:
            log.exception("catching up failed")
        else:
            log.info("caught up with %d texts", count)

    def _run_aside(self) -> None:
        """Duties that wait for Twilio one by one, or that no text must wait for."""
        while not self._is_stopping.wait(ASIDE_EVERY_SECONDS):
            for duty in (
                self._verifications.store.tidy,
                partial(probe.run_once, self._verifications, self._gateway),
                partial(erase.run_once, self._verifications, self._gateway),
                partial(count.run_once, self._verifications),
                self._sweep_if_due,
            ):
                try:
                    duty()
                except Exception:
                    log.exception("a duty aside failed; going on")

    def _sweep_if_due(self) -> None:
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + SWEEP_SECONDS
            self._sweep()

    def _run(self) -> None:
        failures = 0
        while not self._is_stopping.is_set():
            self._wake.clear()
            try:
                pause = self._turn().total_seconds()
                failures = 0
            except StoreUnavailable:
                log.exception("the database is away; going on in %.1f s", AWAY_SECONDS)
                self._is_stopping.wait(AWAY_SECONDS)
                continue
            except Exception:
                # Whatever it was, texts must go on being sent.
                failures += 1
                pause = min(30.0, 0.5 * 2**failures)
                log.exception("a duty failed; going on in %.1f s", pause)
                self._is_stopping.wait(pause)
                continue
            if pause > 0:
                self._wake.wait(pause)

    def _turn(self) -> timedelta:
        """Does what is due, one batch of each. Returns how long to sleep."""
        due = self._verifications.store.read(_look)
        pause = due.pause
        if due.are_verifications:
            is_full = expire.run_once(self._verifications) == expire.BATCH
            pause = timedelta(0) if is_full else SHORTEST_SLEEP
        if due.are_texts and self._sender.run_aside(self._wake.set) > 0:
            pause = timedelta(0)
        return pause

    def _sweep(self) -> None:
        """Removes what is older than it is kept, in small transactions."""
        retain = partial(forget.retain, kept=self._kept, limit=SWEPT_AT_ONCE)
        for use_case in (retain, _drop_old_messages):
            while self._verifications.store.write(use_case) == SWEPT_AT_ONCE:
                if self._is_stopping.is_set():
                    return


@dataclass(frozen=True, slots=True)
class _Due:
    """When the next text and the next verification are due; None: none is."""

    now: datetime
    text_at: datetime | None
    verification_at: datetime | None

    @property
    def are_texts(self) -> bool:
        return self.text_at is not None and self.text_at <= self.now

    @property
    def are_verifications(self) -> bool:
        return self.verification_at is not None and self.verification_at <= self.now

    @property
    def pause(self) -> timedelta:
        """A text that is due but was not taken waits for a free sender, who wakes us."""
        ahead = [at - self.now for at in (self.text_at, self.verification_at) if at is not None]
        return min([LONGEST_SLEEP, *(wait for wait in ahead if wait > timedelta(0))])


def _look(tx: Tx) -> _Due:
    return _Due(tx.now, outbox.next_due_at(tx), table.next_due_at(tx))


def _drop_old_messages(tx: Tx) -> Done[int]:
    return Done(inbound.drop_old(tx, limit=SWEPT_AT_ONCE))
