"""Sending: what Twilio may do to a text, and what becomes of it."""

import time
from datetime import timedelta
from functools import partial

import pytest

from bot.channels.gateway import LookFailed, Unknown
from bot.usecases import delivery
from bot.usecases.delivery import LOOK_AGAIN, Report
from simulator import faults
from tests.desk import PHONE, Desk

LOOK_AGAIN_SECONDS = LOOK_AGAIN.total_seconds()


def fault(desk: Desk, kind: str, **more) -> None:
    desk.simulator.faults.add(kind, **more)


def state(desk: Desk, id: str) -> str:
    return desk.verifications.view(id).text.state


def test_a_text_goes_out_as_twilio_describes_it(desk: Desk) -> None:
    links = desk.start_and_send()
    message = desk.texts()[-1]
    assert (message.sender, message.recipient) == ("+14255550100", PHONE)
    text_id = desk.verifications.view(links["id"]).text.id
    assert message.status_callback == f"{desk.url}/twilio/status/{text_id}"
    assert desk.verifications.view(links["id"]).text.sid == message.sid


@pytest.mark.parametrize("code", [21211, 21614, 21408, 21610])
def test_a_permanent_refusal_fails_with_the_code_and_a_sentence(desk: Desk, code: int) -> None:
    fault(desk, faults.REFUSE, code=code)
    id = desk.start_and_send()["id"]
    status = desk.status(id)
    assert (status["runtimeStatus"], status["customStatus"]["errorCode"]) == ("Failed", code)
    assert len(status["output"]) > 20
    assert PHONE not in status["output"]
    desk.forward(60)
    assert desk.texts() == []


def test_21610_marks_the_number(desk: Desk) -> None:
    fault(desk, faults.REFUSE, code=21610)
    desk.start_and_send()
    assert desk.post_start().json()["code"] == "opted_out"


def test_a_busy_twilio_is_tried_again_with_backoff(desk: Desk) -> None:
    fault(desk, faults.REFUSE, code=20429, times=3)
    id = desk.start_and_send()["id"]
    assert (state(desk, id), desk.texts()) == ("queued", [])
    desk.forward(0.1)
    assert desk.texts() == []
    for seconds in (0.5, 1, 2):
        desk.forward(seconds)
    assert len(desk.texts()) == 1
    assert state(desk, id) == "accepted"
    desk.text(desk.code())
    assert desk.status(id)["output"] is True


def test_what_twilio_does_not_take_in_time_is_never_sent(desk: Desk) -> None:
    fault(desk, faults.REFUSE, code=20429, times=1000)
    id = desk.start_and_send()["id"]
    for _ in range(70):
        desk.forward(1)
    status = desk.status(id)
    assert status["runtimeStatus"] == "Failed"
    assert "within 60 seconds" in status["output"]
    assert status["customStatus"]["errorCode"] == 20429
    desk.simulator.faults.clear()
    desk.forward(60)
    assert desk.texts() == []


def test_a_twilio_that_is_away_is_tried_again(desk: Desk) -> None:
    gateway_url = desk.dispatcher._gateway._client.http_client
    there = gateway_url._base_url
    gateway_url._base_url = "http://127.0.0.1:9"  # nobody listens there
    id = desk.start_and_send()["id"]
    assert state(desk, id) == "queued"
    gateway_url._base_url = there
    desk.forward(1)
    assert state(desk, id) == "accepted"


@pytest.mark.parametrize("kind", [faults.ERROR_AFTER, faults.LOSE_ANSWER])
def test_an_unknown_outcome_is_looked_up_and_not_sent_again(desk: Desk, kind: str) -> None:
    fault(desk, kind)
    id = desk.start_and_send()["id"]
    assert len(desk.texts()) == 1
    assert state(desk, id) == "accepted"
    assert desk.verifications.view(id).text.sid == desk.texts()[0].sid
    assert "text_unknown" in desk.history(id)
    desk.text(desk.code())
    assert desk.status(id)["output"] is True


def test_a_text_that_twilio_never_had_is_sent_after_two_looks(desk: Desk) -> None:
    fault(desk, faults.ERROR_BEFORE)
    id = desk.start_and_send()["id"]
    assert (state(desk, id), desk.texts()) == ("unknown", [])
    desk.forward(LOOK_AGAIN_SECONDS - 0.1)
    assert desk.texts() == []
    desk.forward(0.1)
    assert len(desk.texts()) == 1
    assert state(desk, id) == "accepted"


