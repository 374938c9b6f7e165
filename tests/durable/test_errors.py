"""What programs decide on in an error: its status, its code and its ExceptionType are published."""

from collections.abc import Iterator

import pytest

from bot.domain.errors import Refusal
from bot.faces import durable
from bot.faces.durable.errors import InvalidRequest

PUBLISHED = {
    "AlreadyFinished": (410, "already_finished"),
    "BreakerOpen": (429, "breaker_open"),
    "CannotReceiveTexts": (400, "cannot_receive_texts"),
    "CountryNotAllowed": (403, "country_not_allowed"),
    "Disowned": (409, "disowned"),
    "EndpointChanged": (409, "endpoint_changed"),
    "EndpointsUnfit": (409, "endpoints_unfit"),
    "Forbidden": (403, "forbidden"),
    "IdInUse": (409, "id_in_use"),
    "InvalidAnswer": (400, "invalid_answer"),
    "InvalidEventName": (400, "invalid_event_name"),
    "InvalidFilter": (400, "invalid_filter"),
    "InvalidId": (400, "invalid_id"),
    "InvalidIdempotencyKey": (400, "invalid_idempotency_key"),
    "InvalidJson": (400, "invalid_json"),
    "InvalidNumber": (400, "invalid_number"),
    "InvalidReason": (400, "invalid_reason"),
    "InvalidStart": (400, "invalid_start"),
    "InvalidToken": (400, "invalid_continuation_token"),
    "InvalidWait": (400, "invalid_wait"),
    "InvalidWebhook": (400, "invalid_webhook"),
    "KeyReplaced": (403, "key_replaced"),
    "LimitReached": (429, "limit_reached"),
    "MissingCreatedTimeFrom": (400, "missing_created_time_from"),
    "NumberBusy": (409, "number_busy"),
    "OptedOut": (409, "opted_out"),
    "QueueTooLong": (503, "queue_too_long"),
    "SenderUnavailable": (503, "sender_unavailable"),
    "SendsUsed": (429, "sends_used"),
    "StillCounting": (503, "still_counting"),
    "StillRunning": (412, "still_running"),
    "TextTooLong": (400, "text_too_long"),
    "TooLateToResend": (409, "too_late_to_resend"),
    "Unauthorized": (401, "unauthorized"),
    "UnknownEndpoint": (404, "unknown_endpoint"),
    "UnknownEvent": (404, "unknown_event"),
    "UnknownFunction": (400, "unknown_function"),
    "UnknownInstance": (400, "unknown_instance"),
    "UnknownVerification": (404, "unknown_verification"),
    "UnsupportedMedia": (400, "unsupported_media_type"),
}


def refusals(base: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for kind in base.__subclasses__():
        yield from refusals(kind)
        if kind is not InvalidRequest and not kind.__module__.startswith("bot.faces.verify"):
            yield kind


def test_every_refusal_has_its_published_name_status_and_code() -> None:
    shape = durable.DurableShape()
    told = {}
    for kind in refusals():
        error = kind.__new__(kind)
        Refusal.__init__(error, "a sentence")  # some take other arguments than a sentence
        told[kind.__name__] = (shape.refusal(error)[0], kind.code)
    assert told == PUBLISHED


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("store_unavailable", "StoreUnavailable"),
        ("body_too_large", "RequestEntityTooLarge"),
        ("internal", "InternalError"),
    ],
)
def test_every_fault_has_its_published_name(code: str, name: str) -> None:
    assert durable.DurableShape().fault(code, "a sentence", "")["ExceptionType"] == name
