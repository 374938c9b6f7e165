"""The JSON shapes of the Durable Functions HTTP API, as its extension 2.13 writes them, and the one
table that turns refusals into statuses."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from bot.channels.twilio import errors
from bot.domain.errors import (
    AlreadyFinished,
    BreakerOpen,
    CannotReceiveTexts,
    CountryNotAllowed,
    Forbidden,
    IdInUse,
    InvalidAnswer,
    InvalidEventName,
    InvalidFilter,
    InvalidId,
    InvalidIdempotencyKey,
    InvalidJson,
    InvalidNumber,
    InvalidReason,
    InvalidToken,
    InvalidWait,
    InvalidWebhook,
    KeyReplaced,
    LimitReached,
    MissingCreatedTimeFrom,
    NumberBusy,
    OptedOut,
    QueueTooLong,
    Refusal,
    SenderUnavailable,
    StillCounting,
    StillRunning,
    Unauthorized,
    UnknownFunction,
    UnknownInstance,
    UnknownVerification,
    UnsupportedMedia,
)
from bot.domain.verification import Stage, Status, Verification
from bot.http.keys import Keys, Scope
from bot.usecases.read import VerificationView

FUNCTION = "E4_SmsPhoneVerification"
ANSWER_EVENT = "SmsChallengeResponse"
BASE_PATH = "/runtime/webhooks/durabletask"

START_RETRY_SECONDS = 10
STATUS_RETRY_SECONDS = 5

Json = dict[str, Any]

STATUSES: dict[type[Refusal], int] = {
    Unauthorized: 401,
    Forbidden: 403,
    KeyReplaced: 403,
    InvalidReason: 400,
    InvalidFilter: 400,
    InvalidJson: 400,
    UnsupportedMedia: 400,
    InvalidNumber: 400,
    CannotReceiveTexts: 400,
    InvalidId: 400,
    InvalidAnswer: 400,
    InvalidEventName: 400,
    InvalidIdempotencyKey: 400,
    InvalidWebhook: 400,
    InvalidWait: 400,
    InvalidToken: 400,
    MissingCreatedTimeFrom: 400,
    UnknownInstance: 400,
    StillRunning: 412,
    UnknownFunction: 400,
    CountryNotAllowed: 403,
    LimitReached: 429,
    BreakerOpen: 429,
    QueueTooLong: 503,
    SenderUnavailable: 503,
    StillCounting: 503,
    OptedOut: 409,
    NumberBusy: 409,
    IdInUse: 409,
    UnknownVerification: 404,
    AlreadyFinished: 410,
}

# The extension answers these with nothing but the status,
_WITHOUT_BODY = (404, 410)
# and these with a bare JSON string.
_BARE = (StillRunning, MissingCreatedTimeFrom)

_MESSAGES: dict[type[Refusal], str] = {
    InvalidJson: "Invalid JSON content",
    UnsupportedMedia: "Only application/json request content is supported",
    UnknownInstance: "InstanceId does not match a valid orchestration instance.",
}
_DEFAULT_MESSAGE = "One or more of the arguments submitted is incorrect"

RUNTIME_STATUSES = {
    Stage.WAITING: "Pending",
    Stage.RUNNING: "Running",
    Stage.SUSPENDED: "Suspended",
    Stage.APPROVED: "Completed",
    Stage.EXPIRED: "Completed",
    Stage.MAX_ATTEMPTS_REACHED: "Completed",
    Stage.CANCELED: "Terminated",
    Stage.FAILED: "Failed",
}


def refusal(error: Refusal) -> tuple[int, Json | str | None, dict[str, str]]:
    """Status, body and headers of a refusal."""
    status = STATUSES[type(error)]
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if status in _WITHOUT_BODY:
        return status, None, headers
    if isinstance(error, _BARE):
        return status, error.sentence, headers
    message = error.sentence if status != 400 else _MESSAGES.get(type(error), _DEFAULT_MESSAGE)
    body = fault(message, error.sentence, type(error).__name__, error.code)
    return status, body | ({"limit": error.limit} if error.limit else {}), headers


def fault(message: str, exception_message: str, exception_type: str, code: str) -> Json:
    return {
        "Message": message,
        "ExceptionMessage": exception_message,
        "ExceptionType": exception_type,
        "code": code,
    }


def links(verification: Verification, *, public_base_url: str, keys: Keys) -> Json:
    """What a start answers: the id, the reference, and where to go from here."""
    instance = f"{public_base_url}{BASE_PATH}/instances/{quote(verification.id, safe='')}"
    act = urlencode({"code": keys.link_key(verification, Scope.ACT)})
    return {
        "id": verification.id,
        "reference": verification.reference,
        "statusQueryGetUri": status_link(verification, public_base_url, keys),
        "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}?{act}",
        "terminatePostUri": f"{instance}/terminate?reason={{text}}&{act}",
        "purgeHistoryDeleteUri": f"{instance}?{act}",
        "restartPostUri": f"{instance}/restart?{act}",
        "suspendPostUri": f"{instance}/suspend?reason={{text}}&{act}",
        "resumePostUri": f"{instance}/resume?reason={{text}}&{act}",
    }


def status_link(verification: Verification, public_base_url: str, keys: Keys) -> str:
    key = urlencode({"code": keys.link_key(verification, Scope.READ)})
    return f"{public_base_url}{BASE_PATH}/instances/{quote(verification.id, safe='')}?{key}"


def status(view: VerificationView, *, show_input: bool = True) -> Json:
    verification = view.verification
    return {
        "name": FUNCTION,
        "instanceId": verification.id,
        "runtimeStatus": RUNTIME_STATUSES[verification.stage],
        "input": _input(verification.start_input) if show_input else None,
        "customStatus": custom_status(view),
        "output": output(verification),
        "createdTime": time(verification.created_at),
        "lastUpdatedTime": time(view.updated_at),
    }


def _input(text: str) -> Any:
    """As it was sent; a row that was edited by hand holds up no list."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def custom_status(view: VerificationView) -> Json:
    """What runtimeStatus and output cannot say."""
    verification, text = view.verification, view.text
    code = verification.outcome.error_code if verification.outcome else None
    code = code or text.error_code
    return {
        "status": verification.status.value,
        "cause": verification.outcome.cause.value if verification.outcome else None,
        "reference": verification.reference,
        "attemptsUsed": verification.attempts,
        "attemptsLeft": verification.attempts_left,
        "deadline": time(verification.deadline_at),
        "delivery": text.delivery or text.state,
        "errorCode": code,
        "error": errors.sentence(code),
    }


def time(instant: datetime) -> str:
    """UTC, whole seconds.

    >>> time(datetime(2017, 6, 29, 19, 10, 49, 999, tzinfo=UTC))
    '2017-06-29T19:10:49Z'
    """
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def output(verification: Verification) -> Any:
    outcome = verification.outcome
    if outcome is None:
        return None
    if outcome.status is Status.APPROVED:
        return True
    if outcome.status in (Status.EXPIRED, Status.MAX_ATTEMPTS_REACHED):
        return False
    return outcome.reason  # always text, so that none reads like a verdict
