"""A text whose outcome at Twilio is unknown is looked up before it is sent again."""

import time
from datetime import timedelta
from typing import Any

import pytest

from bot.channels.gateway import ChannelUnavailable, Report, Unknown
from bot.domain.delivery import Delivery
from simulator import faults
from tests.dispatch.sending import LOOK_AGAIN_SECONDS, fault, state
from tests.harness import PHONE, Harness


@pytest.mark.parametrize("kind", [faults.ERROR_AFTER, faults.LOSE_ANSWER])
def test_an_unknown_outcome_is_looked_up_and_not_sent_again(harness: Harness, kind: str) -> None:
    fault(harness, kind)
    id = harness.start_and_send()["id"]
    assert len(harness.texts()) == 1
    assert state(harness, id) == "accepted"
    assert harness.view(id).text.sid == harness.texts()[0].sid
    assert "text_unknown" in harness.history(id)
    harness.text(harness.code())
    assert harness.status(id)["output"] is True


def test_a_text_that_twilio_never_had_is_sent_after_two_looks(harness: Harness) -> None:
    fault(harness, faults.ERROR_BEFORE)
    id = harness.start_and_send()["id"]
    assert (state(harness, id), harness.texts()) == ("unknown", [])
    harness.forward(LOOK_AGAIN_SECONDS - 0.1)
    assert harness.texts() == []
    harness.forward(0.1)
    assert len(harness.texts()) == 1
    assert state(harness, id) == "accepted"


def test_a_late_text_in_the_list_is_found_by_the_second_look(harness: Harness) -> None:
    """Twilio's list may lag behind."""
    world = harness.simulator.world
    shown, world.messages = world.messages, lambda: []
    fault(harness, faults.ERROR_AFTER)
    id = harness.start_and_send()["id"]
    assert state(harness, id) == "unknown"
    world.messages = shown
    harness.forward(LOOK_AGAIN_SECONDS)
    assert state(harness, id) == "accepted"
    assert len(harness.texts()) == 1


def test_a_clock_that_is_set_forward_does_not_shorten_the_wait_between_looks(
    harness: Harness,
) -> None:
    seconds = harness.own_monotonic()
    seconds[0] += LOOK_AGAIN_SECONDS
    world = harness.simulator.world
    shown, world.messages = world.messages, lambda: []
    fault(harness, faults.ERROR_AFTER)
    id = harness.start_and_send()["id"]
    seconds[0] += 2  # and the clock is set forward by the rest
    harness.forward(LOOK_AGAIN_SECONDS)
    assert state(harness, id) == "unknown"
    world.messages = shown
    seconds[0] += LOOK_AGAIN_SECONDS
    harness.forward(LOOK_AGAIN_SECONDS)
    assert state(harness, id) == "accepted"
    assert len(harness.texts()) == 1


def test_small_steps_of_the_clock_do_not_hold_back_what_twilio_did_not_take(
    harness: Harness,
) -> None:
    """The call is over, so its lease has nothing to wait for."""
    seconds = harness.own_monotonic()
    fault(harness, faults.ERROR_BEFORE)
    seconds[0] += LOOK_AGAIN_SECONDS
    id = harness.start_and_send()["id"]
    for _ in range(3):
        seconds[0] += LOOK_AGAIN_SECONDS
        harness.forward(LOOK_AGAIN_SECONDS + 1.5)
    assert state(harness, id) == "unknown"
    for _ in range(2):
        seconds[0] += LOOK_AGAIN_SECONDS
        harness.forward(LOOK_AGAIN_SECONDS)
    assert state(harness, id) == "accepted"


def test_a_look_that_fails_counts_as_not_looked(harness: Harness) -> None:
    fault(harness, faults.ERROR_AFTER)
    fault(harness, faults.LIST_ERROR, times=5)
    id = harness.start_and_send()["id"]
    for _ in range(5):
        assert state(harness, id) == "unknown"
        harness.forward(LOOK_AGAIN_SECONDS)
    assert state(harness, id) == "accepted"
    assert len(harness.texts()) == 1


def test_an_outcome_that_stays_unknown_fails_at_the_provisional_deadline(harness: Harness) -> None:
    fault(harness, faults.ERROR_BEFORE)
    fault(harness, faults.LIST_ERROR, times=1000)
    id = harness.start_and_send()["id"]
    harness.forward(149)
    assert harness.status(id)["runtimeStatus"] == "Pending"
    harness.forward(1)
    status = harness.status(id)
    assert status["runtimeStatus"] == "Failed"
    assert "not known whether Twilio took the text" in status["output"]


def test_a_reply_is_judged_while_the_outcome_is_unknown(harness: Harness) -> None:
    fault(harness, faults.ERROR_AFTER)
    fault(harness, faults.LIST_ERROR, times=1000)
    id = harness.start_and_send()["id"]
    harness.text(harness.wrong())
    harness.text(harness.code())
    assert harness.status(id)["output"] is True


