"""Missed texts that wait for another transaction, and the expiry that waits for them."""

from typing import Any

import pytest

from bot.store.tx import RowLocked
from bot.usecases.answer import judge_text
from simulator import faults
from tests.dispatch.processes import Process, beat, sent, status
from tests.harness import Harness


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


@pytest.mark.parametrize("count", [1, 4])
def test_a_lock_that_ends_after_the_deadline_loses_no_missed_answer(
    any_harness: Harness, pair: list[Process], lock: set[str], count: int
) -> None:
    """However long it was held: of one number, or of a table that all need."""
    first, _ = pair
    other, *phones = [f"+142555501{number}" for number in range(30, 31 + count)]
    ids = {phone: sent(any_harness, phone) for phone in (other, *phones)}
    for phone in phones:
        any_harness.simulator.faults.add(faults.WEBHOOK_NEVER)
        any_harness.text(any_harness.code(phone), phone)
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
