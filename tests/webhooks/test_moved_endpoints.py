"""What waits for an endpoint whose address has changed moves to the new one."""

from collections.abc import Callable

import pytest

from bot.domain.errors import EndpointsUnfit, UnknownEndpoint
from bot.store.tx import Done
from bot.store.webhook_events import EventState
from bot.usecases import notify, webhooks
from simulator.receiver import Behaviour
from tests.harness import Harness
from tests.webhooks.receiver import approve, behave, events, received


def endpoint_ids(told: Harness, urls: list[str]) -> tuple[str, ...]:
    """Makes these the endpoints. Returns the ids of the endpoints that are set, then of others."""
    told.store.write(notify.configure, urls, includes_number=False)
    return tuple(view.endpoint.id for view in told.store.read(webhooks.endpoints))


def failed_and_waiting(told: Harness, count: int) -> tuple[str, str]:
    """Events of a wrong address, of which one has failed for good; the right one is set since.
    Returns the ids of both endpoints."""
    (address,) = told.settings.webhook_urls
    wrong, right = endpoint_ids(told, [f"{address}/wrong"])
    behave(told, Behaviour.FAIL)
    for place in range(count):
        approve(told, f"+1425555{place + 1000}")
    told.run_once()
    sql = """
        UPDATE webhook_event SET state = 'failed', due_at = NULL
        WHERE id = (SELECT min(id) FROM webhook_event)
    """
    told.store.write(lambda tx: Done(tx.run(sql)))
    assert endpoint_ids(told, [address]) == (right, wrong)
    behave(told, Behaviour.ACCEPT)
    return wrong, right


def test_what_a_former_address_has_not_received_is_sent_to_the_new_one(
    told: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "QUEUED_AT_ONCE", 2)
    wrong, right = failed_and_waiting(told, 5)
    told.forward(3600 * 9)
    assert not [event for event in received(told) if event.is_accepted]
    result = told.flask("webhooks", "move", wrong, right)
    assert result.output.startswith("5 events will be sent to the other endpoint")
    told.run_once()
    assert {event.state for event in events(told)} == {EventState.DELIVERED}
    assert len([event for event in received(told) if event.is_accepted]) == 5
    assert "No event waits" in told.flask("webhooks", "move", wrong, right).output


@pytest.mark.parametrize("between", [lambda a, b: (b, a), lambda a, b: (b, b)])
def test_events_move_only_from_a_former_endpoint_to_one_that_is_set(
    told: Harness, between: Callable[[str, str], tuple[str, str]]
) -> None:
    wrong, right = failed_and_waiting(told, 1)
    with pytest.raises(EndpointsUnfit):
        told.store.write(webhooks.move_batch, *between(wrong, right), operator="me")
    with pytest.raises(UnknownEndpoint):
        told.store.write(webhooks.move_batch, wrong, "none", operator="me")


def test_an_endpoint_that_is_stored_in_another_spelling_stays_itself(told: Harness) -> None:
    """Of a version that kept the spelling of WEBHOOK_URLS."""
    (address,) = told.settings.webhook_urls
    (old,) = endpoint_ids(told, [address])
    sql = "UPDATE webhook_endpoint SET url = :url"
    told.store.write(lambda tx: Done(tx.run(sql, url=address.replace("http://", "HTTP://"))))
    approve(told)
    assert endpoint_ids(told, [address]) == (old,)
    told.run_once()
    assert [event.state for event in events(told)] == [EventState.DELIVERED]
