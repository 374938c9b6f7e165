"""Events of outcomes are written with the end they tell of, and kept for their time."""

import json
from typing import Any

import pytest

from bot.store.webhook_events import EventState
from bot.usecases import notify, webhooks
from simulator import faults
from simulator.receiver import Behaviour
from tests.harness import PHONE, Harness
from tests.sms.webhooks import report
from tests.webhooks.receiver import OTHER, approve, behave, bodies, events, received

FIELDS = [
    "id", "reference", "status", "cause", "reason", "tag", "locale", "maskedNumber", "attemptsUsed",
    "startedAt", "acceptedAt", "endedAt", "errorCode", "error", "sequence",
]  # fmt: skip


def test_an_approval_is_told(told: Harness) -> None:
    told.restart(CODE_LENGTH="10")  # too long to be met by chance
    links = told.start_and_send(tag="order-4711", locale="en-GB")
    told.text(told.code())
    told.run_once()
    (body,) = bodies(told)
    data = body["data"]
    assert (body["type"], list(data)) == ("verification.approved", FIELDS)
    assert (data["id"], data["reference"]) == (links["id"], links["reference"])
    assert (data["status"], data["cause"], data["tag"]) == ("approved", "answered", "order-4711")
    assert data["locale"] == "en"
    assert (data["maskedNumber"], data["attemptsUsed"]) == ("+1425*****23", 0)
    assert data["endedAt"] == body["timestamp"] == "2026-01-31T12:00:00.000Z"
    (event,) = received(told)
    assert (event.is_verified, event.tries) == (True, 1)
    assert PHONE not in event.body
    assert told.code() not in event.body


def test_the_error_of_a_report_is_told_as_in_the_status(told: Harness) -> None:
    id = told.start_and_send()["id"]
    report(told, id, "undelivered", code=30003)
    told.forward(90)
    told.run_once()
    (body,) = bodies(told)
    custom = told.status(id)["customStatus"]
    assert (custom["status"], custom["errorCode"]) == ("expired", 30003)
    assert {name: body["data"][name] for name in ("status", "errorCode", "error")} == {
        name: custom[name] for name in ("status", "errorCode", "error")
    }


def expire(harness: Harness) -> str:
    id = harness.start_and_send()["id"]
    harness.forward(90)
    return id


def use_up(harness: Harness) -> str:
    id = harness.start_and_send()["id"]
    for _ in range(4):
        harness.text(harness.wrong())
    return id


def cancel(harness: Harness) -> str:
    id = harness.start_and_send()["id"]
    harness.terminate(id, "no longer needed")
    return id


def fail(harness: Harness) -> str:
    harness.simulator.faults.add(faults.REFUSE, code=21614)
    return harness.start_and_send()["id"]


def opt_out(harness: Harness) -> str:
    id = harness.start_and_send()["id"]
    harness.text("STOP")
    return id


def supersede(harness: Harness) -> str:
    id = harness.start_and_send()["id"]
    harness.start_and_send()
    return id


@pytest.mark.parametrize(
    ("end", "type", "cause"),
    [
        (approve, "approved", "answered"),
        (expire, "expired", "window_over"),
        (use_up, "max_attempts_reached", "attempts_used"),
        (cancel, "canceled", "terminated"),
        (opt_out, "canceled", "opted_out"),
        (supersede, "canceled", "superseded"),
        (fail, "failed", "send_refused"),
    ],
)
def test_every_end_is_told_once(told: Harness, end: Any, type: str, cause: str) -> None:
    id = end(told)
    told.run_once()
    told.run_once()
    (body,) = [body for body in bodies(told) if body["data"]["id"] == id]
    assert (body["type"], body["data"]["cause"]) == (f"verification.{type}", cause)
    assert [event.tries for event in received(told)] == [1] * len(received(told))
    if cause == "send_refused":
        assert body["data"]["errorCode"] == 21614
        assert body["data"]["error"]


def test_nothing_is_told_before_the_end(told: Harness) -> None:
    told.start_and_send()
    told.text(told.wrong())
    told.run_once()
    assert received(told) == []
    assert events(told) == []


def test_a_suspension_holds_the_event_back(told: Harness) -> None:
    id = told.start_and_send()["id"]
    told.suspend(id, None)
    told.text(told.code())
    told.run_once()
    assert received(told) == []
    told.resume(id, None)
    told.run_once()
    assert [body["type"] for body in bodies(told)] == ["verification.approved"]


def test_a_test_event_goes_to_every_endpoint(told: Harness) -> None:
    assert told.store.write(webhooks.send_test, sent_by="console") == 1
    told.run_once()
    (body,) = bodies(told)
    assert (body["type"], body["data"]) == ("webhook.test", {"sentBy": "console"})


def test_the_whole_number_is_there_on_request_alone(told: Harness) -> None:
    told.restart(WEBHOOK_INCLUDE_NUMBER="yes")
    approve(told)
    told.run_once()
    assert bodies(told)[0]["data"]["phoneNumber"] == PHONE


def test_without_endpoints_there_are_no_events(harness: Harness) -> None:
    approve(harness)
    harness.run_once()
    assert events(harness) == []


def test_forgetting_a_number_removes_its_events(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    approve(told, OTHER)
    told.run_once()
    told.forget(PHONE)
    (left,) = events(told)
    assert json.loads(left.body)["data"]["maskedNumber"].endswith("24")


def test_delivered_ones_are_kept_7_days_others_30(told: Harness) -> None:
    approve(told)
    told.run_once()
    behave(told, Behaviour.GONE)
    approve(told, OTHER)
    told.run_once()
    assert {event.state for event in events(told)} == {EventState.DELIVERED, EventState.FAILED}
    told.clock.forward(7 * 86400 + 1)
    assert told.store.write(notify.drop_old, limit=500) == 1
    assert [event.state for event in events(told)] == [EventState.FAILED]


def test_one_that_was_delivered_late_is_kept_7_days_too(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    told.clock.forward(7 * 86400)
    behave(told, Behaviour.ACCEPT)
    told.run_once()
    assert [event.state for event in events(told)] == [EventState.DELIVERED]
    told.clock.forward(86400)
    assert told.store.write(notify.drop_old, limit=500) == 0
    told.clock.forward(6 * 86400 + 1)
    assert told.store.write(notify.drop_old, limit=500) == 1


def test_the_longest_body_has_less_than_2_kb(told: Harness) -> None:
    id, tag = "\U0001f600" * 256, "\U0001f600" * 128
    path = f"/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/{id}"
    sent = {"phoneNumber": PHONE, "tag": tag, "locale": ", ".join(["de-DE-1996"] * 8)}
    assert told.call("POST", path, json=sent).status_code == 202
    told.run_once()
    told.terminate(id, "\N{GRINNING FACE}" * 4000)
    told.run_once()
    (event,) = received(told)
    assert len(event.body.encode()) <= 2000
    data = json.loads(event.body)["data"]
    assert (data["id"], data["tag"]) == (id, tag)
