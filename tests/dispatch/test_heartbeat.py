"""Heartbeats tell a process which others it waits for before it expires a verification."""

import threading

from bot.dispatch.catch_up import CatchUp
from bot.store.tx import Done, Tx
from bot.usecases import heartbeat
from simulator import faults
from tests.dispatch.processes import Process, beat, begin, heartbeats, missed, sent, status
from tests.harness import PHONE, Harness


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


def test_one_that_was_idle_is_not_silent(any_harness: Harness, pair: list[Process]) -> None:
    """Nothing was written while nothing was pending."""
    begin(any_harness, pair, until_deadline=80)
    any_harness.text(any_harness.code())
    any_harness.clock.forward(60)
    sent(any_harness, "+14255550177")
    any_harness.simulator.faults.add(faults.LIST_ERROR)
    for process in pair:
        assert process.catch_up.run_once(), "it asks Twilio for nothing"


def test_one_that_starts_waits_for_one_that_has_lost_the_database(
    any_harness: Harness, pair: list[Process]
) -> None:
    """It may hang with a reply, however long it has written nothing."""
    first, second = pair
    first.catch_up.heart.beat()
    any_harness.clock.forward(5)
    second.catch_up.start()
    second.catch_up.stop(within_seconds=5)
    beat(any_harness, second, seconds=9)
    id = sent(any_harness)
    missed(any_harness)
    beat(any_harness, second, seconds=91)
    assert second.expire() == 0
    assert second.catch_up.run_once()
    assert status(any_harness, id) == "approved"


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
        dispatcher.store, service.gateway, service.rules, monotonic=monotonic, serves=False
    )
    assert web.catch_up.run_once()
    assert dispatcher.catch_up.run_once()
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
