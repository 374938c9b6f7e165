"""A verification waits for the replies that another process may have missed."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.dispatch import catch_up, expire
from bot.dispatch.catch_up import CatchUp, read_missed
from bot.dispatch.heartbeat import Ticker
from bot.store.opening import open_store
from bot.store.outages import Outages
from bot.store.tx import Done, Store, StoreUnavailable, Tx
from bot.usecases import heartbeat
from simulator import faults
from tests.harness import PHONE, Harness
from tests.processes.service import until


@dataclass
class Process:
    """One of several processes, on the test's clock."""

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


def beat(harness: Harness, *processes: Process, seconds: int) -> None:
    """Moves time on, while all these processes write heartbeats."""
    for _ in range(seconds):
        harness.clock.forward(1)
        for process in processes:
            process.catch_up.heart.beat()


def sent(harness: Harness, phone: str = PHONE) -> str:
    """Sends without the harness's dispatcher, which would beat as a third process."""
    id = harness.start(phone)["id"]
    harness.dispatcher.send.run_once()
    return str(id)


def begin(harness: Harness, pair: list[Process], *, until_deadline: int) -> str:
    id = sent(harness)
    beat(harness, *pair, seconds=90 - until_deadline)
    return id


def status(harness: Harness, id: str) -> str:
    return str(harness.status(id)["customStatus"]["status"])


def heartbeats(harness: Harness) -> int:
    return len(harness.store.read(lambda tx: tx.all("SELECT * FROM heartbeat")))


def missed(harness: Harness) -> None:
    """The right reply reaches a process that loses it."""
    harness.simulator.faults.add(faults.WEBHOOK_NEVER)
    harness.text(harness.code())


def expect_to_be_read(harness: Harness, reader: Process, id: str) -> None:
    """Expects the right reply to a new verification to be read, though a process lost it."""
    beat(harness, reader, seconds=60)
    missed(harness)
    beat(harness, reader, seconds=31)
    assert reader.expire() == 0
    assert reader.catch_up.run_once()
    assert status(harness, id) == "approved"


def test_it_ends_once_the_others_have_judged_what_came_before_its_deadline(
    any_harness: Harness, pair: list[Process]
) -> None:
    first, second = pair
    id = begin(any_harness, pair, until_deadline=1)
    any_harness.clock.forward(1.2)
    assert first.expire() == 0
    assert status(any_harness, id) == "pending"
    second.catch_up.heart.beat()
    assert first.expire() == 1
    assert status(any_harness, id) == "expired"


def test_what_one_that_died_has_missed_is_read_by_another(
    any_harness: Harness, pair: list[Process]
) -> None:
    first, _ = pair
    id = begin(any_harness, pair, until_deadline=2)
    missed(any_harness)
    beat(any_harness, first, seconds=3)
    assert first.catch_up.heart.silent == 0
    assert first.expire() == 0
    any_harness.clock.forward(1)
    assert first.catch_up.run_once()
    assert status(any_harness, id) == "approved"


def test_one_that_is_cut_off_for_long_is_read_for_again_and_again(
    any_harness: Harness, pair: list[Process]
) -> None:
    """Such a process may still be refusing replies."""
    first, _ = pair
    begin(any_harness, pair, until_deadline=1)
    beat(any_harness, first, seconds=5)
    assert first.catch_up.run_once()
    assert first.expire() == 1
    again = sent(any_harness)
    expect_to_be_read(any_harness, first, again)


def test_one_that_is_gone_for_two_minutes_is_waited_for_once(
    any_harness: Harness, pair: list[Process]
) -> None:
    """A window may be longer; what came in its last minute is read all the same."""
    first, _ = pair
    begin(any_harness, pair, until_deadline=5)
    any_harness.text(any_harness.code())
    any_harness.clock.forward(600)
    id = sent(any_harness)
    expect_to_be_read(any_harness, first, id)
    sent(any_harness)
    first.catch_up.heart.beat()
    assert heartbeats(any_harness) == 1


