"""`write` and `read`: all or nothing, in order, and what happens afterwards."""

from datetime import datetime, timedelta

import pytest

from bot.domain.errors import IdInUse
from bot.domain.events import Event, EventName
from bot.store import history, opt_outs, verifications
from bot.store.opening import open_store
from bot.store.tx import Change, Done, Store, Tx
from tests.builders import OUR_NUMBER, PHONE, verification
from tests.harness import HandClock

CHANGE = Change(None, verification(), ())


def mark(tx: Tx, phone: str = PHONE) -> Done[str]:
    opt_outs.mark(tx, phone=phone, from_address=OUR_NUMBER)
    return Done("marked", has_work=True, changes=(CHANGE,))


def is_marked(store: Store, phone: str = PHONE) -> bool:
    return (
        store.read(lambda tx: opt_outs.load(tx, phone=phone, from_address=OUR_NUMBER)) is not None
    )


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


def test_now_never_runs_backwards_and_never_stands_still(store: Store, clock: HandClock) -> None:
    """A clock that is set back an hour leaves `now` an hour ahead of it, and going on."""
    before = store.write(lambda tx: Done(tx.now))
    clock.forward(-3600)
    assert store.write(lambda tx: Done(tx.now)) == before
    assert store.steady.ahead == timedelta(hours=1)
    clock.forward(10)
    assert store.read(lambda tx: tx.now) == before + timedelta(seconds=10)
    clock.forward(7200)
    assert store.write(lambda tx: Done(tx.now)) == before + timedelta(seconds=7210)
    assert store.steady.ahead == timedelta(hours=1)


def test_a_clock_that_is_set_forward_is_believed_at_once(store: Store, clock: HandClock) -> None:
    before = store.write(lambda tx: Done(tx.now))
    clock.forward(86_400)
    assert store.write(lambda tx: Done(tx.now)) == before + timedelta(days=1)
    assert store.steady.jumps == 0, "a clock moved by hand takes its monotonic clock along"


def test_a_clock_a_moment_back_is_made_up_for(store: Store, clock: HandClock) -> None:
    """By NTP, for example: time runs at half speed until the clock has caught up."""
    before = store.write(lambda tx: Done(tx.now))
    clock.forward(-1)
    assert store.write(lambda tx: Done(tx.now)) == before
    clock.forward(0.5)
    assert store.write(lambda tx: Done(tx.now)) == before + timedelta(seconds=0.25)
    clock.forward(0.4)
    assert store.write(lambda tx: Done(tx.now)) == before + timedelta(seconds=0.45)
    clock.forward(2)
    assert store.write(lambda tx: Done(tx.now)) == before + timedelta(seconds=1.9)
    assert store.steady.ahead == timedelta(0)


def test_a_new_process_goes_on_from_the_newest_instant(
    store: Store, clock: HandClock, database_url: str
) -> None:
    def began(tx: Tx) -> Done[datetime]:
        verifications.insert(tx, verification(created_at=tx.now))
        history.append(tx, "an-id", [Event(EventName.STARTED)])
        return Done(tx.now)

    before = store.write(began)
    clock.forward(-86_400)
    other = open_store(database_url, connections=2, clock=clock)
    assert other.read(lambda tx: tx.now) == before
    clock.forward(25)
    assert other.read(lambda tx: tx.now) == before + timedelta(seconds=25)
    other.close()


def test_a_reader_sees_one_moment(store: Store) -> None:
    def look_twice(tx: Tx) -> tuple[bool, bool]:
        def look() -> bool:
            return opt_outs.load(tx, phone=PHONE, from_address=OUR_NUMBER) is not None

        first = look()
        store.write(mark)
        return first, look()

    assert store.read(look_twice) == (False, False)
    assert is_marked(store)
