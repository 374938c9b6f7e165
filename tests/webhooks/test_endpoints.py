"""An endpoint is disabled by 410 or a day of failures."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot import service
from bot.app import create_commands
from bot.domain.errors import EndpointChanged, UnknownEndpoint
from bot.domain.webhook_response import WebhookResponse, WebhookResult
from bot.store import webhook_endpoints
from bot.store.tx import Done
from bot.store.webhook_events import EventState
from bot.usecases import notify, webhooks
from simulator.receiver import Behaviour
from tests.harness import INSTANCES, RECEIVER, WEBHOOK_SECRET, Harness
from tests.webhooks.receiver import OTHER, approve, behave, events, received


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


def test_many_waiting_events_make_the_day_no_shorter(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    for number in range(12):
        approve(told, f"+142555502{number:02}")
    told.run_once()
    began = told.clock.now
    while told.store.read(webhooks.endpoints)[0].endpoint.is_enabled:
        told.forward(1800)
    assert timedelta(hours=24) <= told.clock.now - began <= timedelta(hours=26)


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


def add_outcome(told: Harness) -> None:
    approve(told, OTHER)


def send_test(told: Harness) -> None:
    told.store.write(webhooks.send_test, sent_by="alice")


def replay(told: Harness) -> None:
    told.store.write(webhooks.replay, events(told)[0].id, operator="alice")


def replay_failed(told: Harness) -> None:
    since = events(told)[0].created_at
    assert told.store.write(webhooks.replay_failed, since=since, operator="alice") == 1


@pytest.mark.parametrize("queue", [add_outcome, send_test, replay, replay_failed])
def test_hours_in_which_no_event_waited_are_none_of_a_day_of_failures(
    told: Harness, queue: Callable[[Harness], None]
) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    told.run_once()
    sql = "UPDATE webhook_event SET state = 'failed', due_at = NULL"
    told.store.write(lambda tx: Done(tx.run(sql)))
    told.forward(3600 * 23)
    queue(told)
    told.run_once()
    told.forward(3600 * 2)
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


def test_an_answer_to_a_claim_that_has_lapsed_disables_nothing(told: Harness) -> None:
    approve(told)
    (event,) = events(told)
    (lapsed,) = told.store.write(notify.claim_events, event.endpoint_id, limit=1)
    told.clock.forward(notify.LEASE.total_seconds())
    (claim,) = told.store.write(notify.claim_events, event.endpoint_id, limit=1)
    gone = WebhookResponse(WebhookResult.GONE, 410)
    assert not told.store.write(notify.answered, lapsed, gone, jitter=0)
    assert told.store.write(notify.answered, claim, gone, jitter=0)


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


def test_a_day_in_which_no_process_ran_is_no_day_of_failures(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    told.run_once()
    told.clock.forward(25 * 3600)
    told.run_once()
    (view,) = told.store.read(webhooks.endpoints)
    assert view.endpoint.is_enabled
    assert view.endpoint.failing_since == told.clock.now
    behave(told, Behaviour.ACCEPT)
    told.clock.forward(24 * 3600)
    told.run_once()
    assert {event.state for event in events(told)} == {EventState.DELIVERED}