def test_a_late_text_in_the_list_is_found_by_the_second_look(desk: Desk) -> None:
    """Twilio's list may lag behind."""
    world = desk.simulator.world
    shown, world.messages = world.messages, lambda: []
    fault(desk, faults.ERROR_AFTER)
    id = desk.start_and_send()["id"]
    assert state(desk, id) == "unknown"
    world.messages = shown
    desk.forward(LOOK_AGAIN_SECONDS)
    assert state(desk, id) == "accepted"
    assert len(desk.texts()) == 1


def test_a_look_that_fails_counts_as_not_looked(desk: Desk) -> None:
    fault(desk, faults.ERROR_AFTER)
    fault(desk, faults.LIST_ERROR, times=5)
    id = desk.start_and_send()["id"]
    for _ in range(5):
        assert state(desk, id) == "unknown"
        desk.forward(LOOK_AGAIN_SECONDS)
    assert state(desk, id) == "accepted"
    assert len(desk.texts()) == 1


def test_an_outcome_that_stays_unknown_fails_at_the_provisional_deadline(desk: Desk) -> None:
    fault(desk, faults.ERROR_BEFORE)
    fault(desk, faults.LIST_ERROR, times=1000)
    id = desk.start_and_send()["id"]
    desk.forward(149)
    assert desk.status(id)["runtimeStatus"] == "Pending"
    desk.forward(1)
    status = desk.status(id)
    assert status["runtimeStatus"] == "Failed"
    assert "not known whether Twilio took the text" in status["output"]


def test_a_reply_is_judged_while_the_outcome_is_unknown(desk: Desk) -> None:
    fault(desk, faults.ERROR_AFTER)
    fault(desk, faults.LIST_ERROR, times=1000)
    id = desk.start_and_send()["id"]
    desk.text(desk.wrong())
    desk.text(desk.code())
    assert desk.status(id)["output"] is True


def test_a_look_does_not_take_another_text_for_ours(desk: Desk) -> None:
    """The first text of a number is unknown and superseded; the second never reached Twilio."""
    fault(desk, faults.LOSE_ANSWER)
    fault(desk, faults.LIST_ERROR)
    desk.start_and_send()
    fault(desk, faults.ERROR_BEFORE)
    newer = desk.start_and_send()["id"]
    assert state(desk, newer) == "unknown"
    desk.forward(LOOK_AGAIN_SECONDS)
    assert state(desk, newer) == "accepted"
    assert len(desk.texts()) == 2
    desk.text(desk.code())
    assert desk.status(newer)["output"] is True


def test_acceptance_found_by_a_look_opens_the_window_when_twilio_took_it(desk: Desk) -> None:
    fault(desk, faults.ERROR_AFTER)
    fault(desk, faults.LIST_ERROR, times=4)
    id = desk.start_and_send()["id"]
    for _ in range(4):
        desk.forward(LOOK_AGAIN_SECONDS)
    verification = desk.verifications.view(id).verification
    assert verification.accepted_at == verification.first_try_at
    assert (verification.deadline_at - verification.accepted_at).total_seconds() == 90


def test_a_lapsed_lease_counts_as_unknown(desk: Desk) -> None:
    """Whoever claimed it died before, or after, Twilio had it."""
    id = desk.start()["id"]
    claimed = desk.dispatcher._sender._claim(10)
    assert len(claimed) == 1
    desk.forward(2.9)
    assert state(desk, id) == "sending"
    desk.forward(0.1)
    desk.forward(LOOK_AGAIN_SECONDS)
    assert state(desk, id) == "accepted"
    assert len(desk.texts()) == 1


def test_a_sender_that_wakes_after_its_lease_changes_nothing_but_facts(desk: Desk) -> None:
    id = desk.start()["id"]
    (stale,) = desk.dispatcher._sender._claim(10)
    desk.forward(3)
    desk.forward(LOOK_AGAIN_SECONDS)
    assert state(desk, id) == "accepted"
    for late in (
        partial(delivery.refused, claim=stale, code=21614, sentence="no", is_of_number=True),
        partial(delivery.unknown, claim=stale),
        partial(delivery.hand_back, claim=stale),
        partial(delivery.not_looked, claim=stale),
        partial(delivery.accepted, claim=stale, message=None, sid="SM" + "f" * 32),
    ):
        desk.verifications.store.write(late)
        assert state(desk, id) == "accepted"
    assert desk.status(id)["runtimeStatus"] == "Running"


