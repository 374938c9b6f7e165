"""Missed texts that wait for another transaction, and the expiry that waits for them."""

from typing import Any

import pytest

from bot.store.tx import RowLocked
from bot.usecases.answer import judge_text
from simulator import faults
from tests.dispatch.processes import Process, beat, sent, status
from tests.harness import Harness

PHONES = [f"+142555501{number}" for number in range(30, 40)]


@pytest.fixture
def lock(pair: list[Process], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The numbers in it are locked: the first process waits in vain with their texts."""
    phones: set[str] = set()
    store = pair[0].store
    write = store.write

    def wait(use_case: Any, *args: Any, **more: Any) -> Any:
        if use_case is judge_text and args[0].phone in phones:
            raise RowLocked("held")
        return write(use_case, *args, **more)

    monkeypatch.setattr(store, "write", wait)
    return phones


def lose_answers(harness: Harness, phones: list[str]) -> None:
    for phone in phones:
        harness.simulator.faults.add(faults.WEBHOOK_NEVER)
        harness.text(harness.code(phone), phone)


@pytest.mark.parametrize("count", [1, 4])
def test_a_lock_that_ends_after_the_deadline_loses_no_missed_answer(
    any_harness: Harness, pair: list[Process], lock: set[str], count: int
) -> None:
    """However long it was held: of one number, or of a table that all need."""
    first, _ = pair
    other, *phones = PHONES[: count + 1]
    ids = {phone: sent(any_harness, phone) for phone in (other, *phones)}
    lose_answers(any_harness, phones)
    first.store.outages.interrupted()
    lock.update(phones)
    for _ in range(12):
        beat(any_harness, *pair, seconds=10)
        assert not first.catch_up.run_once()
        first.expire()
    # With a table locked nothing expires; with a number locked, all others do.
    assert status(any_harness, ids[other]) == ("expired" if count == 1 else "pending")
    lock.clear()
    first.expire()  # before the list is read again
    assert {status(any_harness, ids[phone]) for phone in phones} == {"pending"}
    assert first.catch_up.run_once()
    assert {status(any_harness, ids[phone]) for phone in phones} == {"approved"}
    first.expire()
    assert status(any_harness, ids[other]) == "expired"


@pytest.mark.parametrize("count", [1, 3])
def test_a_lock_met_while_reading_for_a_silent_process_is_not_waited_for_without_end(
    any_harness: Harness, pair: list[Process], lock: set[str], count: int
) -> None:
    first, _ = pair
    phones = PHONES[:count]
    ids = [sent(any_harness, phone) for phone in phones]
    beat(any_harness, *pair, seconds=80)
    lose_answers(any_harness, phones)
    beat(any_harness, first, seconds=12)  # the second one is silent, and a deadline is over
    lock.update(phones)
    assert not first.catch_up.run_once()
    beat(any_harness, first, seconds=30)
    lock.clear()
    assert first.catch_up.run_once()
    first.expire()
    assert {status(any_harness, id) for id in ids} == {"approved"}


def test_a_list_that_cannot_be_read_once_ends_no_wait(
    any_harness: Harness, pair: list[Process], lock: set[str]
) -> None:
    first, _ = pair
    id = sent(any_harness, PHONES[0])
    lose_answers(any_harness, PHONES[:1])
    first.store.outages.interrupted()
    lock.update(PHONES[:1])
    for _ in range(12):
        beat(any_harness, *pair, seconds=10)
        first.catch_up.run_once()
        first.expire()
    any_harness.simulator.faults.add(faults.LIST_ERROR)
    assert not first.catch_up.run_once()
    lock.clear()
    first.expire()
    assert first.catch_up.run_once()
    first.expire()
    assert status(any_harness, id) == "approved"