def test_it_waits_ten_seconds_for_another_at_most(
    any_harness: Harness, pair: list[Process]
) -> None:
    first, _ = pair
    id = begin(any_harness, pair, until_deadline=1)
    any_harness.simulator.faults.add(faults.LIST_ERROR, times=100)
    for _ in range(10):
        beat(any_harness, first, seconds=1)
        first.catch_up.run_once()
        assert first.expire() == 0
    beat(any_harness, first, seconds=2)
    assert first.expire() == 1
    assert status(any_harness, id) == "expired"


def test_a_late_reply_does_not_expire_what_another_may_have_missed(
    any_harness: Harness, pair: list[Process]
) -> None:
    """Twilio's own repeat of a reply in time is late, too."""
    id = begin(any_harness, pair, until_deadline=1)
    missed(any_harness)
    any_harness.clock.forward(1.2)
    assert any_harness.text(any_harness.code()).status == 503
    assert any_harness.answer(id, any_harness.code()).status_code == 503
    beat(any_harness, pair[0], seconds=4)
    assert pair[0].catch_up.run_once()
    assert status(any_harness, id) == "approved"


def test_a_process_that_has_refused_a_reply_has_not_judged_it(
    any_harness: Harness, pair: list[Process]
) -> None:
    first, second = pair
    id = begin(any_harness, pair, until_deadline=1)
    second.store.outages.failed()
    any_harness.clock.forward(1.2)
    second.catch_up.heart.beat()
    assert first.expire() == 0
    assert second.catch_up.run_once()
    assert first.expire() == 1
    assert status(any_harness, id) == "expired"


def test_what_is_under_way_is_not_judged_yet(any_harness: Harness, pair: list[Process]) -> None:
    first, second = pair
    begin(any_harness, pair, until_deadline=1)
    may_end, has_begun = threading.Event(), threading.Event()

    def held(tx: Tx) -> Done[None]:
        has_begun.set()
        may_end.wait(10)
        return Done(None)

    waiting = threading.Thread(target=second.store.write, args=(held,))
    waiting.start()
    assert has_begun.wait(10)
    assert timedelta(0) < second.store.oldest_write < timedelta(seconds=10)
    may_end.set()
    waiting.join()
    assert second.store.oldest_write == timedelta(0)
    any_harness.clock.forward(1.2)

    def beat_behind() -> None:
        process = second.catch_up.heart.process
        lag = timedelta(seconds=0.5)
        second.store.write(heartbeat.beat, process, serves=True, lag=lambda: lag, replaces=None)

    beat_behind()
    assert first.expire() == 0
    any_harness.clock.forward(0.4)
    beat_behind()
    assert first.expire() == 1


def test_a_process_that_was_halted_reads_first(any_harness: Harness, pair: list[Process]) -> None:
    """The reply may wait in its socket, or was given up by Twilio."""
    first, second = pair
    id = begin(any_harness, pair, until_deadline=1)
    missed(any_harness)
    any_harness.clock.forward(20)
    first.store.outages.interrupted()
    second.catch_up.heart.beat()
    assert first.expire() == 0
    assert first.catch_up.run_once()
    assert status(any_harness, id) == "approved"


def test_a_second_halt_is_waited_for_like_the_first(any_harness: Harness) -> None:
    for _ in range(2):
        id = any_harness.start_and_send()["id"]
        missed(any_harness)
        any_harness.clock.forward(100)
        any_harness.store.outages.interrupted()
        judged_until = any_harness.service.judged_until
        assert expire.run_once(any_harness.store, judged_until=judged_until) == 0
        any_harness.run_once()
        assert status(any_harness, id) == "approved"


def test_a_halt_is_noticed() -> None:
    now = [0.0]
    outages = Outages()
    ticker = Ticker(outages, lambda: now[0])
    ticker.start()
    try:
        for count in (1, 2):
            now[0] += 1.5
            assert until(lambda count=count: outages.ended == count, 5)
            assert until(lambda: not ticker.is_late, 5)
    finally:
        ticker.stop(within_seconds=5)


