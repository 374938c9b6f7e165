"""The dispatcher: a loop that sends texts, ends verifications, and sleeps until the next is due.
Each other duty has a thread of its own.

A start in this process wakes the loop at once. The loop never sleeps longer than a tenth of a
second, so it notices a start in another process, perhaps on another host, within that time. A poll
reads two small indexes, and it works behind every connection pooler; LISTEN does not. Any number of
dispatchers may run, since every duty leases its work or checks it again inside its transaction.
"""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bot.concurrency.background import Background
from bot.dispatch import expire
from bot.dispatch.catch_up import CatchUp
from bot.dispatch.duties import AWAY_SECONDS, Duty
from bot.dispatch.notify import Notifier
from bot.dispatch.send import SendDuty
from bot.dispatch.sweep import Sweeper
from bot.store.tx import Done, Store, StoreUnavailable
from bot.usecases import repair
from bot.usecases.due import Due, due

LONGEST_SLEEP = timedelta(milliseconds=100)
SHORTEST_SLEEP = timedelta(milliseconds=20)  # so that nothing can keep the loop spinning
# Shortest pause between two turns, so that texts queued meanwhile are claimed in one transaction.
# Without it, each claim under load took only one or two texts.
GATHERING_SECONDS = 0.008
STOP_SECONDS = 20.0

log = logging.getLogger(__name__)


class _Repeated(Background):
    """A thread that repeats a duty at its pace."""

    def __init__(self, duty: Duty) -> None:
        super().__init__(duty.name)
        self._duty = duty

    def _run(self) -> None:
        while not self._is_over.wait(self._duty.every_seconds):
            try:
                self._duty.run_once()
            except StoreUnavailable as error:
                log.warning("the duty %s waits for the database: %s", self._name, error)
            except Exception:
                log.exception("the duty %s failed; going on", self._name)


class Dispatcher:
    """Sends and expires in one thread, and runs the other duties in theirs. `start` starts all the
    threads, `catch_up` those that read missed replies, and `stop` ends them."""

    def __init__(
        self,
        store: Store,
        send: SendDuty,
        catch_up: CatchUp,
        sweeper: Sweeper,
        notifier: Notifier,
        duties: Sequence[Duty],
    ) -> None:
        self._store = store
        self.send = send
        self._notifier = notifier
        self._catch_up = catch_up
        self._sweeper = sweeper
        self._duties = duties
        self._background = [notifier, *(_Repeated(duty) for duty in duties)]
        self._wake = threading.Event()
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None
        store.on_commit(self._committed)

    def start(self) -> None:
        """Catches up first, for ten seconds at most, and returns when the loop runs: a server
        that starts this before it listens expires nothing that was answered in time."""
        self._store.write(repair.begin_anew)
        self.catch_up()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        self._thread.start()
        for background in self._background:
            background.start()

    def catch_up(self) -> None:
        """Reads what was missed, for ten seconds at most, and goes on to do so after every outage
        of the store. A web process whose dispatcher runs elsewhere calls only this: it is the
        process that was down and missed replies."""
        self._catch_up.start()

    def refuse_more(self) -> None:
        """Begins nothing new from now on. Safe in a signal handler."""
        self._is_stopping.set()
        self.send.refuse_more()
        for background in (*self._background, self._catch_up):
            background.refuse_more()
        self._wake.set()

    def stop(self) -> bool:
        """Ends the threads. Texts being sent are finished or handed back. False: some were not."""
        self.refuse_more()
        until = time.monotonic() + STOP_SECONDS

        def left() -> float:
            return max(0.0, until - time.monotonic())

        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        is_done = self.send.stop(within_seconds=left())
        for background in (*self._background, self._catch_up):
            background.stop(within_seconds=left())
        return is_done

    def run_once(self) -> int:
        """For tests: runs every duty except housekeeping once, in this thread, due or not. Returns
        how many items there were to send, to expire and to notify."""
        self._catch_up.run_once()
        if self._store.read(due).is_unreadable:
            self._store.write(repair.set_unreadable_aside)
        for duty in self._duties:
            if not duty.is_housekeeping:
                duty.run_once()
        return self.send.run_once() + self._expire() + self._notifier.run_once()

    def sweep(self) -> None:
        """For tests: removes old rows, in this thread."""
        self._sweeper.sweep()

    def _expire(self) -> int:
        return expire.run_once(
            self._store,
            judged_until=self._catch_up.judged_until,
            is_waited_for=self._catch_up.is_waited_for,
        )

    def _committed(self, done: Done[Any], seconds: float) -> None:
        if done.has_work:
            self._wake.set()

    def _run(self) -> None:
        failures = 0
        while not self._is_stopping.is_set():
            self._wake.clear()
            try:
                pause = self.turn().total_seconds()
                failures = 0
            except StoreUnavailable as error:
                log.error("the database is away: %s; going on in %.1f s", error, AWAY_SECONDS)
                self._is_stopping.wait(AWAY_SECONDS)
                continue
            except Exception:
                # Texts must still be sent, whatever the error was.
                failures += 1
                pause = pause_after(failures)
                log.exception("a duty failed; going on in %.1f s", pause)
                self._is_stopping.wait(pause)
                continue
            self._is_stopping.wait(GATHERING_SECONDS)
            self._wake.wait(max(0.0, pause - GATHERING_SECONDS))

    def turn(self) -> timedelta:
        """Sends one batch of due texts and ends one batch of due verifications. Returns how long to
        sleep."""
        next_due = self._store.read(due)
        if next_due.is_unreadable:
            self._store.write(repair.set_unreadable_aside)
        ended = self._expire() if next_due.has_due_verifications else None
        if next_due.has_due_texts and self.send.run_in_background(self._wake.set) > 0:
            return timedelta(0)
        if ended == 0:  # they wait for other processes, which may wait for this one too
            self._catch_up.heart.try_to_beat()
        if not ended:
            return pause_until(next_due)
        return timedelta(0) if ended == expire.BATCH else SHORTEST_SLEEP


def pause_until(next_due: Due) -> timedelta:
    """A text that is due but was not taken waits for a free thread, which wakes us."""
    return min(LONGEST_SLEEP, next_due.time_to_next or LONGEST_SLEEP)


def pause_after(failures: int) -> float:
    """Seconds after so many failed turns in a row.

    >>> [pause_after(failures) for failures in (1, 2, 5, 100_000)]
    [1.0, 2.0, 16.0, 30.0]
    """
    return min(30.0, 0.5 * 2.0 ** min(failures, 6))
