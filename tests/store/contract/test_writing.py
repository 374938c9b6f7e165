"""`write` and `read`: all or nothing, in order, and what happens afterwards."""

from datetime import timedelta

import pytest

from bot.domain.errors import IdInUse
from bot.store import opt_outs
from bot.store.tx import Change, Done, Store, Tx
from tests.builders import PHONE, SENDER, verification
from tests.desk import HandClock

CHANGE = Change(None, verification(), ())


def mark(tx: Tx, phone: str = PHONE) -> Done[str]:
    opt_outs.mark(tx, phone=phone, sender=SENDER)
    return Done("marked", has_work=True, changes=(CHANGE,))


def is_marked(store: Store, phone: str = PHONE) -> bool:
    return store.read(lambda tx: opt_outs.load(tx, phone=phone, sender=SENDER)) is not None


def test_a_use_case_returns_its_value_when_it_is_committed(store: Store) -> None:
    assert store.write(mark) == "marked"
    assert is_marked(store)


def test_a_use_case_that_raises_leaves_nothing_behind(store: Store) -> None:
    def refused(tx: Tx) -> Done[None]:
        mark(tx)
        raise IdInUse("no")

    with pytest.raises(IdInUse):
        store.write(refused)
    assert not is_marked(store)


def test_listeners_hear_of_commits_alone_and_after_them(store: Store) -> None:
    heard: list[tuple[Done[str], bool]] = []
    store.on_commit(lambda done, _: heard.append((done, is_marked(store))))
    with pytest.raises(ZeroDivisionError):
        store.write(lambda tx: Done(1 / 0))
    store.write(mark)
    assert [(done.changes, was_there) for done, was_there in heard] == [((CHANGE,), True)]


def test_now_stands_still_within_a_transaction(store: Store, clock: HandClock) -> None:
    def twice(tx: Tx) -> Done[bool]:
        first = tx.now
        clock.forward(10)
        return Done(tx.now == first)

    assert store.write(twice)


def test_now_never_runs_backwards(store: Store, clock: HandClock) -> None:
    before = store.write(lambda tx: Done(tx.now))
    clock.forward(-3600)
    assert store.write(lambda tx: Done(tx.now)) >= before
    assert store.read(lambda tx: tx.now) >= before
    clock.forward(7200)
    assert store.write(lambda tx: Done(tx.now)) == before + timedelta(seconds=3600)


def test_a_reader_sees_one_moment(store: Store) -> None:
    def look_twice(tx: Tx) -> tuple[bool, bool]:
        def look() -> bool:
            return opt_outs.load(tx, phone=PHONE, sender=SENDER) is not None

        first = look()
        store.write(mark)
        return first, look()

    assert store.read(look_twice) == (False, False)
    assert is_marked(store)
