"""Outcome events. `record` writes one in the transaction that ends the verification; here it is
claimed under a lease, until it is accepted or its schedule of tries is used up."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain import timings
from bot.domain.webhook_response import WebhookResponse, WebhookResult
from bot.store import webhook_endpoints, webhook_events
from bot.store.tx import Done, Tx
from bot.store.webhook_endpoints import DisabledCause, Endpoint
from bot.store.webhook_events import EventState, WebhookEvent

# Seconds from one try to the next: tries at 0, 2 s, 10 s, 60 s, 5 min, 30 min, 2 h, 6 h, 12 h and
# 24 h. The first ones are close together, since an outcome matters while its form is open.
_TRIES_AT = (0, 2, 10, 60, 300, 1800, 7200, 21_600, 43_200, 86_400)
WAITS = tuple(later - earlier for earlier, later in itertools.pairwise(_TRIES_AT))
JITTER = 0.2  # share of each wait, either way, so that events do not retry all at once
LEASE = timedelta(seconds=timings.WEBHOOK_LEASE_SECONDS)
FIRST_TRY = timedelta(minutes=5)  # within which an event is tried first, where others wait too
LONGEST_WAIT = timedelta(seconds=max(WAITS) * (1 + JITTER)) + timedelta(hours=1)
FAILING = timedelta(hours=24)  # of nothing but failures: the endpoint is disabled
# Pending ones this old belong to an endpoint that is disabled or no longer configured.
KEPT = {
    EventState.DELIVERED: timedelta(days=7),
    EventState.FAILED: timedelta(days=30),
    EventState.PENDING: timedelta(days=30),
}


@dataclass(frozen=True, slots=True)
class EventClaim:
    """One event to send, leased to one thread."""

    event: WebhookEvent
    endpoint: Endpoint  # as it was when the event was claimed


def configure(tx: Tx, urls: Sequence[str], *, includes_number: bool) -> Done[None]:
    """Makes these the configured endpoints; writes nothing if they are already."""
    configured = webhook_endpoints.configured(tx)
    is_same = {one.url for one in configured} == set(urls)
    if not is_same or any(one.includes_number != includes_number for one in configured):
        webhook_endpoints.configure(tx, urls, includes_number=includes_number)
    return Done(None)


def due(tx: Tx) -> list[str]:
    """Ids of the enabled endpoints that an event is due for."""
    return [
        endpoint.id
        for endpoint in webhook_endpoints.configured(tx)
        if endpoint.is_enabled and webhook_events.is_due(tx, endpoint.id)
    ]


def claim_events(tx: Tx, endpoint_id: str, *, limit: int) -> Done[list[EventClaim]]:
    endpoint = webhook_endpoints.load(tx, endpoint_id)
    if endpoint is None or not endpoint.is_enabled:
        return Done([])
    if _fails_long(tx, endpoint) and not _was_tried(tx, endpoint):
        webhook_endpoints.forget_failures(tx, endpoint.id)
    events = webhook_events.claim(tx, endpoint_id, limit=limit, lease=LEASE)
    return Done([EventClaim(event, endpoint) for event in events])


def hand_back(tx: Tx, claim: EventClaim) -> Done[None]:
    """The claim was not begun: the process stops, or its endpoint has been disabled."""
    webhook_events.hand_back(tx, claim.event)
    return Done(None)


def answered(tx: Tx, claim: EventClaim, answer: WebhookResponse, *, jitter: float) -> Done[bool]:
    """Records the result of a try. `jitter` is from -1 to 1. True: the endpoint was disabled."""
    event, endpoint = claim.event, claim.endpoint
    if answer.result is WebhookResult.DELIVERED:
        webhook_events.finish(tx, event, EventState.DELIVERED, answer)
        webhook_endpoints.forget_failures(tx, endpoint.id)
        return Done(False)
    is_gone = answer.result is WebhookResult.GONE
    if is_gone or event.tries >= len(WAITS):
        is_news = webhook_events.finish(tx, event, EventState.FAILED, answer)
    else:
        wait = WAITS[event.tries] * (1 + JITTER * jitter)
        due_at = tx.now + timedelta(seconds=max(wait, answer.retry_after_seconds))
        if event.tries + 1 == len(WAITS):  # the last one: whatever the jitter, a day is over then
            due_at = max(due_at, event.created_at + FAILING + FIRST_TRY)
        is_news = webhook_events.put_off(tx, event, answer, due_at=due_at)
    return Done(is_news and _failed(tx, endpoint, is_gone=is_gone))


def _failed(tx: Tx, endpoint: Endpoint, *, is_gone: bool) -> bool:
    """Returns True if this failure disables the endpoint: at once if it is gone, or after FAILING
    of nothing but failures. An endpoint that was enabled after the try began stays enabled, since
    that try says nothing about the repaired receiver."""
    if is_gone:
        return webhook_endpoints.disable(
            tx, endpoint.id, DisabledCause.GONE, generation=endpoint.generation
        )
    current = webhook_endpoints.load(tx, endpoint.id)
    if current is None or current.generation != endpoint.generation:
        return False
    if current.failing_since is None:
        webhook_endpoints.failed(tx, endpoint.id)
        return False
    if not _fails_long(tx, current):
        return False
    return webhook_endpoints.disable(
        tx, endpoint.id, DisabledCause.FAILING, generation=endpoint.generation
    )


def _fails_long(tx: Tx, endpoint: Endpoint) -> bool:
    return endpoint.failing_since is not None and tx.now >= endpoint.failing_since + FAILING


def _was_tried(tx: Tx, endpoint: Endpoint) -> bool:
    """Whether an endpoint was tried within the longest wait: a time in which no process ran is no
    failure of the receiver."""
    return webhook_events.was_tried(tx, endpoint.id, since=tx.now - LONGEST_WAIT)


def drop_old(tx: Tx, *, limit: int) -> Done[int]:
    """Removes delivered events after 7 days, others after 30. Returns the largest count removed of
    a state."""
    counts = [
        webhook_events.drop_old(tx, state, before=tx.now - kept, limit=limit)
        for state, kept in KEPT.items()
    ]
    return Done(max(counts))
