"""Events of outcomes: written with the end they tell of, sent as their schedule says."""

import json
from datetime import timedelta
from typing import Any

import pytest

from bot import service
from bot.app import create_commands
from bot.domain.errors import EndpointChanged, UnknownEndpoint, UnknownEvent
from bot.domain.webhook_response import WebhookResponse, WebhookResult
from bot.observability import logs
from bot.store import webhook_endpoints, webhook_events
from bot.store.webhook_events import EventState, WebhookEvent
from bot.usecases import notify, webhooks
from simulator import faults
from simulator.receiver import Behaviour, Received
from tests.harness import INSTANCES, PHONE, RECEIVER, WEBHOOK_SECRET, Harness

FIELDS = [
    "id", "reference", "status", "cause", "reason", "tag", "locale", "maskedNumber", "attemptsUsed",
    "startedAt", "acceptedAt", "endedAt", "errorCode", "error", "sequence",
]  # fmt: skip
OTHER = "+14255550124"


def received(harness: Harness) -> list[Received]:
    return harness.simulator.receiver.events()


def bodies(harness: Harness) -> list[dict[str, Any]]:
    return [json.loads(event.body) for event in received(harness)]


def events(harness: Harness) -> list[WebhookEvent]:
    return harness.store.read(webhook_events.newest, limit=50)


def approve(harness: Harness, phone: str = PHONE, **more: Any) -> str:
    id = harness.start_and_send(phone, **more)["id"]
    harness.text(harness.code(phone), phone)
    return id


def behave(harness: Harness, behaviour: Behaviour) -> None:
    harness.simulator.receiver.behaviour = behaviour


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


