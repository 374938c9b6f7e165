"""Before its transaction begins, a leader lets writers join whose requests have arrived."""

import threading
from types import SimpleNamespace

import pytest

from bot.store import group_commit
from bot.store.sqlite import SqliteStore
from tests.processes.service import until
from tests.store.marks import count, mark


class Loop:
    """Stands in for the event loop: in each of its turns a writer arrives, up to so many."""

    def __init__(self, store: SqliteStore, *, writers: int) -> None:
        self._store = store
        self._writers = writers
        self.turns = 0
        self.threads: list[threading.Thread] = []

    def turn(self) -> None:
        self.turns += 1
        if self.turns > self._writers:
            return
        thread = threading.Thread(target=self._store.write, args=(mark(self.turns),))
        self.threads.append(thread)
        before = len(self._store.group.waiting)
        thread.start()
        until(lambda: len(self._store.group.waiting) > before, 5)


def commits_of(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, *, writers: int
) -> tuple[int, int]:
    """Writes beside so many others. Returns the number of commits, and of turns of the loop."""
    loop = Loop(store, writers=writers)
    seen: list[str] = []
    store.writer.conn.set_trace_callback(seen.append)
    with monkeypatch.context() as patched:
        patched.setattr(group_commit, "yield_turn", loop.turn)
        store.write(mark(0))
        for thread in loop.threads:
            thread.join(5)
    store.writer.conn.set_trace_callback(None)
    return seen.count("COMMIT"), loop.turns


def test_writers_that_arrive_before_the_transaction_share_its_commit(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 5)
    assert commits_of(store, monkeypatch, writers=8) == (1, 9)
    assert count(store) == 9


def test_a_writer_alone_waits_for_one_turn(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert commits_of(store, monkeypatch, writers=0) == (1, 1)


def test_a_full_batch_begins_at_once(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 5)
    monkeypatch.setattr(group_commit, "BATCH", 3)
    assert commits_of(store, monkeypatch, writers=2) == (1, 2)


def test_the_time_for_joining_is_bounded(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 0)
    assert commits_of(store, monkeypatch, writers=8) == (1, 0)


class SlowLoop:
    """Stands in for an event loop and its clock: each turn takes so long and brings no writer."""

    def __init__(self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self._store = store
        self.now, self.turns = 1000.0, 0
        clock = SimpleNamespace(monotonic=lambda: self.now, perf_counter=lambda: self.now)
        monkeypatch.setattr(group_commit, "time", clock)
        monkeypatch.setattr(group_commit, "yield_turn", self._turn)

    def turns_of(self, writes: int, *, seconds: float) -> list[int]:
        """The number of turns after each of so many writes."""
        self.seconds = seconds
        return [self._write() for _ in range(writes)]

    def _write(self) -> int:
        self._store.write(mark(self.turns))
        return self.turns

    def _turn(self) -> None:
        self.turns += 1
        self.now += self.seconds


def test_after_a_long_wait_in_vain_leaders_begin_at_once_for_a_while(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = SlowLoop(store, monkeypatch)
    assert loop.turns_of(3, seconds=0.04) == [1, 1, 1]
    loop.now += group_commit.ALONE_SECONDS
    assert loop.turns_of(1, seconds=0.04) == [2]


def test_what_gathering_has_saved_outlasts_some_waits_in_vain(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = SlowLoop(store, monkeypatch)
    assert loop.turns_of(100, seconds=0.001)[-1] == 100
    assert loop.turns_of(5, seconds=0.04) == [101, 102, 103, 103, 103]
