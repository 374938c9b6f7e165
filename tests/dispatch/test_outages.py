"""A process that was halted or refused replies reads what it missed before anything expires."""

import threading
from datetime import timedelta

import pytest

from bot.dispatch import catch_up, expire
from bot.dispatch.catch_up import read_missed
from bot.dispatch.heartbeat import Ticker
from bot.store.outages import Outages
from bot.store.tx import Done, StoreUnavailable, Tx
from bot.usecases import heartbeat
from simulator import faults
from tests.dispatch.processes import Process, beat, begin, missed, status
from tests.harness import Harness
from tests.processes.service import until


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
        second.store.write(heartbeat.beat, process, serves=True, lag=lambda: lag)

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
    any_harness: Harness, pair: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list can be read, and small writes succeed, but what was missed cannot be written."""
    first, _ = pair
    id = begin(any_harness, pair, until_deadline=1)
    missed(any_harness)
    first.store.outages.interrupted()

    def refuse(*_: object, **__: object) -> int:
        first.store.outages.failed()
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(catch_up, "read_missed", refuse)
        for _ in range(15):
            first.catch_up.run_once()
            beat(any_harness, *pair, seconds=1)
            assert first.expire() == 0
    first.catch_up.run_once()
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
