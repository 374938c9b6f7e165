"""Refusals as Twilio Verify's error codes, statuses and bodies.

Source of the codes: Twilio's error dictionary, read in November 2026; docs/verify.md has the table.
"""

from dataclasses import dataclass
from typing import Any

from bot.domain import errors
from bot.domain.errors import LimitReached, Refusal, SendsUsed
from bot.domain.limits import LimitName
from bot.http import openapi
from bot.http.errors import Forbidden, Unauthorized, headers_of

MORE_INFO = "https://www.twilio.com/docs/errors"


class InvalidParameter(Refusal):
    """400: a parameter of Verify's API that is missing, unreadable, or not supported here."""

    code = "invalid_parameter"


class ChannelDisabled(Refusal):
    """400: a channel of Verify's API other than sms."""

    code = "channel_disabled"


class ChecksUsed(Refusal):
    """429: the verification has used its attempts, and its window is still open."""

    code = "checks_used"


class NoSuchResource(Refusal):
    """404: a service or verification of Verify's API that does not exist or has ended."""

    code = "no_such_resource"


@dataclass(frozen=True, slots=True)
class Code:
    """An error of Twilio's."""

    number: int
    status: int
    message: str | None = None  # None: the refusal's own sentence


CODES: dict[type[Refusal], Code] = {
    InvalidParameter: Code(60200, 400),
    ChannelDisabled: Code(60223, 400),
    ChecksUsed: Code(60202, 429, "Max check attempts reached"),
    NoSuchResource: Code(20404, 404),
    errors.UnknownVerification: Code(20404, 404),  # removed while the request ran
    Unauthorized: Code(20003, 401, "Authenticate"),
    Forbidden: Code(20003, 403),
    errors.InvalidNumber: Code(60200, 400, "Invalid parameter `To`"),
    errors.InvalidStart: Code(60200, 400),
    errors.TextTooLong: Code(
        60200,
        400,
        "Invalid parameter `CustomFriendlyName` or `AppHash`: the text would be too long",
    ),
    errors.CannotReceiveTexts: Code(60205, 403, "SMS is not supported by this phone number"),
    errors.CountryNotAllowed: Code(60605, 403),
    errors.BreakerOpen: Code(60410, 403),
    errors.OptedOut: Code(21610, 403),
    errors.Disowned: Code(21610, 403),
    errors.NumberBusy: Code(60212, 429, "Too many concurrent requests for phone number"),
    errors.SendsUsed: Code(60203, 429, "Max send attempts reached"),
    errors.TooLateToResend: Code(60203, 429, "Max send attempts reached"),
    errors.QueueTooLong: Code(20503, 503),
    errors.SenderUnavailable: Code(20503, 503),
    errors.StillCounting: Code(20503, 503),
    errors.IdInUse: Code(60212, 429),
}
# By the limit that was hit. Any other limit is on all starts: the service's limit.
LIMITS = {
    LimitName.PER_NUMBER: Code(60203, 429, "Max send attempts reached"),
    LimitName.WRONG_PER_NUMBER: Code(60202, 429, "Max check attempts reached"),
}
SERVICE_LIMIT = Code(20429, 429, "Too many requests")
FAULTS = {
    "store_unavailable": Code(20503, 503),
    "body_too_large": Code(20413, 413),
    "invalid_request": Code(60200, 400),
}
INTERNAL = Code(20500, 500)
UNKNOWN = Code(60200, 400)


_LIMITED_BY: dict[type[Refusal], str] = {SendsUsed: "MAX_SENDS", ChecksUsed: "MAX_ATTEMPTS"}


class VerifyShape:
    """The error format of Verify's API."""

    schema = openapi.an_object(
        {
            "code": {"type": "integer"},
            "message": {"type": "string"},
            "more_info": {"type": "string"},
            "status": {"type": "integer"},
        }
    )

    def refusal(self, error: Refusal) -> tuple[int, Any, dict[str, str]]:
        code = code_of(error)
        headers = headers_of(error, code.status)
        if code.status == 429:
            headers["Twilio-Reached-Rate-Limit"] = _limit_name(error)
        if code.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="Textback"'
        return code.status, _body(code, code.message or error.sentence), headers

    def fault(self, code: str, sentence: str, detail: str = "") -> Any:
        return _body(FAULTS.get(code, INTERNAL), f"{sentence} {detail}".strip())


def _limit_name(error: Refusal) -> str:
    """The setting of the limit that was hit, if there is one; else our code word."""
    if isinstance(error, LimitReached):
        return str(error.limit_name)  # WSGI takes no enum
    return _LIMITED_BY.get(type(error), error.code)


def code_of(error: Refusal) -> Code:
    if isinstance(error, LimitReached):
        return LIMITS.get(error.limit_name, SERVICE_LIMIT)
    return CODES.get(type(error), UNKNOWN)


def _body(code: Code, message: str) -> dict[str, Any]:
    return {
        "code": code.number,
        "message": message,
        "more_info": f"{MORE_INFO}/{code.number}",
        "status": code.status,
    }
