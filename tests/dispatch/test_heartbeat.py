"""A verification waits for the replies that another process may have missed."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bot.dispatch import expire
from bot.dispatch.catch_up import CatchUp
from bot.store.opening import open_store
from bot.store.tx import Store
from simulator import faults
from tests.builders import wrong_code
from tests.harness import PHONE, Harness


@dataclass
class Process:
    """One of several; its clock is the test's."""

    store: Store
    catch_up: CatchUp

    def expire(self) -> int:
        return expire.run_once(self.store, judged_until=self.catch_up.judged_until)


@pytest.fixture
def pair(any_harness: Harness) -> Iterator[list[Process]]:
    service = any_harness.service

    def process() -> Process:
        store = open_store(
            any_harness.settings.database_url, connections=2, clock=any_harness.clock
        )

        def monotonic() -> float:
            return any_harness.clock.now.timestamp()

        return Process(store, CatchUp(store, service.gateway, service.rules, monotonic))

    processes = [process(), process()]
    yield processes
    for one in processes:
        one.store.close()


def beat(harness: Harness, *processes: Process, seconds: float) -> None:
    """All of them beat as time goes on."""
    for _ in range(int(seconds)):
        harness.clock.forward(1)
        for process in processes:
            process.catch_up.beat()


def sent(harness: Harness, phone: str = PHONE) -> str:
    """The harness's own dispatcher would be a third process that beats."""
    id = harness.start(phone)["id"]
    harness.dispatcher.send.run_once()
    return str(id)


def begin(harness: Harness, pair: list[Process], *, until_deadline: float) -> str:
    id = sent(harness)
    beat(harness, *pair, seconds=90 - until_deadline)
    return id


def status(harness: Harness, id: str) -> str:
    return harness.status(id)["customStatus"]["status"]


def test_it_ends_once_the_others_have_written_after_its_deadline(
    any_harness: Harness, pair: list[Process]
) -> None:
    first, second = pair
    id = begin(any_harness, pair, until_deadline=1)
    any_harness.clock.forward(1.2)
    assert first.expire() == 0
    assert status(any_harness, id) == "pending"
    second.catch_up.beat()
    assert first.expire() == 1
    assert status(any_harness, id) == "expired"


def test_what_one_that_died_has_missed_is_read_by_another(
    any_harness: Harness, pair: list[Process]
) -> None:
    first, _second = pair
    id = begin(any_harness, pair, until_deadline=2)
    any_harness.simulator.faults.add(faults.WEBHOOK_NEVER)
    any_harness.text(any_harness.code())
    beat(any_harness, first, seconds=3)
    assert first.expire() == 0
    any_harness.clock.forward(1)
    assert first.catch_up.run_once()
    assert status(any_harness, id) == "approved"
    assert heartbeats(any_harness) == 1, "it is not waited for again"


def test_it_is_waited_for_ten_seconds_at_most(any_harness: Harness, pair: list[Process]) -> None:
    first, _second = pair
    id = begin(any_harness, pair, until_deadline=1)
    any_harness.simulator.faults.add(faults.LIST_ERROR, times=100)
    for _ in range(9):
        beat(any_harness, first, seconds=1)
        first.catch_up.run_once()
        assert first.expire() == 0
    beat(any_harness, first, seconds=1)
    assert first.expire() == 1
    assert status(any_harness, id) == "expired"


def test_a_late_reply_is_refused_only_while_a_process_is_silent(
    any_harness: Harness, pair: list[Process]
) -> None:
    begin(any_harness, pair, until_deadline=1)
    any_harness.clock.forward(1.2)
    assert "expired" in any_harness.text(wrong_code(any_harness.code())).body
    other = sent(any_harness, "+14255550177")
    beat(any_harness, *pair, seconds=89)
    any_harness.clock.forward(4.5)
    answer = any_harness.text(any_harness.code("+14255550177"), "+14255550177")
    assert answer.status == 503
    assert status(any_harness, other) == "pending"


def test_a_process_that_has_refused_a_reply_does_not_beat(
    any_harness: Harness, pair: list[Process]
) -> None:
    first, second = pair
    id = begin(any_harness, pair, until_deadline=1)
    second.store.outages.failed()
    any_harness.clock.forward(1.2)
    second.catch_up.beat()
    assert first.expire() == 0
    assert second.catch_up.run_once()
    assert first.expire() == 1
    assert status(any_harness, id) == "expired"


def test_one_that_was_idle_is_not_silent(any_harness: Harness, pair: list[Process]) -> None:
    """Nothing was written while nothing was pending."""
    begin(any_harness, pair, until_deadline=80)
    any_harness.text(any_harness.code())
    beat(any_harness, *pair, seconds=1)
    any_harness.clock.forward(60)
    sent(any_harness, "+14255550177")
    any_harness.simulator.faults.add(faults.LIST_ERROR, times=1)
    for process in pair:
        assert process.catch_up.run_once(), "it asks Twilio for nothing"


def test_one_that_stops_is_not_waited_for(any_harness: Harness, pair: list[Process]) -> None:
    first, second = pair
    begin(any_harness, pair, until_deadline=1)
    second.catch_up.stop(within_seconds=1)
    any_harness.clock.forward(1.2)
    assert first.expire() == 1


def heartbeats(harness: Harness) -> int:
    return len(harness.store.read(lambda tx: tx.all("SELECT * FROM heartbeat")))


def test_nothing_is_written_while_nothing_is_pending(
    any_harness: Harness, pair: list[Process]
) -> None:
    pair[0].catch_up.beat()
    assert heartbeats(any_harness) == 0
    any_harness.start(PHONE)
    pair[0].catch_up.beat()
    assert heartbeats(any_harness) == 1
