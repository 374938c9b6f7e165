"""An endpoint that is enabled gets at once what waited for it."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.errors import EndpointChanged
from bot.store.tx import Done, StoreUnavailable, Tx
from bot.store.webhook_events import EventState
from bot.usecases import webhooks
from simulator.receiver import Behaviour
from tests.harness import Harness
from tests.webhooks.receiver import OTHER, approve, behave, events

LATER = (3, 13, 90, 400, 2200, 8000, 20000, 26000)  # seconds, each past the next try


def disable(harness: Harness) -> None:
    behave(harness, Behaviour.GONE)
    approve(harness, OTHER)
    harness.run_once()


def enable(harness: Harness) -> None:
    (view,) = harness.store.read(webhooks.endpoints)
    endpoint = view.endpoint
    store = harness.store
    webhooks.enable_and_send(store, store, endpoint.id, generation=endpoint.generation)


def test_enabling_sends_at_once_what_was_put_off(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    told.run_once()
    told.clock.forward(3600)
    told.run_once()
    disable(told)
    behave(told, Behaviour.ACCEPT)
    enable(told)
    told.run_once()
    states = {event.state for event in events(told)}
    assert states == {EventState.DELIVERED, EventState.FAILED}  # the latter was answered 410


def test_enabling_begins_the_schedule_of_overdue_events_again(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    for seconds in (0, *LATER):
        told.clock.forward(seconds)
        told.run_once()
    disable(told)
    told.clock.forward(3 * 86_400)
    behave(told, Behaviour.FAIL)
    enable(told)
    told.run_once()
    waiting = [event for event in events(told) if event.state is EventState.PENDING]
    assert [event.tries for event in waiting] == [1]


def test_a_stale_enabling_changes_no_schedule(told: Harness) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    told.run_once()
    before = events(told)
    (view,) = told.store.read(webhooks.endpoints)
    with pytest.raises(EndpointChanged):
        webhooks.enable_and_send(told.store, told.store, view.endpoint.id, generation=7)
    assert events(told) == before


def put_off_many(tx: Tx, endpoint_id: str, count: int) -> Done[None]:
    """Half of them are overdue, and half are due later."""
    for number in range(count):
        due_at = "2000-01-01T00:00:00.000000Z" if number % 2 else "2030-01-01T00:00:00.000000Z"
        tx.run(
            """
            INSERT INTO webhook_event (id, endpoint_id, type, body, created_at, due_at, tries)
            VALUES (:id, :endpoint_id, 'webhook.test', '{}', :at, :due_at, 8)
            """,
            id=f"put_off_{number}",
            endpoint_id=endpoint_id,
            at="2000-01-01T00:00:00.000000Z",
            due_at=due_at,
        )
    return Done(None)


def test_many_waiting_events_are_queued_batch_by_batch(
    told: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other writers take turns with the batches."""
    disable(told)
    (view,) = told.store.read(webhooks.endpoints)
    told.store.write(put_off_many, view.endpoint.id, 45)
    monkeypatch.setattr(webhooks, "QUEUED_AT_ONCE", 10)
    batches = []
    told.store.on_commit(lambda done, seconds: batches.append(done.value))
    enable(told)
    assert batches == [10, 10, 10, 10, 5, None]
    waiting = [event for event in events(told) if event.id.startswith("put_off_")]
    assert {(event.tries, event.due_at) for event in waiting} == {(0, told.clock.now)}


def test_what_falls_due_meanwhile_begins_its_schedule_again_too(
    told: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    behave(told, Behaviour.FAIL)
    approve(told)
    for seconds in (0, *LATER):
        told.clock.forward(seconds)
        told.run_once()
    disable(told)
    (event,) = [event for event in events(told) if event.state is EventState.PENDING]
    assert event.due_at
    assert event.tries > 1
    told.clock.now = event.due_at - timedelta(milliseconds=5)
    write = told.store.write

    def slow(use_case: Any, *args: Any, **more: Any) -> Any:
        if use_case is webhooks.queue_batch:
            told.clock.forward(0.01)
        return write(use_case, *args, **more)

    monkeypatch.setattr(told.store, "write", slow)
    enable(told)
    assert [one.tries for one in events(told) if one.id == event.id] == [0]


def test_an_enabling_that_fails_after_a_batch_says_that_part_was_done(
    told: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    disable(told)
    (view,) = told.store.read(webhooks.endpoints)
    told.store.write(put_off_many, view.endpoint.id, 45)
    monkeypatch.setattr(webhooks, "QUEUED_AT_ONCE", 10)
    write, writes = told.store.write_within, []

    def failing(seconds: float, use_case: Any, *args: Any, **more: Any) -> Any:
        writes.append(use_case)
        if len(writes) > 3:
            raise StoreUnavailable("for this test")
        return write(seconds, use_case, *args, **more)

    monkeypatch.setattr(told.store, "write_within", failing)
    result = told.flask("webhooks", "enable", view.endpoint.id)
    assert result.exit_code == 1
    assert "Part of this was done" in result.output
