"""Webhooks as operators see them: endpoints, events, and how much waits."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from bot.store import webhook_endpoints, webhook_events
from bot.store.tx import Tx
from bot.store.webhook_endpoints import Endpoint
from bot.store.webhook_events import EventState, WebhookEvent


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
        """Of its endpoint."""
        return name_of(self.endpoint.url)

    @property
    def tries(self) -> int:
        """Tries since the event was last queued. The row does not count the last try, so a finished
        event has one more."""
        is_over = self.event.state is not EventState.PENDING
        return self.event.tries + int(is_over)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Of the endpoints that are set."""

    disabled: int
    pending: int  # events: COUNTED an endpoint at most
    oldest: timedelta  # how long the oldest of these waits


def name_of(url: str) -> str:
    """Host and path: the query can hold a secret.

    >>> name_of("https://example.com:8443/hooks?token=secret")
    'example.com:8443/hooks'
    """
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


def endpoints(tx: Tx) -> list[EndpointView]:
    """Those that are set, then earlier ones."""
    return [
        EndpointView(endpoint, webhook_events.count_pending(tx, endpoint.id))
        for endpoint in webhook_endpoints.all_of_them(tx)
    ]


def newest(tx: Tx, *, limit: int, state: EventState | None) -> list[EventView]:
    return _views(tx, webhook_events.newest(tx, limit=limit, state=state))


def of_verification(tx: Tx, id: str) -> list[EventView]:
    return _views(tx, webhook_events.newest(tx, limit=0, verification_id=id))


def _views(tx: Tx, events: Sequence[WebhookEvent]) -> list[EventView]:
    known = {endpoint.id: endpoint for endpoint in webhook_endpoints.all_of_them(tx)}
    return [EventView(event, known[event.endpoint_id]) for event in events]


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
