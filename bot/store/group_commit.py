"""Waiting writers share one commit, and so one fsync, which is most of the cost of a write.

The first writer becomes the leader: it lets others join whose requests have arrived, takes all
queued use cases, runs them one after the other in one transaction, and commits once. No writer
returns before that COMMIT has returned. The first writer that is still waiting leads the next
batch. If a use case raises, the batch is rolled back and run again with a savepoint for each use
case. Savepoints are not used at first, since refusals are rare and savepoints were two of thirteen
statements. If SQLite rolls back the whole transaction itself (a full disk), or the commit fails,
each use case is run again in a transaction of its own.
"""

import copy
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import Context
from typing import Any, Generic, TypeVar

import sqlite_utils

from bot.concurrency.blocking import yield_turn
from bot.store.tx import STORE_TIMEOUT_SECONDS, Done, OutcomeUnknown, StoreUnavailable, Tx

T = TypeVar("T")

BATCH = 64  # write transactions that share one commit, at most
# How long the next batch is expected to take, at most.
LONGEST_EXPECTED_SECONDS = STORE_TIMEOUT_SECONDS / 2
# How long a leader lets others join before its transaction begins: sixteen starts that arrive
# together take thirteen milliseconds until they can be written.
GATHER_SECONDS = 0.02
# Beside requests that write nothing, turns of the loop take longer and bring no writer. Once they
# have cost more than the writers were worth, leaders begin at once for a second.
WORTH_SECONDS = 0.004  # of waiting, for each writer
MOST_SAVED_SECONDS = 0.1
ALONE_SECONDS = 1.0
TOO_LONG = "the writers before it take too long"

# An open transaction, committed where the block ends; waits for its lock until then.
Transaction = Callable[[float], AbstractContextManager[sqlite_utils.Database]]


class _Raised(Exception):
    """A use case raised; the cause says what."""


class _Job(Generic[T]):
    """One use case on its way through a commit."""

    def __init__(self, use_case: Callable[[Tx], Done[T]], within: float) -> None:
        self.use_case = use_case
        self.until = time.monotonic() + within
        self.turn = threading.Lock()  # released when it is finished, or is to lead
        self.turn.acquire()
        self.is_finished = False
        self.is_refused = False  # its caller would have gone before its commit
        self.is_abandoned = False  # its caller stopped waiting: the leader tells the listeners
        self.done: Done[T] | None = None
        self.error: BaseException | None = None


