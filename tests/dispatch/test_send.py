"""Sending: what Twilio may answer, and what then happens to the text."""

from datetime import timedelta
from functools import partial

import pytest

from bot.channels.gateway import Blame, Postponed, Refused, Report
from bot.domain.delivery import Delivery
from bot.usecases import look_up, send
from bot.usecases.heartbeat import assume_all_judged
from simulator import faults
from tests.dispatch.sending import LEASE_SECONDS, LOOK_AGAIN_SECONDS, fault, state
from tests.harness import INSTANCES, PHONE, Harness


def test_a_text_goes_out_as_twilio_describes_it(harness: Harness) -> None:
    links = harness.start_and_send()
    message = harness.texts()[-1]
    assert (message.sender, message.recipient) == ("+14255550100", PHONE)
    text_id = harness.view(links["id"]).text.id
    assert message.status_callback == f"{harness.url}/twilio/status/{text_id}"
    assert harness.view(links["id"]).text.sid == message.sid


@pytest.mark.parametrize("code", [21211, 21614, 21408, 21610])
def test_a_permanent_refusal_fails_with_the_code_and_a_sentence(
    harness: Harness, code: int
) -> None:
    fault(harness, faults.REFUSE, code=code)
    id = harness.start_and_send()["id"]
    status = harness.status(id)
    assert (status["runtimeStatus"], status["customStatus"]["errorCode"]) == ("Failed", code)
    assert len(status["output"]) > 20
    assert PHONE not in status["output"]
    harness.forward(60)
    assert harness.texts() == []


def test_21610_marks_the_number(harness: Harness) -> None:
    fault(harness, faults.REFUSE, code=21610)
    harness.start_and_send()
    assert harness.post_start().json()["code"] == "opted_out"


def test_a_busy_twilio_is_tried_again_with_backoff(harness: Harness) -> None:
    fault(harness, faults.REFUSE, code=20429, times=3)
    id = harness.start_and_send()["id"]
    assert (state(harness, id), harness.texts()) == ("queued", [])
    harness.forward(0.1)
    assert harness.texts() == []
    for seconds in (0.5, 1, 2):
        harness.forward(seconds)
    assert len(harness.texts()) == 1
    assert state(harness, id) == "accepted"
    harness.text(harness.code())
    assert harness.status(id)["output"] is True


def test_what_twilio_does_not_take_in_time_is_never_sent(harness: Harness) -> None:
    fault(harness, faults.REFUSE, code=20429, times=1000)
    id = harness.start_and_send()["id"]
    for _ in range(70):
        harness.forward(1)
    status = harness.status(id)
    assert status["runtimeStatus"] == "Failed"
    assert "within 60 seconds" in status["output"]
    assert status["customStatus"]["errorCode"] == 20429
    harness.simulator.faults.clear()
    harness.forward(60)
    assert harness.texts() == []


def test_a_wait_that_twilio_asks_for_gives_it_no_more_time(harness: Harness) -> None:
    harness.service.gateway.send = lambda **_: Postponed(20429, 3600.0)
    id = harness.start_and_send()["id"]
    harness.forward(59)
    assert harness.status(id)["runtimeStatus"] == "Pending"
    harness.forward(1)
    assert harness.status(id)["customStatus"]["cause"] == "send_given_up"


def test_a_twilio_that_is_away_is_tried_again(harness: Harness) -> None:
    gateway_url = harness.service.gateway.client.http_client
    there = gateway_url.base_url
    gateway_url.base_url = "http://127.0.0.1:9"  # no server listens there
    id = harness.start_and_send()["id"]
    assert state(harness, id) == "queued"
    gateway_url.base_url = there
    harness.forward(1)
    assert state(harness, id) == "accepted"


def test_a_clock_that_is_set_forward_does_not_end_a_lease_whose_call_is_under_way(
    harness: Harness,
) -> None:
    seconds = harness.own_monotonic()
    id = harness.start()["id"]
    sender = harness.dispatcher.send
    (late,) = sender.claim(1)
    harness.forward(LEASE_SECONDS)  # of the clock alone
    assert state(harness, id) == "unknown"
    for _ in range(2):
        seconds[0] += 6
        harness.forward(6)
    sender.monotonic = lambda: late.asked_at
    sender.carry_out(late)
    assert state(harness, id) == "accepted"
    seconds[0] += LEASE_SECONDS
    harness.forward(LEASE_SECONDS)
    assert len(harness.texts()) == 1


