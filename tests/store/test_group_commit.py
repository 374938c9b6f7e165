"""Writers that wait share a commit on SQLite; a failure of one spoils none of the others."""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from functools import partial

import pytest

from bot.store import group_commit
from bot.store.sqlite import SqliteStore
from bot.store.tx import Done, StoreUnavailable, Tx
from tests.processes.service import until
from tests.store.marks import count, mark, phone


def queue_up(store: SqliteStore, writers: list[Callable[[], object]]) -> None:
    """Runs the writers in threads that all wait while another holds the transaction, so that they
    are served by the next one together."""
    began, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> Done[None]:
        began.set()
        go_on.wait(5)
        return Done(None)

    threads = [threading.Thread(target=store.write, args=(slow,))]
    threads[0].start()
    began.wait(5)
    threads += [threading.Thread(target=writer) for writer in writers]
    for place, thread in enumerate(threads[1:], start=1):
        thread.start()
        until(lambda place=place: len(store.group.waiting) == place, 5)  # they keep their order
    go_on.set()
    for thread in threads:
        thread.join(5)


def test_waiting_writers_share_a_commit(store: SqliteStore) -> None:
    seen: list[int] = []
    store.on_commit(lambda done, _: seen.append(count(store)) if done.value is not None else None)
    queue_up(store, [partial(store.write, mark(number)) for number in range(19)])
    # The first caller that is told can already see all of them.
    assert seen == [19] * 19


def test_one_who_raises_does_not_spoil_the_commit_of_the_others(store: SqliteStore) -> None:
    outcomes: dict[int, object] = {}

    def write(number: int) -> None:
        def use_case(tx: Tx) -> Done[int]:
            mark(number)(tx)
            if number % 3 == 0:
                raise ValueError(number)
            return Done(number)

        try:
            outcomes[number] = store.write(use_case)
        except ValueError as error:
            outcomes[number] = error

    queue_up(store, [partial(write, number) for number in range(12)])
    assert count(store) == 8
    assert len(outcomes) == 12
    for number, outcome in outcomes.items():
        assert isinstance(outcome, ValueError) is (number % 3 == 0)


def test_after_a_rollback_of_the_whole_batch_each_is_run_again_alone(store: SqliteStore) -> None:
    """A full disk can make SQLite roll back the whole transaction, savepoints and all. A trigger
    that raises ROLLBACK does the same."""
    outcomes: dict[int, object] = {}
    runs: list[int] = []

    def write(number: int) -> None:
        def use_case(tx: Tx) -> Done[int]:
            runs.append(number)
            mark(number)(tx)
            return Done(number)

        try:
            outcomes[number] = store.write(use_case)
        except sqlite3.IntegrityError as error:
            outcomes[number] = str(error)

    store.writer.execute(
        "CREATE TEMP TRIGGER full BEFORE INSERT ON main.opt_out"
        f" WHEN new.phone = '{phone(2)}' BEGIN SELECT raise(ROLLBACK, 'full'); END"
    )
    queue_up(store, [partial(write, number) for number in range(5)])
    assert outcomes == {0: 0, 1: 1, 2: "full", 3: 3, 4: 4}
    assert count(store) == 4
    assert len(runs) > 5


def test_a_database_locked_by_another_process_fails_the_write_and_nothing_else(
    store: SqliteStore,
) -> None:
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.write_within(0.1, mark(1))
    assert count(store) == 0
    other.execute("COMMIT")
    other.close()
    assert store.write(mark(1)) == 1


def test_more_writers_than_a_batch_holds_all_get_their_turn(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "BATCH", 3)
    threads = [threading.Thread(target=store.write, args=(mark(n),)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert count(store) == 50


class Unchanged(deque[float]):
    def append(self, _: float) -> None:
        """Batches of this test say nothing."""


@pytest.mark.parametrize("seconds", [(3.0, 3.0), (3.0, 0.0)], ids=["overload", "one slow commit"])
@pytest.mark.parametrize("beside", ["", "one that raises", "one that rolls all back"])
def test_one_whose_caller_would_have_gone_is_refused_undone(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, float], beside: str
) -> None:
    heard: list[object] = []
    store.on_commit(lambda done, _: heard.append(done.value))
    outcomes: dict[int, object] = {}

    def write(number: int, within: float) -> None:
        def use_case(tx: Tx) -> Done[int]:
            mark(number)(tx)
            if number == 2 and beside == "one that raises":
                raise ValueError
            if number == 2 and beside:
                tx.run("ROLLBACK")
            return Done(number)

        try:
            outcomes[number] = store.write_within(within, use_case)
        except (StoreUnavailable, ValueError, sqlite3.Error) as error:
            outcomes[number] = type(error)

    writers = [partial(write, number, 1.5 if number == 1 else 60.0) for number in (1, 2, 3)]
    monkeypatch.setattr(store.group, "batch_seconds", Unchanged(seconds))
    queue_up(store, writers)
    is_refused = min(seconds) > 1.5
    assert outcomes[1] == (StoreUnavailable if is_refused else 1)
    assert (1 in heard) is not is_refused
    assert outcomes[3] == 3
    assert count(store) == len([number for number in heard if number])


def test_how_long_a_batch_takes_is_known_from_the_last_two(store: SqliteStore) -> None:
    for number in range(2):
        assert min(store.group.batch_seconds) == 0
        store.write(mark(number))
    assert min(store.group.batch_seconds) > 0


class Clock:
    """Stands in for the module `time`; a use case moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    perf_counter = monotonic


def test_a_batch_in_which_one_raises_is_protected_too(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs twice: the second time takes the caller's patience."""
    clock, outcomes = Clock(), []
    monkeypatch.setattr(group_commit, "time", clock)

    def slow(tx: Tx) -> Done[None]:
        clock.seconds += 2
        return Done(None)

    def impatient() -> None:
        with pytest.raises(StoreUnavailable) as caught:
            store.write_within(3, mark(1))
        outcomes.append(type(caught.value))

    def raising(_: Tx) -> Done[None]:
        raise ValueError("no")

    def raises() -> None:
        with pytest.raises(ValueError, match="no"):
            store.write(raising)

    queue_up(store, [partial(store.write_within, 60, slow), impatient, raises])
    assert outcomes == [StoreUnavailable]
    assert count(store) == 0
    assert list(store.group.batch_seconds) == [0, 2]  # the holder's, then the second time alone


def test_refusals_alone_say_nothing_about_the_next_batch(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.group.batch_seconds.extend([3.0, 3.0])
    for number in range(3):
        with pytest.raises(StoreUnavailable):
            store.write_within(1.5, mark(number))
    assert count(store) == 0


def test_one_that_is_refused_is_told_that_nothing_was_done(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if its caller stops waiting while the rest of its batch is written."""
    outcomes: list[type] = []
    is_told = threading.Event()

    def refused() -> None:
        with pytest.raises(StoreUnavailable) as caught:
            store.write_within(0.3, mark(1))
        outcomes.append(type(caught.value))
        is_told.set()

    def lasting(tx: Tx) -> Done[None]:
        is_told.wait(5)
        return Done(None)

    monkeypatch.setattr(store.group, "batch_seconds", Unchanged([3.0, 3.0]))
    queue_up(store, [refused, partial(store.write_within, 60, lasting)])
    assert outcomes == [StoreUnavailable]