def test_each_try_has_the_same_id_and_bytes_and_waits_as_the_schedule_says(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    told.run_once()
    for tries, wait in enumerate(notify.WAITS, start=1):
        (event,) = events(told)
        assert (event.tries, event.last_status, event.last_result) == (tries, 500, "refused")
        assert event.due_at is not None
        ahead = (event.due_at - told.clock.now).total_seconds()
        assert wait * 0.8 <= ahead <= wait * 1.2
        told.forward(wait * 0.8 - 1)
        assert received(told)[0].tries == tries, "not before its time"
        told.forward(wait * 0.4 + 1)
    (last,) = events(told)
    (got,) = received(told)
    assert last.state is EventState.FAILED
    assert (got.tries, got.is_same, got.is_verified) == (len(notify.WAITS) + 1, True, True)


def test_the_tries_are_those_of_the_page() -> None:
    assert notify.WAITS == (2, 8, 50, 240, 1500, 5400, 14400, 21600, 43200)


def test_what_failed_for_a_while_is_delivered_in_the_end(told: Harness) -> None:
    behave(told, Behaviour.REDIRECT)
    approve(told)
    told.run_once()
    assert events(told)[0].last_result == "redirected"
    behave(told, Behaviour.ACCEPT)
    told.forward(3)
    assert events(told)[0].state is EventState.DELIVERED
    assert received(told)[0].is_accepted


def test_a_receiver_may_ask_for_time(told: Harness) -> None:
    behave(told, Behaviour.BUSY)
    approve(told)
    told.run_once()
    (event,) = events(told)
    assert event.due_at == told.clock.now + timedelta(seconds=120)


def test_410_disables_the_endpoint_and_what_comes_later_waits(told: Harness) -> None:
    behave(told, Behaviour.GONE)
    approve(told)
    told.run_once()
    (view,) = told.store.read(webhooks.endpoints)
    assert (view.endpoint.disabled_cause, view.endpoint.is_enabled) == ("gone", False)
    assert events(told)[0].state is EventState.FAILED
    behave(told, Behaviour.ACCEPT)
    approve(told, OTHER)
    told.run_once()
    assert len(received(told)) == 1
    seen = view.endpoint
    told.store.write(webhooks.enable, seen.id, generation=seen.generation)
    told.run_once()
    assert [event.is_accepted for event in received(told)] == [False, True]
    with pytest.raises(EndpointChanged):
        told.store.write(webhooks.enable, seen.id, generation=seen.generation)
    with pytest.raises(UnknownEndpoint):
        told.store.write(webhooks.enable, "none", generation=0)


def test_enabling_sends_at_once_what_was_put_off(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    told.run_once()
    told.clock.forward(3600)
    told.run_once()
    behave(told, Behaviour.GONE)
    approve(told, OTHER)
    told.run_once()
    behave(told, Behaviour.ACCEPT)
    (view,) = told.store.read(webhooks.endpoints)
    told.store.write(webhooks.enable, view.endpoint.id, generation=view.endpoint.generation)
    told.run_once()
    states = {event.state for event in events(told)}
    assert states == {EventState.DELIVERED, EventState.FAILED}  # the latter was answered 410


def test_failed_since_means_since_the_last_try(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    began = told.clock.now
    for _ in range(40):
        told.clock.forward(3600)
        told.run_once()
    assert [event.state for event in events(told)] == [EventState.FAILED]
    since = began + timedelta(hours=12)
    assert told.store.write(webhooks.replay_failed, since=since, operator="alice") == 1


def test_a_day_of_failures_disables_the_endpoint(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    told.run_once()
    for _ in range(24):
        told.forward(3600 * 0.95)
    (view,) = told.store.read(webhooks.endpoints)
    assert view.endpoint.is_enabled
    told.forward(3600 * 8)
    approve(told, OTHER)
    told.run_once()
    (view,) = told.store.read(webhooks.endpoints)
    assert view.endpoint.disabled_cause == "failing"


def test_one_success_in_between_begins_the_day_anew(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    told.run_once()
    told.forward(3600 * 20)
    behave(told, Behaviour.ACCEPT)
    approve(told, OTHER)
    told.run_once()
    behave(told, Behaviour.FAIL)
    told.forward(3600 * 5)
    approve(told, "+14255550125")
    told.run_once()
    (view,) = told.store.read(webhooks.endpoints)
    assert view.endpoint.is_enabled


def test_a_failure_of_days_ago_disables_nothing(told: Harness) -> None:
    """No event waited meanwhile, so nothing failed."""
    behave(told, Behaviour.FAIL)
    id = approve(told)
    told.run_once()
    assert told.call("DELETE", f"{INSTANCES}/{id}").status_code == 200
    told.forward(3600 * 48)
    approve(told, OTHER)
    told.run_once()
    (view,) = told.store.read(webhooks.endpoints)
    assert view.endpoint.is_enabled


def test_an_address_that_comes_back_has_no_failures(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    told.run_once()
    for urls in ("", RECEIVER):
        told.restart(WEBHOOK_URLS=urls)
        told.service.configure_endpoints()
        told.forward(3600 * 30)
    (view,) = told.store.read(webhooks.endpoints)
    assert view.endpoint.is_enabled


def test_a_try_that_began_before_it_was_enabled_again_does_not_disable_it(told: Harness) -> None:
    approve(told)
    (event,) = events(told)
    (claim,) = told.store.write(notify.claim_events, event.endpoint_id, limit=1)
    disable = webhook_endpoints.disable
    seen = claim.endpoint.generation

    def twice(tx):
        cause = webhook_endpoints.DisabledCause.FAILING
        assert disable(tx, claim.endpoint.id, cause, generation=seen)
        assert webhook_endpoints.enable(tx, claim.endpoint.id, generation=seen + 1)
        return notify.Done(None)

    told.store.write(twice)
    gone = WebhookResponse(WebhookResult.GONE, 410)
    assert not told.store.write(notify.answered, claim, gone, jitter=0)
    (view,) = told.store.read(webhooks.endpoints)
    assert view.endpoint.is_enabled


def test_an_event_can_be_sent_again(told: Harness) -> None:
    approve(told)
    told.run_once()
    (event,) = events(told)
    told.store.write(webhooks.replay, event.id, operator="alice")
    told.run_once()
    (got,) = received(told)
    assert (got.tries, got.is_same) == (2, True)
    with pytest.raises(UnknownEvent):
        told.store.write(webhooks.replay, "msg_none", operator="alice")


def test_all_that_failed_can_be_sent_again(told: Harness) -> None:
    behave(told, Behaviour.GONE)
    since = told.clock.now
    approve(told)
    told.run_once()
    assert events(told)[0].state is EventState.FAILED
    (view,) = told.store.read(webhooks.endpoints)
    told.store.write(webhooks.enable, view.endpoint.id, generation=view.endpoint.generation)
    behave(told, Behaviour.ACCEPT)
    assert (
        told.store.write(
            webhooks.replay_failed, since=since + timedelta(seconds=1), operator="alice"
        )
        == 0
    )
    assert told.store.write(webhooks.replay_failed, since=since, operator="alice") == 1
    told.run_once()
    assert events(told)[0].state is EventState.DELIVERED


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


def test_an_endpoint_that_is_set_no_more_gets_nothing(told: Harness) -> None:
    approve(told)
    told.restart(WEBHOOK_URLS="", WEBHOOK_SECRET="")
    approve(told, OTHER)
    told.run_once()
    assert received(told) == []
    assert len(events(told)) == 1
    told.restart(WEBHOOK_URLS=RECEIVER, WEBHOOK_SECRET=WEBHOOK_SECRET)
    told.run_once()
    assert len(received(told)) == 1, "and goes on when it is set again"


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


def test_no_event_goes_out_twice_while_its_lease_holds(told: Harness) -> None:
    approve(told)
    (event,) = events(told)
    (claim,) = told.store.write(notify.claim_events, event.endpoint_id, limit=8)
    assert told.store.write(notify.claim_events, event.endpoint_id, limit=8) == []
    told.clock.forward(30)
    (again,) = told.store.write(notify.claim_events, event.endpoint_id, limit=8)
    delivered = WebhookResponse(WebhookResult.DELIVERED, 204)
    refused = WebhookResponse(WebhookResult.REFUSED, 500)
    told.store.write(notify.answered, again, delivered, jitter=0)
    told.store.write(notify.answered, claim, refused, jitter=0)
    assert events(told)[0].state is EventState.DELIVERED, "the newest claim alone counts"


def test_a_command_in_a_shell_without_the_setting_changes_no_endpoint(told: Harness) -> None:
    without = {**told.values, "WEBHOOK_URLS": ""}
    app = create_commands(lambda: without)
    ran = app.test_cli_runner().invoke(args=["list"])
    assert ran.exit_code == 0, ran.output
    service.of(app).store.close()
    assert [one.url for one in told.store.read(webhook_endpoints.configured)]
    told.start_and_send()
    told.text(told.code())
    told.run_once()
    assert len(received(told)) == 1


def test_a_log_line_of_an_event_names_it_its_host_and_the_try(
    told: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bot.dispatch.notify")
    told.start_and_send()
    told.text(told.code())
    told.run_once()
    (event,) = told.store.read(webhook_events.newest, limit=2)
    shown = [logs.extra_fields(record) for record in caplog.records]
    assert {"event": event.id, "host": "127.0.0.1", "try": 1}.items() <= shown[-1].items()