class GroupCommit:
    def __init__(
        self,
        transaction: Transaction,
        new_tx: Callable[[sqlite_utils.Database], Tx],
        *,
        on_commit: Callable[[Done[Any], float], None],
    ) -> None:
        """`on_commit` gets the result of each use case and the seconds it took."""
        self._transaction = transaction
        self._new_tx = new_tx
        self._on_commit = on_commit
        self._mutex = threading.Lock()
        self.waiting: deque[_Job[Any]] = deque()
        self._is_led = False
        self._alone_until = 0.0  # a leader begins at once before this instant
        self._saved = 0.0  # seconds: what writers were worth, less the waits
        # How long the last batches took. The next one is expected to take no longer than the
        # quicker of them: one slow commit says little.
        self.batch_seconds = deque([0.0], maxlen=2)

    def write(self, use_case: Callable[[Tx], Done[T]], within: float) -> T:
        """Runs the use case and returns its value after the commit; waits `within` seconds at most.
        Raises StoreUnavailable, and what the use case raises."""
        began = time.perf_counter()
        job = _Job(use_case, within)
        with self._mutex:
            self.waiting.append(job)
            leads = not self._is_led
            self._is_led = True
        if not leads:
            self._await_turn(job, within)
        if not job.is_finished:
            self._lead(job.until)
        if job.error is not None:
            raise job.error
        assert job.done is not None
        # Call the listeners in the requesting thread, so that log lines carry its request id.
        self._on_commit(job.done, time.perf_counter() - began)
        return job.done.value

    def _await_turn(self, job: "_Job[Any]", seconds: float) -> None:
        """Waits until the job is finished or is to lead. Raises StoreUnavailable if that takes too
        long: OutcomeUnknown if the job is being written by then."""
        if job.turn.acquire(timeout=seconds):
            return
        with self._mutex:
            if job.turn.acquire(blocking=False):  # just now
                return
            if job.is_refused:  # undone, and the rest of its batch is being written
                raise StoreUnavailable(TOO_LONG)
            if job not in self.waiting:
                job.is_abandoned = True
                raise OutcomeUnknown("the commit takes too long")
            self.waiting.remove(job)
        raise StoreUnavailable(TOO_LONG)

    def _lead(self, until: float) -> None:
        """`until`: when the leader's own caller stops waiting; then the leader stops too."""
        batch: list[_Job[Any]] = []
        try:
            if not self._commit_at_once(batch, until):
                self._commit_apart(batch, until)
        except Exception as error:
            self._commit_singly(batch, error, until)
        finally:
            self._hand_over()
        with self._mutex:
            for job in batch:
                job.is_finished = True
                job.turn.release()
            abandoned = [job.done for job in batch if job.is_abandoned]
        for done in abandoned:  # the caller stopped waiting, but listeners must hear of the change
            if done is not None:  # and not as a change of the leader's request
                Context().run(self._on_commit, done, STORE_TIMEOUT_SECONDS)

    def _commit_at_once(self, batch: list[_Job[Any]], until: float) -> bool:
        """Runs all waiting use cases in one transaction. Returns False if one raised and the
        transaction was rolled back. Raises if the transaction itself failed."""
        self._gather()
        try:
            with self._transaction(until) as db:
                began = time.monotonic()
                # Writers that come meanwhile are served too: one fsync for more of them.
                while drawn := self._draw(batch):
                    # `now` is read after the lock is held and the jobs are drawn, so that no job is
                    # judged by a time before it was queued.
                    tx = self._new_tx(db)
                    for job in drawn:
                        self._run(job, tx)
        except _Raised as raised:
            if len(batch) == 1:  # no other work was undone
                batch[0].error = raised.__cause__
            return len(batch) == 1
        self._note_duration(batch, began)
        return True

    def _gather(self) -> None:
        """Lets others join for as long as more come: a commit costs the process two milliseconds
        beside what it writes, since the thread that commits competes for the interpreter."""
        began, found, count = time.monotonic(), len(self.waiting), 0
        if began < self._alone_until:
            return
        until = began + GATHER_SECONDS
        while count < len(self.waiting) < BATCH and time.monotonic() < until:
            count = len(self.waiting)
            yield_turn()
        now, writers = time.monotonic(), max(1, 1 + len(self.waiting) - found)
        self._saved += writers * WORTH_SECONDS - (now - began)
        self._saved = min(self._saved, MOST_SAVED_SECONDS)
        if self._saved < 0:
            self._saved, self._alone_until = 0.0, now + ALONE_SECONDS

    def _note_duration(self, batch: list[_Job[Any]], began: float) -> None:
        if not all(job.is_refused for job in batch):  # refusals alone take no time
            self.batch_seconds.append(time.monotonic() - began)

    def _draw(self, batch: list[_Job[Any]]) -> list[_Job[Any]]:
        """Moves waiting use cases into the batch, as far as it has room, and returns them."""
        with self._mutex:
            count = min(len(self.waiting), BATCH - len(batch))
            drawn = [self.waiting.popleft() for _ in range(count)]
        batch.extend(drawn)
        return drawn

    def _refuse_if_too_late(self, job: _Job[Any]) -> bool:
        """Refuses a use case whose caller would have gone before its commit, and returns whether.
        Under overload such work is wasted, and its callers would not learn the result."""
        expected = min(*self.batch_seconds, LONGEST_EXPECTED_SECONDS)
        if time.monotonic() + expected > job.until:
            job.is_refused = True
            job.done, job.error = None, StoreUnavailable(TOO_LONG)
        return job.is_refused

    def _run(self, job: _Job[Any], tx: Tx) -> None:
        if self._refuse_if_too_late(job):
            return
        try:
            job.done = job.use_case(tx)
        except Exception as error:
            raise _Raised from error

    def _commit_apart(self, batch: list[_Job[Any]], until: float) -> None:
        with self._transaction(until) as db:
            began = time.monotonic()
            tx = self._new_tx(db)
            for job in batch:
                self._run_apart(job, tx, db)
        self._note_duration(batch, began)

    def _run_apart(self, job: _Job[Any], tx: Tx, db: sqlite_utils.Database) -> None:
        if job.is_refused or self._refuse_if_too_late(job):
            return
        db.execute("SAVEPOINT use_case")
        try:
            job.done = job.use_case(tx)
        except Exception as error:
            if not db.conn.in_transaction:
                raise  # SQLite undid the whole batch
            db.execute("ROLLBACK TO use_case")
            job.done, job.error = None, error
        db.execute("RELEASE use_case")

    def _commit_singly(self, batch: list[_Job[Any]], error: Exception, until: float) -> None:
        if not batch:  # it never began: fail every job whose deadline has passed
            with self._mutex:
                over = max(until, time.monotonic())
                batch.extend(job for job in self.waiting if job.until <= over)
                for job in batch:
                    self.waiting.remove(job)
            for job in batch:  # of its own: each raise adds to an exception's traceback
                job.error = copy.copy(error)
            return
        for job in [job for job in batch if not job.is_refused]:
            job.done, job.error = None, None
            try:
                with self._transaction(until) as db:
                    job.done = job.use_case(self._new_tx(db))
            except Exception as alone:
                job.done, job.error = None, alone

    def _hand_over(self) -> None:
        with self._mutex:
            if self.waiting:
                self.waiting[0].turn.release()
            else:
                self._is_led = False
