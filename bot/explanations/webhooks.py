"""Webhook endpoints and events in plain words."""

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
    endpoint = view.endpoint
    if view.state is EndpointState.NOT_SET:
        return "WEBHOOK_URLS no longer lists it; its events wait."
    if endpoint.disabled_at and endpoint.disabled_cause:
        return f"Since {clock_utc(endpoint.disabled_at)}, {_CAUSES[endpoint.disabled_cause]}."
    if endpoint.failing_since:
        return f"Since {clock_utc(endpoint.failing_since)}; its events are tried again."
    return ""


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
    """The instant of the next try; `none` after the last one."""
    event = view.event
    if event.due_at is None:
        return "none"
    if not view.endpoint.is_configured:
        return "when WEBHOOK_URLS has the endpoint again"
    if not view.endpoint.is_enabled:
        return "when the endpoint is enabled"
    if event.last_try_at and event.due_at == event.last_try_at + notify.LEASE:
        return "being sent now"
    return clock_utc(event.due_at)
