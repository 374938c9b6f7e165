"""Webhook endpoints and events in plain words."""

from datetime import datetime

from bot.domain.webhook_response import WebhookResult
from bot.explanations.instants import clock_utc
from bot.store.webhook_endpoints import DisabledCause
from bot.store.webhook_events import COUNTED
from bot.usecases import notify
from bot.usecases.webhooks import EndpointState, EndpointView, EventView
from bot.webhooks.client import CALL_SECONDS

NOT_SET = (
    "No endpoint is set, so outcomes are not sent anywhere. Set WEBHOOK_URLS and"
    " WEBHOOK_SECRET and restart; docs/settings.md says how."
)
_CAUSES = {
    DisabledCause.GONE: "because it answered 410: it wants no more events",
    DisabledCause.FAILING: "because nothing but failures came for 24 hours",
}
_RESULTS = {
    WebhookResult.DELIVERED: "It took the event with HTTP status {status}.",
    WebhookResult.REFUSED: "It refused the event with HTTP status {status}.",
    WebhookResult.GONE: "It answered with HTTP status {status}: it wants no more events.",
    WebhookResult.REDIRECTED: (
        "It answered with HTTP status {status}, a redirect; none is followed."
    ),
    WebhookResult.UNREACHABLE: "It could not be reached, its certificate is not accepted, or it"
    " broke off before it answered.",
    WebhookResult.TIMEOUT: f"It did not answer within {CALL_SECONDS:.0f} seconds.",
    WebhookResult.FORBIDDEN_ADDRESS: (
        "Its host has a private address, or one that is never called."
    ),
}


def endpoint_in_words(view: EndpointView) -> str:
    """A sentence that explains the endpoint's state; empty if the state needs no explanation."""
    since = endpoint_since(view)
    return f"{f'Since {clock_utc(since)}' if since else ''}{endpoint_reason(view)}"


def endpoint_since(view: EndpointView) -> datetime | None:
    """Since when it is disabled or fails. None: neither, or it is not set."""
    endpoint = view.endpoint
    if view.state is EndpointState.NOT_SET:
        return None
    return endpoint.disabled_at or endpoint.failing_since


def endpoint_reason(view: EndpointView) -> str:
    """What follows `endpoint_since` in a sentence, or the whole sentence."""
    if view.state is EndpointState.NOT_SET:
        return "WEBHOOK_URLS no longer lists it; its events wait."
    if view.endpoint.disabled_at:
        cause = view.endpoint.disabled_cause
        return f", {_CAUSES[cause]}." if cause else "."
    return "; its events are tried again." if view.endpoint.failing_since else ""


def waiting(view: EndpointView) -> str:
    """How many of its events wait."""
    return f"{COUNTED:,} or more" if view.pending >= COUNTED else f"{view.pending:,}"


def last_answer(view: EventView) -> str:
    """A sentence on the last try."""
    return result_in_words(view.event.last_result, view.event.last_status)


def result_in_words(result: str | None, status: int | None) -> str:
    """Describes the result of a try.

    >>> result_in_words("refused", 500)
    'It refused the event with HTTP status 500.'
    >>> result_in_words(None, None)
    'It was not tried yet.'
    """
    if result is None:
        return "It was not tried yet."
    return _RESULTS[WebhookResult(result)].format(status=status)


def next_try(view: EventView) -> str:
    """When the next try will be; `none` after the last one."""
    at = next_try_at(view)
    return _next_try_waits_for(view) if at is None else clock_utc(at)


def next_try_at(view: EventView) -> datetime | None:
    """The instant of the next try, where one is planned."""
    return None if _next_try_waits_for(view) else view.event.due_at


def _next_try_waits_for(view: EventView) -> str:
    """Why no instant is planned; empty if one is."""
    event = view.event
    if event.due_at is None:
        return "none"
    if not view.endpoint.is_configured:
        return "when WEBHOOK_URLS has the endpoint again"
    if not view.endpoint.is_enabled:
        return "when the endpoint is enabled"
    if event.last_try_at and event.due_at == event.last_try_at + notify.LEASE:
        return "being sent now"
    return ""
