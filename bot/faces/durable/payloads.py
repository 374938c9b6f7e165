"""The JSON shapes of the Durable Functions HTTP API, as its extension 2.13 writes them."""

import json
from typing import Any
from urllib.parse import quote, urlencode

from bot.channels import sentences
from bot.domain.verification import Stage, Status, Verification
from bot.http.instants import whole_seconds
from bot.http.keys import Keys, Scope
from bot.usecases.read import VerificationView

FUNCTION = "E4_SmsPhoneVerification"
ANSWER_EVENT = "SmsChallengeResponse"
RESEND_EVENT = "ResendSmsChallenge"
BASE_PATH = "/runtime/webhooks/durabletask"
INSTANCE = f"{BASE_PATH}/instances/{{id}}"

START_RETRY_SECONDS = 10
STATUS_RETRY_SECONDS = 5

Json = dict[str, Any]

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


def links(verification: Verification, *, public_base_url: str, keys: Keys) -> Json:
    """The answer to a start: the id, the reference, and links."""
    instance = _address(verification, public_base_url)
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
    return f"{_address(verification, public_base_url)}?{key}"


def _address(verification: Verification, public_base_url: str) -> str:
    return f"{public_base_url}{BASE_PATH}/instances/{quote(verification.id, safe='')}"


def status(view: VerificationView, *, show_input: bool = True) -> Json:
    verification = view.verification
    return {
        "name": FUNCTION,
        "instanceId": verification.id,
        "runtimeStatus": RUNTIME_STATUSES[verification.stage],
        "input": _input(input_of(verification)) if show_input else None,
        "customStatus": custom_status(view),
        "output": output(verification),
        "createdTime": whole_seconds(verification.created_at),
        "lastUpdatedTime": whole_seconds(view.updated_at),
    }


def input_of(verification: Verification) -> str:
    """The start's JSON as sent; for a verification that another face began, the number."""
    return verification.start_input or json.dumps(verification.phone)


def _input(text: str) -> Any:
    """The input as it was sent. A row that was edited by hand must not break a list."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def custom_status(view: VerificationView) -> Json:
    """Facts that runtimeStatus and output have no room for."""
    verification, text = view.verification, view.text
    return {
        "status": verification.status.value,
        "cause": verification.outcome.cause.value if verification.outcome else None,
        "reference": verification.reference,
        "tag": verification.tag,
        "locale": verification.locale,
        "attemptsUsed": verification.attempts,
        "attemptsLeft": verification.attempts_left,
        "sends": verification.sends,
        "sendsLeft": verification.terms.max_sends - verification.sends,
        "deadline": whole_seconds(verification.deadline_at),
        "delivery": text.delivery or text.state,
        "errorCode": view.error_code,
        "error": sentences.sentence(view.error_code),
    }


def output(verification: Verification) -> Any:
    outcome = verification.outcome
    if outcome is None:
        return None
    if outcome.status is Status.APPROVED:
        return True
    if outcome.status in (Status.EXPIRED, Status.MAX_ATTEMPTS_REACHED):
        return False
    return outcome.reason  # always text, so that none looks like the output true or false
