"""Starts that arrive at the same moment share one read of the table `usage`."""

import threading
from datetime import timedelta

import pytest

from bot.admission import usage_follower
from bot.admission.usage_follower import UsageFollower
from bot.domain.effects import UsageKind
from bot.store import usage
from bot.store.sqlite import SqliteStore
from bot.store.tx import Done, StoreUnavailable, Tx
from tests.processes.service import until


class Asked:
    """A lock that counts who asked for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def acquire(self, timeout: float) -> bool:
        self.count += 1
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        self._lock.release()


class Follower:
    """A follower of a store, with its reads and the rows it counts. `beside` others call it while
    the first one yields."""

    def __init__(self, store: SqliteStore, patched: pytest.MonkeyPatch, *, beside: int) -> None:
        self.counted: list[usage.Usage] = []
        self.outcomes: list[object] = []
        self.reads = 0
        self.fails = 0
        self._store, self._read, self._beside = store, store.read, beside
        self._threads: list[threading.Thread] = []
        self._is_first = True
        hour = timedelta(hours=1)
        self._follower = UsageFollower(store, longest=hour, counters=[self.counted.append])
        self._lock = Asked()
        patched.setattr(self._follower, "lock", self._lock)
        patched.setattr(usage_follower, "yield_turn", self._others_come)
        patched.setattr(store, "read", self._count_read)

    def refresh(self) -> None:
        try:
            self.outcomes.append(self._follower.refresh())
        except StoreUnavailable as error:
            self.outcomes.append(type(error))

    def refresh_beside_others(self) -> None:
        self.refresh()
        for thread in self._threads:
            thread.join(5)

    def _others_come(self) -> None:
        if not self._is_first:
            return
        self._is_first = False
        self._threads = [threading.Thread(target=self.refresh) for _ in range(self._beside)]
        for thread in self._threads:
            thread.start()
        until(lambda: self._lock.count == 1 + self._beside, 5)
        self._store.write(add_start)  # after the calls, before the read

    def _count_read(self, query):
        self.reads += 1
        if self.reads <= self.fails:
            raise StoreUnavailable("not now")
        return self._read(query)


def add_start(tx: Tx) -> Done[None]:
    usage.add(
        tx, UsageKind.START, phone="+14255550123", country="US", started_by="x", run_id="00" * 8
    )
    return Done(None)


def test_calls_at_the_same_moment_share_a_read_that_begins_after_each(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(store, monkeypatch, beside=4)
    follower.refresh_beside_others()
    assert follower.outcomes == [True] * 5
    assert (follower.reads, len(follower.counted)) == (1, 1)
    follower.refresh()  # a later call has a read of its own
    assert follower.reads == 2


def test_a_read_that_failed_is_not_shared(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(store, monkeypatch, beside=1)
    follower.fails = 1
    follower.refresh_beside_others()
    assert follower.outcomes == [StoreUnavailable, True]
    assert (follower.reads, len(follower.counted)) == (2, 1)