def test_a_look_does_not_take_another_text_for_ours(harness: Harness) -> None:
    """The first text of a number is unknown and superseded; the second never reached Twilio."""
    fault(harness, faults.LOSE_ANSWER)
    fault(harness, faults.LIST_ERROR)
    harness.start_and_send()
    fault(harness, faults.ERROR_BEFORE)
    newer = harness.start_and_send()["id"]
    assert state(harness, newer) == "unknown"
    harness.forward(LOOK_AGAIN_SECONDS)
    assert state(harness, newer) == "accepted"
    assert len(harness.texts()) == 2
    harness.text(harness.code())
    assert harness.status(newer)["output"] is True


def test_acceptance_found_by_a_look_opens_the_window_when_twilio_took_it(harness: Harness) -> None:
    fault(harness, faults.ERROR_AFTER)
    fault(harness, faults.LIST_ERROR, times=4)
    id = harness.start_and_send()["id"]
    for _ in range(4):
        harness.forward(LOOK_AGAIN_SECONDS)
    verification = harness.view(id).verification
    assert verification.accepted_at == verification.first_try_at
    assert (verification.deadline_at - verification.accepted_at).total_seconds() == 90


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_report_during_the_second_look_keeps_the_text_from_going_out_twice(
    harness: Harness, is_listed: bool
) -> None:
    fault(harness, faults.ERROR_AFTER)
    world = harness.simulator.world
    shown, world.messages = world.messages, lambda: []
    id = harness.start_and_send()["id"]
    harness.clock.forward(LOOK_AGAIN_SECONDS)
    world.messages = shown
    sid = harness.texts()[0].sid
    look = harness.service.gateway.find_sent

    def report_first(**asked):
        harness.service.gateway.find_sent = look
        found = look(**asked)
        text = harness.view(id).text
        harness.report(Report(text.id, sid, Delivery.SENT, None, False, None, None))
        return found if is_listed else []

    harness.service.gateway.find_sent = report_first
    harness.run_once()
    assert state(harness, id) == "accepted"
    assert len(harness.texts()) == 1


def test_acceptance_learned_after_a_held_answer_moves_no_deadline(harness: Harness) -> None:
    """Suspended, answered past what turns out to be the window, and only then found in the list."""
    fault(harness, faults.ERROR_AFTER)
    fault(harness, faults.LIST_ERROR, times=1000)
    id = harness.start_and_send()["id"]
    harness.suspend(id, None)
    harness.clock.forward(95)
    harness.text(harness.code())
    harness.simulator.faults.clear()
    harness.forward(5)
    harness.resume(id, None)
    assert harness.status(id)["output"] is True


@pytest.mark.parametrize("answer", ["[]", "null", "<html>", '{"sid": null}'])
def test_an_answer_that_nobody_can_read_is_an_unknown_outcome(
    harness: Harness, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twilio.http.response import Response

    http_client = harness.service.gateway.client.http_client
    monkeypatch.setattr(http_client, "request", lambda *_, **__: Response(201, answer))
    gateway = harness.service.gateway
    sent = gateway.send(
        to=PHONE, body="x", validity_seconds=60, text_id="t", until=time.monotonic() + 9
    )
    assert isinstance(sent, Unknown)
    with pytest.raises(ChannelUnavailable):
        gateway.find_sent(to=PHONE, body="x", tried_ago=timedelta(0), sid=None)


@pytest.mark.parametrize(
    ("delivery", "code"), [(Delivery.DELIVERED, None), (Delivery.UNDELIVERED, 30003)]
)
@pytest.mark.parametrize("is_report_first", [True, False])
def test_a_report_says_more_than_an_unclear_answer(
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    delivery: Delivery,
    code: int | None,
    is_report_first: bool,
) -> None:
    harness.simulator.faults.add(faults.ERROR_AFTER)
    harness.simulator.faults.add(faults.LIST_ERROR)
    gateway = type(harness.service.gateway)
    send = gateway.send

    def report() -> None:
        (sent,) = harness.newest(1)
        sid = harness.texts()[-1].sid
        harness.report(Report(sent.text.id, sid, delivery, code, False, None, None))

    def answered(self: Any, **told: Any) -> Any:
        answer = send(self, **told)
        report()
        return answer

    if is_report_first:
        monkeypatch.setattr(gateway, "send", answered)
    id = harness.start_and_send()["id"]
    if not is_report_first:
        assert harness.status(id)["customStatus"]["errorCode"] == 20500
        report()
    for _ in range(20):
        harness.forward(1)
    custom = harness.status(id)["customStatus"]
    assert (custom["delivery"], custom["errorCode"]) == (delivery.value, code)
