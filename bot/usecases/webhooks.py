"""Webhook endpoints and events for operators: views, and the actions on them."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from bot.concurrency.blocking import yield_control
from bot.domain.errors import EndpointChanged, EndpointsUnfit, UnknownEndpoint, UnknownEvent
from bot.domain.events import Event, EventName
from bot.store import history, webhook_endpoints, webhook_events, webhook_replays
from bot.store.tx import Done, PartlyDone, Store, StoreUnavailable, Tx
from bot.store.webhook_endpoints import Endpoint
from bot.store.webhook_events import EventState, WebhookEvent
from bot.usecases import record
from bot.webhooks import body

REPLAYED_AT_ONCE = 1000
QUEUED_AT_ONCE = 500  # in one transaction: some ten milliseconds

log = logging.getLogger(__name__)


class EndpointState(StrEnum):
    NOT_SET = "not set"  # any more, by WEBHOOK_URLS
    DISABLED = "disabled"  # while it is configured; the state of any other has no effect
    FAILING = "failing"
    ENABLED = "enabled"


@dataclass(frozen=True, slots=True)
class EndpointView:
    endpoint: Endpoint
    pending: int  # COUNTED at most

    @property
    def name(self) -> str:
        return name_of(self.endpoint.url)

    @property
    def state(self) -> EndpointState:
        if not self.endpoint.is_configured:
            return EndpointState.NOT_SET
        if not self.endpoint.is_enabled:
            return EndpointState.DISABLED
        return EndpointState.FAILING if self.endpoint.failing_since else EndpointState.ENABLED


@dataclass(frozen=True, slots=True)
class EventView:
    event: WebhookEvent
    endpoint: Endpoint

    @property
    def name(self) -> str:
        """The name of its endpoint."""
        return name_of(self.endpoint.url)

    @property
    def tries(self) -> int:
        """Tries since the event was last queued. The row does not count the last try, so a finished
        event has one more."""
        is_over = self.event.state is not EventState.PENDING
        return self.event.tries + int(is_over)


@dataclass(frozen=True, slots=True)
class Backlog:
    """The undelivered events of the configured endpoints."""

    disabled: int
    pending: int  # events: COUNTED an endpoint at most
    oldest: timedelta  # how long the oldest of these waits


def name_of(url: str) -> str:
    """Host and path, for operators; the query can hold a secret. (Log lines have the host alone:
    they go to more people.)

    >>> name_of("https://example.com:8443/hooks?token=secret")
    'example.com:8443/hooks'
    """
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


def endpoints(tx: Tx) -> list[EndpointView]:
    """Lists the configured endpoints, then earlier ones."""
    return [
        EndpointView(endpoint, webhook_events.count_pending(tx, endpoint.id))
        for endpoint in webhook_endpoints.list_all(tx)
    ]


def newest(tx: Tx, *, limit: int, state: EventState | None) -> list[EventView]:
    return _views(tx, webhook_events.newest(tx, limit=limit, state=state))


def of_verification(tx: Tx, id: str) -> list[EventView]:
    return _views(tx, webhook_events.of_verification(tx, id))


def _views(tx: Tx, events: Sequence[WebhookEvent]) -> list[EventView]:
    known = {endpoint.id: endpoint for endpoint in webhook_endpoints.list_all(tx)}
    lost = {event.endpoint_id for event in events} - known.keys()
    if lost:  # somebody has edited the database
        log.error("events of %d endpoints that are not stored are left out", len(lost))
    return [EventView(e, known[e.endpoint_id]) for e in events if e.endpoint_id in known]


def version(*views: object) -> str:
    """Changes whenever one of the views does: the state of an event is in no history."""
    return hashlib.sha256(repr(views).encode()).hexdigest()[:12]


def backlog(tx: Tx) -> Backlog:
    found = webhook_endpoints.configured(tx)
    oldest = [webhook_events.oldest_pending_at(tx, endpoint.id) for endpoint in found]
    waits = [tx.now - at for at in oldest if at is not None]
    return Backlog(
        disabled=len([endpoint for endpoint in found if not endpoint.is_enabled]),
        pending=sum(webhook_events.count_pending(tx, endpoint.id) for endpoint in found),
        oldest=max([timedelta(0), *waits]),
    )


# -- actions of operators --------------------------------------------------------------------------


def enable_and_send(store: Store, as_operator: Store, endpoint_id: str, *, generation: int) -> None:
    """Enables a disabled endpoint; what waits for it is sent now, and each event begins its
    schedule of tries again. Days of events may wait, so they are queued batch by batch, and before
    the endpoint is enabled: nothing is tried in between, and an interruption can be repeated.
    `as_operator`: the store that audits the enabling. Raises UnknownEndpoint, EndpointChanged,
    StoreUnavailable, PartlyDone."""
    queued = 0
    try:
        if store.read(_is_disabled, endpoint_id, generation=generation):
            since = store.now()
            while (found := store.write(queue_batch, endpoint_id, since=since)) == QUEUED_AT_ONCE:
                queued += found
                yield_control()
            queued += found
        as_operator.write(enable, endpoint_id, generation=generation)
    except StoreUnavailable as error:
        raise PartlyDone.after(queued, error) from error


def enable(tx: Tx, endpoint_id: str, *, generation: int) -> Done[None]:
    """Raises UnknownEndpoint, EndpointChanged."""
    if webhook_endpoints.load(tx, endpoint_id) is None:
        raise UnknownEndpoint("No endpoint has this id.")
    if not webhook_endpoints.enable(tx, endpoint_id, generation=generation):
        raise EndpointChanged("This endpoint was enabled or disabled meanwhile. Look again.")
    return Done(None, has_webhook_events=True)


def _is_disabled(tx: Tx, endpoint_id: str, *, generation: int) -> bool:
    endpoint = webhook_endpoints.load(tx, endpoint_id)
    if endpoint is None or endpoint.generation != generation:
        return False
    return not endpoint.is_enabled


def queue_batch(tx: Tx, endpoint_id: str, *, since: datetime) -> Done[int]:
    """Queues a batch; in the last one also what has fallen due meanwhile."""
    limit = QUEUED_AT_ONCE
    queued = webhook_replays.queue_waiting_again(tx, endpoint_id, since=since, limit=limit)
    if queued < limit:
        webhook_replays.queue_due_again(tx, endpoint_id, since=since)
    return Done(queued)


def send_test(tx: Tx, *, sent_by: str) -> Done[int]:
    """A test event for each configured endpoint. Returns how many."""
    found = webhook_endpoints.configured(tx)
    webhook_endpoints.forget_idle_failures(tx)
    for endpoint in found:
        record.add_test_event(tx, endpoint.id, body.test(tx.now, sent_by=sent_by))
    return Done(len(found), has_webhook_events=True)


def replay(tx: Tx, id: str, *, operator: str) -> Done[None]:
    """Replays an event with the same id and bytes, whether or not it was delivered. Raises
    UnknownEvent."""
    webhook_endpoints.forget_idle_failures(tx)
    if not webhook_replays.queue_again(tx, [id]):
        raise UnknownEvent("No event has this id; delivered ones are kept for 7 days.")
    _note_replays(tx, [id], operator)
    return Done(None, has_webhook_events=True)


def replay_failed(tx: Tx, *, since: datetime, operator: str) -> Done[int]:
    """Sends failed events again, REPLAYED_AT_ONCE at most. Returns how many."""
    webhook_endpoints.forget_idle_failures(tx)
    ids = webhook_replays.queue_failed_again(tx, since=since, limit=REPLAYED_AT_ONCE)
    _note_replays(tx, ids, operator)
    return Done(len(ids), has_webhook_events=True)


def move_all(store: Store, as_operator: Store, source: str, target: str, *, operator: str) -> int:
    """Moves the undelivered events of an endpoint that is no longer set to one that is, batch by
    batch. Returns how many. `as_operator`: the store that audits it. Raises UnknownEndpoint,
    EndpointsUnfit, StoreUnavailable, PartlyDone."""
    moved = as_operator.write(move_batch, source, target, operator=operator)
    count = moved
    try:
        while moved == QUEUED_AT_ONCE:
            yield_control()
            moved = store.write(move_batch, source, target, operator=operator)
            count += moved
    except StoreUnavailable as error:
        raise PartlyDone.after(count, error) from error
    return count


def move_batch(tx: Tx, source: str, target: str, *, operator: str) -> Done[int]:
    """Raises UnknownEndpoint, EndpointsUnfit."""
    old, new = (webhook_endpoints.load(tx, id) for id in sorted((source, target)))
    if old is None or new is None:
        raise UnknownEndpoint("No endpoint has this id.")
    if old.id != source:
        old, new = new, old
    if old.is_configured or not new.is_configured:
        raise EndpointsUnfit(
            "Events move from an endpoint that WEBHOOK_URLS no longer contains to one that it does."
        )
    webhook_endpoints.forget_idle_failures(tx)
    ids = webhook_replays.move(tx, source, target, limit=QUEUED_AT_ONCE)
    _note_replays(tx, ids, operator)
    return Done(len(ids), has_webhook_events=True)


def _note_replays(tx: Tx, ids: Sequence[str], operator: str) -> None:
    """Adds one line to the history of each verification."""
    replayed = Event(EventName.WEBHOOK_REPLAYED, {"operator": operator})
    history.append_to_each(tx, webhook_replays.verifications_of(tx, ids), replayed)
