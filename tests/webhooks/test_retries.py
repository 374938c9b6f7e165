"""A failed event is sent again as its schedule says, or on request."""

from datetime import timedelta

import pytest

from bot.domain.errors import UnknownEvent
from bot.domain.webhook_response import WebhookResponse, WebhookResult
from bot.observability import logs
from bot.store import webhook_events
from bot.store.webhook_events import EventState
from bot.usecases import notify, webhooks
from simulator.receiver import Behaviour
from tests.harness import Harness
from tests.webhooks.receiver import approve, behave, events, received


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


def test_the_last_try_comes_after_a_day_whatever_the_jitter(told: Harness) -> None:
    approve(told)
    (event,) = events(told)
    refused = WebhookResponse(WebhookResult.REFUSED, 500)
    for _ in notify.WAITS:
        (claim,) = told.store.write(notify.claim_events, event.endpoint_id, limit=1)
        told.store.write(notify.answered, claim, refused, jitter=-1)
        (after,) = events(told)
        assert after.due_at is not None
        told.clock.now = after.due_at
    assert told.clock.now - event.created_at == notify.FAILING + notify.FIRST_TRY


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


def test_what_waits_for_its_next_try_is_sent_again_too(told: Harness) -> None:
    """A receiver that was repaired need not wait for hours."""
    behave(told, Behaviour.FAIL)
    since = told.clock.now
    approve(told)
    for seconds in (0, 3, 11, 70, 400, 2400, 7000):
        told.forward(seconds)
    assert events(told)[0].due_at > told.clock.now + timedelta(hours=3)
    behave(told, Behaviour.ACCEPT)
    assert told.store.write(webhooks.replay_failed, since=since, operator="alice") == 1
    told.run_once()
    assert events(told)[0].state is EventState.DELIVERED


def test_what_is_being_sent_or_is_due_is_not_sent_again(told: Harness) -> None:
    since = told.clock.now
    approve(told)
    (event,) = events(told)
    told.store.write(notify.claim_events, event.endpoint_id, limit=8)  # its first try
    assert told.store.write(webhooks.replay_failed, since=since, operator="alice") == 0
    behave(told, Behaviour.FAIL)
    told.forward(60)
    assert events(told)[0].tries == 1
    told.clock.forward(60)  # due again, and not yet claimed
    assert told.store.write(webhooks.replay_failed, since=since, operator="alice") == 0


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


def test_a_new_event_does_not_wait_behind_those_that_are_tried_again(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    for place in range(20):
        approve(told, f"+1425555{place + 1000}")
    id = told.start_and_send()["id"]
    told.forward(3)
    told.clock.forward(60)  # all are overdue, and take ten seconds each if the receiver hangs
    told.text(told.code())
    (endpoint_id,) = {event.endpoint_id for event in events(told)}
    claims = told.store.write(notify.claim_events, endpoint_id, limit=8)
    assert len({claim.event.id for claim in claims}) == 8
    assert [claim.event.verification_id == id for claim in claims] == [True] + [False] * 7
    claims = told.store.write(notify.claim_events, endpoint_id, limit=8)
    assert len(claims) == 8, "the older ones go on"