def test_one_whose_verification_ended_meanwhile_is_not_sent(desk: Desk) -> None:
    fault(desk, faults.REFUSE, code=20429)
    id = desk.start_and_send()["id"]
    desk.verifications.terminate(id, "enough")
    desk.forward(60)
    assert desk.texts() == []
    assert state(desk, id) == "withdrawn"


def test_a_stopping_sender_hands_back_what_it_has_not_begun(desk: Desk) -> None:
    id = desk.start()["id"]
    sender = desk.dispatcher._sender
    (claim,) = sender._claim(10)
    sender.refuse_more()
    sender._carry_out(claim)
    assert (state(desk, id), desk.texts()) == ("queued", [])
    assert sender.run_aside(lambda: None) == 0


def test_the_validity_period_leaves_time_to_answer(desk: Desk) -> None:
    from dataclasses import replace

    seen = []
    gateway = desk.dispatcher._gateway
    send = gateway.send
    gateway.send = lambda **sent: seen.append(sent["validity_seconds"]) or send(**sent)
    desk.start_and_send()
    desk.verifications._terms = replace(desk.verifications._terms, window_seconds=10)
    desk.start_and_send()
    assert seen == [60, 6]


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_report_during_the_second_look_keeps_the_text_from_going_out_twice(
    desk: Desk, is_listed: bool
) -> None:
    fault(desk, faults.ERROR_AFTER)
    world = desk.simulator.world
    shown, world.messages = world.messages, lambda: []
    id = desk.start_and_send()["id"]
    desk.clock.forward(LOOK_AGAIN_SECONDS)
    world.messages = shown
    sid = desk.texts()[0].sid
    look = desk.dispatcher._gateway.look

    def report_first(**asked):
        desk.dispatcher._gateway.look = look
        found = look(**asked)
        text = desk.verifications.view(id).text
        desk.verifications.report(
            Report(text.id, sid, "sent", None, False, False, None, desk.settings.sender)
        )
        return found if is_listed else []

    desk.dispatcher._gateway.look = report_first
    desk.run_once()
    assert state(desk, id) == "accepted"
    assert len(desk.texts()) == 1


def test_an_error_that_a_report_brought_first_is_kept(desk: Desk) -> None:
    id = desk.start()["id"]
    (claim,) = desk.dispatcher._sender._claim(10)
    sid = "SM" + "1" * 32
    desk.verifications.report(
        Report(claim.text_id, sid, "undelivered", 30003, False, False, None, desk.settings.sender)
    )
    desk.verifications.store.write(partial(delivery.accepted, claim=claim, message=None, sid=sid))
    assert desk.status(id)["customStatus"]["errorCode"] == 30003


def test_acceptance_learned_after_a_held_answer_moves_no_deadline(desk: Desk) -> None:
    """Suspended, answered past what turns out to be the window, and only then found in the list."""
    fault(desk, faults.ERROR_AFTER)
    fault(desk, faults.LIST_ERROR, times=1000)
    id = desk.start_and_send()["id"]
    desk.verifications.suspend(id, None)
    desk.clock.forward(95)
    desk.text(desk.code())
    desk.simulator.faults.clear()
    desk.forward(5)
    desk.verifications.resume(id, None)
    assert desk.status(id)["output"] is True


@pytest.mark.parametrize("answer", ["[]", "null", "<html>", '{"sid": null}'])
def test_an_answer_that_nobody_can_read_is_an_unknown_outcome(
    desk: Desk, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twilio.http.response import Response

    http_client = desk.dispatcher._gateway._client.http_client
    monkeypatch.setattr(http_client, "request", lambda *_, **__: Response(201, answer))
    gateway = desk.dispatcher._gateway
    sent = gateway.send(
        to=PHONE, body="x", validity_seconds=60, text_id="t", until=time.monotonic() + 9
    )
    assert isinstance(sent, Unknown)
    with pytest.raises(LookFailed):
        gateway.look(to=PHONE, body="x", tried_ago=timedelta(0), sid=None)


def test_one_that_cannot_be_expired_does_not_keep_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from bot.dispatch import expire
    from bot.usecases import control

    bad = desk.start_and_send()["id"]
    good = desk.start_and_send("+14255550199")["id"]
    record = control.record

    def fail_for_bad(tx, before, decision):
        if before.id == bad:
            raise RuntimeError("poisoned")
        return record(tx, before, decision)

    monkeypatch.setattr(control, "record", fail_for_bad)
    desk.clock.forward(90)
    expire.run_once(desk.verifications)
    assert desk.status(good)["output"] is False
    assert f"the verification {bad} cannot be expired" in caplog.text
