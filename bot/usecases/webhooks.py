"""Webhooks as operators see them: endpoints and events in plain words, and how much waits."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from bot.store import webhook_endpoints, webhook_events
from bot.store.tx import Tx
from bot.store.webhook_endpoints import DisabledCause, Endpoint
from bot.store.webhook_events import COUNTED, EventState, WebhookEvent
from bot.usecases import notify
from bot.webhooks import sentences

NOT_SET = (
    "No endpoint is set, so no application is told of outcomes. Set WEBHOOK_URLS and"
    " WEBHOOK_SECRET and restart; docs/settings.md says how."
)
_CAUSES = {
    DisabledCause.GONE: "because it answered 410: it wants no more events",
    DisabledCause.FAILING: "because nothing but failures came for 24 hours",
}


@dataclass(frozen=True, slots=True)
class EndpointView:
    endpoint: Endpoint
    pending: int  # COUNTED at most

    @property
    def name(self) -> str:
        return name_of(self.endpoint.url)

    @property
    def is_disabled(self) -> bool:
        """Disabled while it is configured; the state of any other endpoint has no effect."""
        return self.endpoint.is_configured and not self.endpoint.is_enabled

    @property
    def state(self) -> str:
        """A word or two."""
        if not self.endpoint.is_configured:
            return "not set"
        if self.is_disabled:
            return "disabled"
        return "failing" if self.endpoint.failing_since else "enabled"

    @property
    def standing(self) -> str:
        """What follows the word, in a sentence; empty where it says all."""
        endpoint = self.endpoint
        if not endpoint.is_configured:
            return "WEBHOOK_URLS does not have it any more; its events wait."
        if endpoint.disabled_at and endpoint.disabled_cause:
            return f"Since {_clock(endpoint.disabled_at)}, {_CAUSES[endpoint.disabled_cause]}."
        if endpoint.failing_since:
            return f"Since {_clock(endpoint.failing_since)}; its events are tried again."
        return ""

    @property
    def waiting(self) -> str:
        return f"{COUNTED:,} or more" if self.pending >= COUNTED else f"{self.pending:,}"


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
        """Since it was last queued. The row counts those after which there is another one."""
        is_over = self.event.state is not EventState.PENDING
        return self.event.tries + int(is_over)

    @property
    def answer(self) -> str:
        """A sentence on the last try."""
        return sentences.sentence(self.event.last_result, self.event.last_status)

    @property
    def next_try(self) -> str:
        event = self.event
        if event.due_at is None:
            return "none"
        if not self.endpoint.is_configured:
            return "when WEBHOOK_URLS has the endpoint again"
        if not self.endpoint.is_enabled:
            return "when the endpoint is enabled"
        if event.last_try_at and event.due_at == event.last_try_at + notify.LEASE:
            return "being sent now"
        return _clock(event.due_at)


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


def _clock(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
