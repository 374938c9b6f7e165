"""This face's part of the OpenAPI description."""

from bot.domain.start_fields import LONGEST_LOCALE, LONGEST_TAG
from bot.domain.verification import Cause, Status
from bot.faces.durable.payloads import BASE_PATH, FUNCTION, INSTANCE, RUNTIME_STATUSES
from bot.http import openapi
from bot.http.openapi import Json, Part, Responses

_IDEMPOTENCY: Json = {
    **openapi.header("Idempotency-Key"),
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
_RANGE = [openapi.query(name) for name in ("createdTimeFrom", "createdTimeTo", "runtimeStatus")]
_WAITING = [
    openapi.query(name, "number") for name in ("timeout", "pollingInterval", "retryInterval")
]


def part() -> Part:
    return Part(paths=_paths(), schemas=_schemas())


def _paths() -> Json:
    started: Responses = {202: "Links", 200: "Outcome"}
    started |= dict.fromkeys((400, 403, 409, 413, 429, 503), "Fault")
    restarted = {status: answer for status, answer in started.items() if status != 413}
    commanded: Responses = {202: None, 400: "Fault", 404: None, 410: None, 503: "Fault"}
    return {
        "/orchestrators/{function}": _start(
            "startVerification",
            "Start a verification, with a function key",
            {**started, 401: "Fault"},
        ),
        "/orchestrators/{function}/wait": _start(
            "startVerificationAndWait",
            "Start a verification and wait for its outcome",
            {**started, 401: "Fault"},
        ),
        f"{BASE_PATH}/orchestrators/{{function}}": _start(
            "startVerificationWithSystemKey", "Start a verification", started
        ),
        f"{BASE_PATH}/orchestrators/{{function}}/{{id}}": _start(
            "startVerificationUnderId",
            "Start a verification under an id of one's own",
            {**started, 404: None},
            openapi.path("id"),
        ),
        f"{BASE_PATH}/instances": {
            "get": openapi.operation(
                "listInstances",
                "List instances",
                {200: "Statuses", 400: "Fault", 503: "Fault"},
                parameters=[
                    *_RANGE,
                    openapi.query("instanceIdPrefix"),
                    openapi.query("top", "integer"),
                    openapi.query("showInput", "boolean"),
                    openapi.header("x-ms-continuation-token"),
                ],
            ),
            "delete": openapi.operation(
                "purgeInstances",
                "Remove finished instances",
                {200: "Purged", 400: "FaultOrSentence", 404: None, 413: "Fault", 503: "Fault"},
                parameters=_RANGE,
            ),
        },
        INSTANCE: {
            "get": openapi.operation(
                "getInstance",
                "The status of an instance",
                {
                    200: "Status",
                    202: "Status",
                    400: "Fault",
                    404: None,
                    500: "Status",
                    503: "Fault",
                },
                described={
                    500: "The verification failed, and the caller asked for status 500 in that case"
                },
                parameters=[
                    openapi.path("id"),
                    openapi.query("showInput", "boolean"),
                    openapi.query("showHistory", "boolean"),
                    openapi.query("showHistoryOutput", "boolean"),
                    openapi.query("returnInternalServerErrorOnFailure", "boolean"),
                ],
            ),
            "delete": openapi.operation(
                "purgeInstance",
                "Remove a finished instance",
                {
                    200: "Purged",
                    400: "Fault",
                    404: None,
                    412: "Sentence",
                    413: "Fault",
                    503: "Fault",
                },
                parameters=[openapi.path("id")],
            ),
        },
        f"{INSTANCE}/raiseEvent/{{event}}": {
            "post": openapi.operation(
                "raiseEvent",
                "Raise an event: SmsChallengeResponse carries the answer, ResendSmsChallenge sends"
                " the text again",
                {
                    **commanded,
                    400: "Fault",
                    409: "Fault",
                    413: "Fault",
                    429: "Fault",
                    503: "Fault",
                },
                requestBody=openapi.json_body("Anything"),
                parameters=[openapi.path("id"), openapi.path("event")],
            )
        },
        f"{INSTANCE}/terminate": _command("terminateInstance", "Cancel an instance", commanded),
        f"{INSTANCE}/suspend": _command("suspendInstance", "Hold the outcome back", commanded),
        f"{INSTANCE}/resume": _command("resumeInstance", "Publish what was held back", commanded),
        f"{INSTANCE}/restart": {
            "post": openapi.operation(
                "restartInstance",
                "Start anew for the same number",
                {**restarted, 404: None},
                parameters=[
                    openapi.path("id"),
                    _IDEMPOTENCY,
                    openapi.query("restartWithNewInstanceId", "boolean"),
                    *_WAITING,
                ],
            )
        },
        f"{INSTANCE}/rewind": _command(
            "rewindInstance",
            "Not supported",
            {400: "Fault", 404: None, 501: None, 503: "Fault"},
        ),
    }


def _start(id: str, summary: str, responses: Responses, *more: Json) -> Json:
    parameters = [openapi.path("function", const=FUNCTION), _IDEMPOTENCY, *more, *_WAITING]
    body = openapi.json_body("Start")
    operation = openapi.operation(id, summary, responses, requestBody=body, parameters=parameters)
    return {"post": operation}


def _command(id: str, summary: str, responses: Responses) -> Json:
    parameters = [openapi.path("id"), openapi.query("reason")]
    return {"post": openapi.operation(id, summary, responses, parameters=parameters)}


def _schemas() -> Json:
    text: Json = {"type": "string"}
    text_or_null: Json = {"type": ["string", "null"]}
    count: Json = {"type": "integer", "minimum": 0}
    urls = ["statusQueryGetUri", "sendEventPostUri", "terminatePostUri", "purgeHistoryDeleteUri"]
    urls += ["restartPostUri", "suspendPostUri", "resumePostUri"]
    custom = {
        "status": {"enum": [status.value for status in Status]},
        "cause": {"enum": [None, *(cause.value for cause in Cause)]},
        "reference": text,
        "tag": text_or_null,
        "locale": text_or_null,
        "attemptsUsed": count,
        "attemptsLeft": count,
        "sends": count,
        "sendsLeft": count,
        "deadline": text,
        "delivery": text,
        "errorCode": {"type": ["integer", "null"]},
        "error": text_or_null,
    }
    status = {
        "name": {"const": FUNCTION},
        "instanceId": text,
        "runtimeStatus": {"enum": sorted(set(RUNTIME_STATUSES.values()))},
        "input": {},
        "customStatus": openapi.an_object(custom),
        "output": {},
        "createdTime": text,
        "lastUpdatedTime": text,
    }
    history = {"historyEvents": {"type": "array", "items": {"type": "object"}}}
    return {
        "Start": {
            "anyOf": [openapi.ref("PhoneNumber"), openapi.ref("StartObject")],
            "examples": ["+14255550123", {"phoneNumber": "+14255550123", "tag": "order-4711"}],
        },
        "PhoneNumber": {"type": "string", "examples": ["+14255550123"]},
        "StartObject": {
            "type": "object",
            "properties": {
                "phoneNumber": openapi.ref("PhoneNumber"),
                "locale": {**text_or_null, "maxLength": LONGEST_LOCALE, "examples": ["es"]},
                "tag": {**text_or_null, "maxLength": LONGEST_TAG, "examples": ["order-4711"]},
            },
            "required": ["phoneNumber"],
            "additionalProperties": False,
        },
        "Sentence": text,
        "Purged": openapi.an_object({"instancesDeleted": {"type": "integer", "minimum": 1}}),
        "FaultOrSentence": {"anyOf": [text, openapi.ref("Fault")]},
        "Links": openapi.an_object({"id": text, "reference": text, **dict.fromkeys(urls, text)}),
        "Status": {**openapi.an_object(status), "properties": {**status, **history}},
        "Statuses": {"type": "array", "items": openapi.ref("Status")},
        "Outcome": {"anyOf": [{"type": "boolean"}, openapi.ref("Status")]},
    }
