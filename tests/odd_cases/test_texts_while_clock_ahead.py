"""Texts and replies are found by their age while stored time is ahead of the clock."""

from datetime import timedelta
from typing import Any

import pytest

from bot.dispatch import catch_up
from simulator import faults
from tests.harness import PHONE, Harness


def catch_up_after_start(harness: Harness) -> None:
    service = harness.service
    uncounted = service.store.steady.uncounted
    catch_up.read_missed(service.store, service.gateway, service.rules, uncounted=uncounted)


def test_a_postponed_text_is_tried_again(once_ahead: Harness) -> None:
    once_ahead.simulator.faults.add("refuse", code=20429)
    once_ahead.start_and_send()
    assert once_ahead.texts() == []
    once_ahead.forward(5)
    assert len(once_ahead.texts()) == 1


def test_an_unknown_text_is_found_by_its_age(once_ahead: Harness) -> None:
    """Twilio's timestamps are right and ours a day ahead, so texts are compared by their age."""
    once_ahead.simulator.faults.add("error_after")
    id = once_ahead.start_and_send()["id"]
    assert len(once_ahead.texts()) == 1
    assert once_ahead.status(id)["runtimeStatus"] == "Running"


def test_a_missed_reply_is_judged_by_its_age(once_ahead: Harness) -> None:
    id = once_ahead.start_and_send()["id"]
    once_ahead.simulator.faults.add("webhook_never")
    once_ahead.clock.forward(5)
    once_ahead.text(once_ahead.code())
    once_ahead.clock.forward(60)
    once_ahead.store.outages.ended += 1
    once_ahead.run_once()
    assert once_ahead.status(id)["output"] is True


def test_a_text_is_found_though_stored_time_stood_still(once_ahead: Harness) -> None:
    """Stored time is ahead of the clock, so it does not count the time when nothing runs. The
    simulation found it: the list was asked for the last seconds only, and the text sent twice."""
    once_ahead.simulator.faults.add(faults.ERROR_AFTER, phone=PHONE)
    once_ahead.simulator.faults.add(faults.LIST_ERROR)
    id = once_ahead.start()["id"]
    once_ahead.run_once()
    once_ahead.clock.now += timedelta(seconds=40)
    once_ahead.restart()
    for _ in range(6):
        once_ahead.forward(5)
    assert len(once_ahead.texts(PHONE)) == 1
    assert "text_accepted" in once_ahead.history(id)


def test_a_reply_is_found_though_stored_time_stood_still(once_ahead: Harness) -> None:
    id = once_ahead.start_and_send()["id"]
    once_ahead.simulator.faults.add(faults.WEBHOOK_NEVER)
    once_ahead.text(once_ahead.code())
    once_ahead.clock.now += timedelta(seconds=40)
    once_ahead.restart()
    catch_up_after_start(once_ahead)
    assert once_ahead.status(id)["customStatus"]["status"] == "approved"
    found = once_ahead.find(id)
    assert found.outcome.at >= found.created_at


@pytest.mark.parametrize("body", ["NO", "1234"])
def test_a_missed_text_of_long_ago_is_no_reply_to_a_later_verification(
    once_ahead: Harness, body: str
) -> None:
    first = once_ahead.start_and_send()["id"]
    once_ahead.simulator.faults.add(faults.WEBHOOK_NEVER)
    once_ahead.text(body)
    once_ahead.terminate(first, None)
    once_ahead.forward(1800)
    second = once_ahead.start_and_send()["id"]
    catch_up_after_start(once_ahead)
    status = once_ahead.status(second)["customStatus"]
    assert (status["status"], status["attemptsUsed"]) == ("pending", 0)


def test_an_old_message_with_the_same_words_is_not_the_text(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts without a reference have the same code as another once in ten thousand."""
    gateway = harness.service.gateway
    send = gateway.send

    def after_an_older_one(**text: Any) -> Any:
        now = harness.clock.now
        harness.clock.now = now - timedelta(days=21)
        send(**text)
        harness.clock.now = now
        monkeypatch.setattr(gateway, "send", send)
        harness.simulator.faults.add(faults.ERROR_BEFORE, phone=PHONE)
        return send(**text)

    monkeypatch.setattr(gateway, "send", after_an_older_one)
    harness.start()
    for _ in range(5):
        harness.forward(5)
    of_today = [m for m in harness.texts() if m.created_at > harness.clock.now - timedelta(days=1)]
    assert len(of_today) == 1