def test_a_lapsed_lease_counts_as_unknown(harness: Harness) -> None:
    """The process that claimed it died before or after Twilio took the text."""
    id = harness.start()["id"]
    claimed = harness.dispatcher.send.claim(10)
    assert len(claimed) == 1
    harness.forward(LEASE_SECONDS - 0.1)
    assert state(harness, id) == "sending"
    harness.forward(0.1)
    harness.forward(LOOK_AGAIN_SECONDS)
    assert state(harness, id) == "accepted"
    assert len(harness.texts()) == 1


def test_a_sender_that_wakes_after_its_lease_changes_nothing_but_facts(harness: Harness) -> None:
    id = harness.start()["id"]
    (stale,) = harness.dispatcher.send.claim(10)
    harness.forward(LEASE_SECONDS)
    harness.forward(LOOK_AGAIN_SECONDS)
    assert state(harness, id) == "accepted"
    for late in (
        partial(send.refused, claim=stale, result=Refused(21614, "no", Blame.NUMBER)),
        partial(send.unknown, claim=stale),
        partial(send.hand_back, claim=stale),
        partial(look_up.look_up_failed, claim=stale, delay=timedelta(0)),
        partial(send.accepted, claim=stale, sid="SM" + "f" * 32),
    ):
        harness.store.write(late)
        assert state(harness, id) == "accepted"
    assert harness.status(id)["runtimeStatus"] == "Running"


def test_one_whose_verification_ended_meanwhile_is_not_sent(harness: Harness) -> None:
    fault(harness, faults.REFUSE, code=20429)
    id = harness.start_and_send()["id"]
    harness.terminate(id, "enough")
    harness.forward(60)
    assert harness.texts() == []
    assert state(harness, id) == "withdrawn"


def test_a_stopping_sender_hands_back_what_it_has_not_begun(harness: Harness) -> None:
    id = harness.start()["id"]
    send = harness.dispatcher.send
    (claim,) = send.claim(10)
    send.refuse_more()
    send.carry_out(claim)
    assert (state(harness, id), harness.texts()) == ("queued", [])
    assert harness.view(id).text.tries == 0, "what was not begun is no try"
    assert send.run_in_background(lambda: None) == 0


def validity_periods(harness: Harness) -> list[int]:
    """Those of the texts that are sent from now on."""
    seen: list[int] = []
    gateway = harness.service.gateway
    send = gateway.send
    gateway.send = lambda **sent: seen.append(sent["validity_seconds"]) or send(**sent)
    return seen


@pytest.mark.parametrize(("window", "validity"), [("90", 60), ("10", 6)])
def test_the_validity_period_leaves_time_to_answer(
    harness: Harness, window: str, validity: int
) -> None:
    harness.restart(WINDOW_SECONDS=window)
    seen = validity_periods(harness)
    harness.start_and_send()
    assert seen == [validity]


def test_the_validity_period_of_a_further_text_ends_with_the_window(harness: Harness) -> None:
    harness.restart(WINDOW_SECONDS="600")
    seen = validity_periods(harness)
    id = harness.start_and_send()["id"]
    harness.forward(300)
    harness.call("POST", f"{INSTANCES}/{id}/raiseEvent/ResendSmsChallenge", json="")
    harness.run_once()
    assert seen == [570, 270]


def test_an_error_that_a_report_brought_first_is_kept(harness: Harness) -> None:
    id = harness.start()["id"]
    (claim,) = harness.dispatcher.send.claim(10)
    sid = "SM" + "1" * 32
    harness.report(Report(claim.text_id, sid, Delivery.UNDELIVERED, 30003, False, Blame.OURS, None))
    harness.store.write(partial(send.accepted, claim=claim, sid=sid))
    assert harness.status(id)["customStatus"]["errorCode"] == 30003


def test_one_that_cannot_be_expired_does_not_keep_the_others(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from bot.dispatch import expire
    from bot.usecases import control

    bad = harness.start_and_send()["id"]
    good = harness.start_and_send("+14255550199")["id"]
    record = control.record

    def fail_for_bad(tx, before, decision):
        if before.id == bad:
            raise RuntimeError("poisoned")
        return record(tx, before, decision)

    monkeypatch.setattr(control, "record", fail_for_bad)
    harness.clock.forward(90)
    expire.run_once(harness.store, judged_until=assume_all_judged)
    assert harness.status(good)["output"] is False
    assert f"the verification {bad} cannot be expired" in caplog.text
