"""The dispatcher's threads: woken at once, several texts at a time, stopped cleanly."""

import threading
import time
from datetime import timedelta

import pytest

from bot.dispatch import loop
from bot.store.tx import StoreUnavailable
from simulator import faults
from tests.harness import Harness


def until(condition, seconds: float = 5.0) -> float:
    """Waits for real threads. Returns how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds
        time.sleep(0.002)
    return time.monotonic() - began


def test_a_start_wakes_it(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LONGEST_SLEEP", timedelta(minutes=5))  # it does not wake by itself
    turns = []
    turn = harness.dispatcher.turn

    def counted() -> timedelta:
        pause = turn()
        turns.append(pause)
        return pause

    monkeypatch.setattr(harness.dispatcher, "turn", counted)
    harness.dispatcher.start()
    until(lambda: turns)
    harness.start()
    until(harness.texts)


@pytest.mark.timed
def test_a_slow_twilio_does_not_limit_it_to_a_few_a_second(harness: Harness) -> None:
    harness.simulator.faults.add(faults.DELAY, seconds=0.3, times=20)
    harness.dispatcher.start()
    phones = [f"+1425555{number:04}" for number in range(20)]
    for phone in phones:
        harness.start(phone)
    assert until(lambda: all(harness.texts(phone) for phone in phones)) < 3
    assert len({m.sid for phone in phones for m in harness.texts(phone)}) == 20


def test_what_is_being_sent_at_the_stop_is_finished(harness: Harness) -> None:
    harness.simulator.faults.add(faults.DELAY, seconds=0.5)
    harness.dispatcher.start()
    id = harness.start()["id"]
    waiting = harness.simulator.faults.waiting
    until(lambda: not [fault for fault in waiting() if fault.kind == faults.DELAY])
    assert harness.dispatcher.stop()
    assert harness.view(id).text.state == "accepted"


def test_a_failing_duty_is_logged_and_the_loop_goes_on(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = []
    run = harness.dispatcher.turn

    def fail_once() -> bool:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("disk trouble")
        return run()

    monkeypatch.setattr(harness.dispatcher, "turn", fail_once)
    harness.dispatcher.start()
    harness.start()
    until(harness.texts)
    assert "a duty failed" in caplog.text


@pytest.mark.timed
def test_idle_costs_ten_looks_a_second(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    turn = harness.dispatcher.turn
    monkeypatch.setattr(harness.dispatcher, "turn", lambda: looks.append(1) or turn())
    harness.dispatcher.start()
    time.sleep(0.5)
    assert 1 <= len(looks) <= 6


def test_its_threads_are_started_by_start_alone(harness: Harness) -> None:
    def is_running() -> bool:
        return "dispatcher" in {thread.name for thread in threading.enumerate()}

    harness.start()
    assert not is_running()
    harness.dispatcher.start()
    assert is_running()
    harness.dispatcher.stop()
    assert not is_running()


def test_a_database_that_is_away_is_logged_in_a_line(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A traceback each second would fill the disk in an outage that needs an operator."""
    monkeypatch.setattr(loop, "AWAY_SECONDS", 0.01)

    def away() -> timedelta:
        raise StoreUnavailable("the file was removed")

    harness.dispatcher.start()
    monkeypatch.setattr(harness.dispatcher, "turn", away)
    until(lambda: "the database is away: the file was removed" in caplog.text)
    assert harness.dispatcher.stop()
    assert "Traceback" not in caplog.text
