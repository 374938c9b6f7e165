"""Refusals of the HTTP layer, and the statuses of all that faces share. A face adds its own."""

from bot.domain import errors
from bot.domain.errors import Refusal


class Unauthorized(Refusal):
    """401: no key, or one that is not known."""

    code = "unauthorized"


class Forbidden(Refusal):
    """403: a known key that may not do this, or a webhook that is not Twilio's."""

    code = "forbidden"


class KeyReplaced(Refusal):
    """403: a restart by a link whose caller's key was removed."""

    code = "key_replaced"


class InvalidIdempotencyKey(Refusal):
    """400: an Idempotency-Key that is empty, longer than 200 characters, or an unfilled
    placeholder."""

    code = "invalid_idempotency_key"


class InvalidWebhook(Refusal):
    """400: a signed webhook without what every message has."""

    code = "invalid_webhook"


STATUSES: dict[type[Refusal], int] = {
    Unauthorized: 401,
    Forbidden: 403,
    KeyReplaced: 403,
    InvalidIdempotencyKey: 400,
    InvalidWebhook: 400,
    errors.InvalidNumber: 400,
    errors.InvalidStart: 400,
    errors.TextTooLong: 400,
    errors.CannotReceiveTexts: 400,
    errors.CountryNotAllowed: 403,
    errors.LimitReached: 429,
    errors.BreakerOpen: 429,
    errors.QueueTooLong: 503,
    errors.SenderUnavailable: 503,
    errors.StillCounting: 503,
    errors.OptedOut: 409,
    errors.Disowned: 409,
    errors.NumberBusy: 409,
    errors.IdInUse: 409,
    errors.UnknownVerification: 404,
    errors.TooLateToResend: 409,
    errors.SendsUsed: 429,
    errors.UnknownEndpoint: 404,
    errors.EndpointChanged: 409,
    errors.EndpointsUnfit: 409,
    errors.UnknownEvent: 404,
    errors.AlreadyFinished: 410,
    errors.StillRunning: 412,
}


def headers_of(error: Refusal, status: int) -> dict[str, str]:
    """The headers of a refusal."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    return headers