def test_replies_that_found_no_room_are_waited_for_beyond_ten_seconds(
    any_harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list can be read, and small writes succeed, but what was missed cannot be written."""
    id = any_harness.start_and_send()["id"]
    missed(any_harness)
    any_harness.clock.forward(100)
    any_harness.store.outages.interrupted()

    def refuse(*_: object, **__: object) -> int:
        any_harness.store.outages.failed()
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(catch_up, "read_missed", refuse)
        for _ in range(30):
            any_harness.run_once()
            any_harness.clock.forward(1)
    any_harness.run_once()
    assert status(any_harness, id) == "approved"


def test_a_clock_that_was_set_forward_may_have_been_a_halt(any_harness: Harness) -> None:
    """A virtual machine that was suspended does not count the time, its clock is set afterwards."""
    seconds = any_harness.own_monotonic()
    id = any_harness.start_and_send()["id"]
    seconds[0] += 80
    any_harness.clock.forward(80)
    any_harness.run_once()
    missed(any_harness)
    any_harness.clock.forward(60)
    judged_until = any_harness.service.judged_until
    assert expire.run_once(any_harness.store, judged_until=judged_until) == 0
    any_harness.run_once()
    assert status(any_harness, id) == "approved"


def test_outages_that_repeat_do_not_postpone_without_end(
    any_harness: Harness, pair: list[Process]
) -> None:
    first, second = pair
    id = begin(any_harness, pair, until_deadline=1)
    any_harness.simulator.faults.add(faults.LIST_ERROR, times=100)
    for _ in range(4):
        first.store.outages.failed()
        beat(any_harness, second, seconds=4)
        first.catch_up.run_once()
        first.expire()
    assert status(any_harness, id) == "expired"


def test_one_that_was_idle_is_not_silent(any_harness: Harness, pair: list[Process]) -> None:
    """Nothing was written while nothing was pending."""
    begin(any_harness, pair, until_deadline=80)
    any_harness.text(any_harness.code())
    any_harness.clock.forward(60)
    sent(any_harness, "+14255550177")
    any_harness.simulator.faults.add(faults.LIST_ERROR)
    for process in pair:
        assert process.catch_up.run_once(), "it asks Twilio for nothing"


def test_one_that_starts_takes_the_place_of_one_that_died(
    any_harness: Harness, pair: list[Process]
) -> None:
    first, second = pair
    begin(any_harness, [first], until_deadline=10)
    any_harness.clock.forward(0.5)
    second.catch_up.start()
    second.catch_up.stop(within_seconds=5)
    assert heartbeats(any_harness) == 1
    any_harness.clock.forward(12)
    second.catch_up.heart.beat()
    assert second.expire() == 1


def test_one_that_stops_leaves_if_another_serves(any_harness: Harness, pair: list[Process]) -> None:
    """Alone, its replies are waited for until the next one starts."""
    begin(any_harness, pair, until_deadline=50)
    for process in pair:
        process.catch_up.start()
        process.catch_up.heart.beat()
        process.catch_up.stop(within_seconds=5)
        assert heartbeats(any_harness) == 1
        any_harness.clock.forward(5)


def test_a_process_that_does_not_serve_delays_no_expiry(any_harness: Harness) -> None:
    service = any_harness.service
    made = CatchUp(service.store, service.gateway, service.rules, serves=False)
    any_harness.start(PHONE)
    made.heart.beat()
    assert heartbeats(any_harness) == 0


def test_one_that_returns_does_not_vouch_for_what_it_refused(
    any_harness: Harness, pair: list[Process]
) -> None:
    first, second = pair
    id = begin(any_harness, [first], until_deadline=1)
    second.store.outages.failed()
    second.catch_up.heart.beat()  # it has no row
    any_harness.clock.forward(1.2)
    first.catch_up.heart.beat()
    assert first.expire() == 0
    assert second.catch_up.run_once()
    assert first.expire() == 1
    assert status(any_harness, id) == "expired"


def test_nothing_is_written_while_nothing_is_pending(
    any_harness: Harness, pair: list[Process]
) -> None:
    pair[0].catch_up.heart.beat()
    assert heartbeats(any_harness) == 0
    any_harness.start(PHONE)
    pair[0].catch_up.heart.beat()
    assert heartbeats(any_harness) == 1


def test_a_row_that_cannot_be_read_holds_up_no_missed_text(any_harness: Harness) -> None:
    broken = any_harness.start_and_send("+14255550177")["id"]
    id = any_harness.start_and_send()["id"]
    any_harness.simulator.faults.add(faults.WEBHOOK_NEVER)
    any_harness.text("0000", "+14255550177")
    missed(any_harness)
    sql = "UPDATE verification SET created_at = 'never' WHERE id = :id"
    any_harness.store.write(lambda tx: Done(tx.run(sql, id=broken)))
    read_missed(any_harness.store, any_harness.service.gateway, any_harness.service.rules)
    assert status(any_harness, id) == "approved"


def test_of_two_that_leave_at_once_one_row_stays(any_harness: Harness, pair: list[Process]) -> None:
    begin(any_harness, pair, until_deadline=50)
    first, second = (process.catch_up.heart.process for process in pair)
    has_left, may_commit = threading.Event(), threading.Event()

    def leave(tx: Tx) -> Done[None]:
        done = heartbeat.leave(tx, first)
        has_left.set()
        may_commit.wait(10)
        return done

    threads = [
        threading.Thread(target=pair[0].store.write, args=(leave,)),
        threading.Thread(target=pair[1].store.write, args=(heartbeat.leave, second)),
    ]
    threads[0].start()
    assert has_left.wait(10)
    threads[1].start()
    threads[1].join(0.3)  # without a lock it would see the first one's row, and be gone too
    may_commit.set()
    for thread in threads:
        thread.join()
    assert heartbeats(any_harness) == 1


def test_what_waited_long_behind_a_write_expires_nothing(
    any_harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow disk, a server that restarts, a lock: a reply may be among those that wait."""
    id = any_harness.start_and_send()["id"]
    any_harness.clock.forward(91)
    store, until = any_harness.store, any_harness.service.judged_until
    with monkeypatch.context() as patched:
        patched.setattr(type(store), "oldest_write", timedelta(seconds=2.5))
        assert expire.run_once(store, judged_until=until) == 0
    assert expire.run_once(store, judged_until=until) == 0, "what was missed is read first"
    any_harness.run_once()
    assert any_harness.status(id)["customStatus"]["status"] == "expired"


def test_the_last_one_that_serves_is_waited_for_beyond_two_minutes(
    any_harness: Harness, pair: list[Process]
) -> None:
    """A dispatcher lives on beside a web process that is down: replies go nowhere else."""
    any_harness.restart(WINDOW_SECONDS="600")
    web, dispatcher = pair
    service = any_harness.service

    def monotonic() -> float:
        return any_harness.clock.now.timestamp()

    dispatcher.catch_up = CatchUp(
        dispatcher.store, service.gateway, service.rules, monotonic, serves=False
    )
    web.catch_up._seen = web.store.disruptions
    dispatcher.catch_up._seen = dispatcher.store.disruptions
    sent(any_harness, "+14255550124")
    beat(any_harness, *pair, seconds=60)
    id = sent(any_harness)
    beat(any_harness, *pair, seconds=30)

    def run_dispatcher_alone(seconds: int) -> None:
        for _ in range(seconds // 5):
            any_harness.clock.forward(5)
            dispatcher.catch_up.run_once()
            dispatcher.expire()

    run_dispatcher_alone(520)  # the first one has ended since
    any_harness.simulator.faults.add(faults.WEBHOOK_NEVER)
    any_harness.text(any_harness.code())
    run_dispatcher_alone(70)
    assert status(any_harness, id) == "approved"
