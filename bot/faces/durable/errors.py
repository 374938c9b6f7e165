"""Refusals of this API alone, and the shape that its errors have, as the extension writes them."""

from typing import Any

from bot.domain.errors import Refusal, StillRunning
from bot.http import openapi
from bot.http.errors import STATUSES, headers_of


class InvalidRequest(Refusal):
    """400: base class for parameters, bodies and paths that this API does not accept."""


class InvalidJson(InvalidRequest):
    """400: a body that is no JSON."""

    code = "invalid_json"


class UnsupportedMedia(InvalidRequest):
    """400: an event whose content type is not application/json."""

    code = "unsupported_media_type"


class InvalidId(InvalidRequest):
    """400: an id with characters or a length that ids may not have."""

    code = "invalid_id"


class InvalidAnswer(InvalidRequest):
    """400: an answer that cannot be the digits of a code."""

    code = "invalid_answer"


class InvalidEventName(InvalidRequest):
    """400: the name of an event that is too long, or a placeholder taken literally."""

    code = "invalid_event_name"


class InvalidReason(InvalidRequest):
    """400: a reason that is a placeholder taken literally, or too long to keep."""

    code = "invalid_reason"


class UnknownFunction(InvalidRequest):
    """400: a start of a function that does not exist."""

    code = "unknown_function"


class UnknownInstance(InvalidRequest):
    """400: the restart of an instance that does not exist."""

    code = "unknown_instance"


class InvalidWait(InvalidRequest):
    """400: a polling interval that is longer than the timeout."""

    code = "invalid_wait"


class InvalidToken(InvalidRequest):
    """400: a continuation token that Textback did not issue."""

    code = "invalid_continuation_token"


class MissingCreatedTimeFrom(InvalidRequest):
    """400: a removal of many without its lower bound."""

    code = "missing_created_time_from"


class InvalidFilter(InvalidRequest):
    """400: a filter of a removal that cannot be understood. Ignoring it would remove more."""

    code = "invalid_filter"


_WITHOUT_BODY = (404, 410)  # statuses that the extension answers with an empty body
_BARE = (StillRunning, MissingCreatedTimeFrom)  # the extension answers with a JSON string

_MESSAGES: dict[type[Refusal], str] = {
    InvalidJson: "Invalid JSON content",
    UnsupportedMedia: "Only application/json request content is supported",
    UnknownInstance: "InstanceId does not match a valid orchestration instance.",
}
_DEFAULT_MESSAGE = "One or more of the arguments submitted is incorrect"
_TYPES = {
    "body_too_large": "RequestEntityTooLarge",
    "invalid_request": "InvalidRequest",
    "store_unavailable": "StoreUnavailable",
    "internal": "InternalError",
}


class DurableShape:
    """The error format of Durable Functions."""

    schema = openapi.an_object(
        {
            "Message": {"type": "string"},
            "ExceptionMessage": {"type": "string"},
            "ExceptionType": {"type": "string"},
            "code": {"type": "string"},
        }
    )

    def refusal(self, error: Refusal) -> tuple[int, Any, dict[str, str]]:
        status = 400 if isinstance(error, InvalidRequest) else STATUSES[type(error)]
        headers = headers_of(error, status)
        if status in _WITHOUT_BODY:
            return status, None, headers
        if isinstance(error, _BARE):
            return status, error.sentence, headers
        message = error.sentence if status != 400 else _MESSAGES.get(type(error), _DEFAULT_MESSAGE)
        body = _body(message, error.sentence, type(error).__name__, error.code)
        return status, body | ({"limit": error.limit} if error.limit else {}), headers

    def fault(self, code: str, sentence: str, detail: str = "") -> Any:
        return _body(sentence, detail or sentence, _TYPES[code], code)


def _body(message: str, exception_message: str, exception_type: str, code: str) -> dict[str, str]:
    return {
        "Message": message,
        "ExceptionMessage": exception_message,
        "ExceptionType": exception_type,
        "code": code,
    }
