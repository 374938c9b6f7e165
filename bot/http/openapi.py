"""The OpenAPI description of all that Textback serves.

Written here and nowhere else; `make openapi` puts it into docs/openapi.json. Tests hold it against
the table of routes, and against what the routes really answer.
"""

from typing import Any

from bot.domain.verification import Cause, Status
from bot.faces.durable.payloads import BASE_PATH, FUNCTION, RUNTIME_STATUSES

Json = dict[str, Any]
Answers = dict[int, str | None]  # statuses, and the schema of the body if there is one

INSTANCE = f"{BASE_PATH}/instances/{{id}}"

_ANSWERS: dict[int, str] = {
    200: "Done",
    202: "Taken",
    204: "Taken",
    400: "Something sent is wrong; `code` says what",
    401: "No key, or one that is not known",
    403: "A key for something else, no valid signature, or a country that is not allowed",
    404: "There is no such thing",
    409: "In the way of something else; `code` says what",
    410: "It has already finished",
    412: "It is still running",
    413: "The body is too large",
    429: "A limit is reached; `limit` says which",
    500: "Failed, and asked to say so by status",
    501: "There is no such operation here",
    503: "Not now; `code` or `reasons` say why",
}
_WITHOUT_BODY = frozenset([404, 410, 501])
_TOO_LARGE = 413


def document() -> Json:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Textback",
            "version": "1",
            "description": "Verifies that a person holds a phone number: the code is texted, and"
            " the person texts it back.",
        },
        "security": [{"header": []}, {"query": []}],
        "paths": _paths(),
        "components": {"schemas": _schemas(), "securitySchemes": _security()},
    }


def _paths() -> Json:
    start = {
        "requestBody": _json_body("PhoneNumber"),
        "parameters": [_path("function"), _idempotency()],
    }
    waiting = [_query("timeout", "number"), *_intervals()]
    started: Answers = {
        202: "Links",
        200: "Outcome",
        400: "Fault",
        403: "Fault",
        409: "Fault",
        413: "Fault",
    }
    started |= {429: "Fault", 503: "Fault"}
    ordered: Answers = {202: None, 400: "Fault", 404: None, 410: None}
    order = [_path("id"), _query("reason")]
    return {
        "/orchestrators/{function}": {
            "post": _operation(
                "Start a verification, with a function key",
                {**started, 401: "Fault"},
                requestBody=start["requestBody"],
                parameters=[*start["parameters"], *waiting],
            )
        },
        "/orchestrators/{function}/wait": {
            "post": _operation(
                "Start a verification and wait for its outcome",
                {**started, 401: "Fault"},
                requestBody=start["requestBody"],
                parameters=[*start["parameters"], *waiting],
            )
        },
        f"{BASE_PATH}/orchestrators/{{function}}": {
            "post": _operation(
                "Start a verification",
                started,
                requestBody=start["requestBody"],
                parameters=[*start["parameters"], *waiting],
            )
        },
        f"{BASE_PATH}/orchestrators/{{function}}/{{id}}": {
            "post": _operation(
                "Start a verification under an id of one's own",
                {**started, 404: None},
                requestBody=start["requestBody"],
                parameters=[*start["parameters"], _path("id"), *waiting],
            )
        },
        f"{BASE_PATH}/instances": {
            "get": _operation(
                "List instances",
                {200: "Statuses", 400: "Fault"},
                parameters=[
                    *_range(),
                    _query("instanceIdPrefix"),
                    _query("top", "integer"),
                    _query("showInput", "boolean"),
                    _header("x-ms-continuation-token"),
                ],
            ),
            "delete": _operation(
                "Remove finished instances",
                {200: "Purged", 400: "FaultOrSentence", 404: None},
                parameters=_range(),
            ),
        },
        INSTANCE: {
            "get": _operation(
                "The status of an instance",
                {200: "Status", 202: "Status", 404: None, 500: "Status"},
                parameters=[
                    _path("id"),
                    _query("showInput", "boolean"),
                    _query("showHistory", "boolean"),
                    _query("showHistoryOutput", "boolean"),
                    _query("returnInternalServerErrorOnFailure", "boolean"),
                ],
            ),
            "delete": _operation(
                "Remove a finished instance",
                {200: "Purged", 404: None, 412: "Sentence"},
                parameters=[_path("id")],
            ),
        },
        f"{INSTANCE}/raiseEvent/{{event}}": {
            "post": _operation(
                "Raise an event; SmsChallengeResponse carries the answer",
                {**ordered, 400: "Fault", 413: "Fault"},
                requestBody=_json_body("Anything"),
                parameters=[_path("id"), _path("event")],
            )
        },
        f"{INSTANCE}/terminate": {
            "post": _operation("Cancel an instance", ordered, parameters=order)
        },
        f"{INSTANCE}/suspend": {
            "post": _operation("Hold the outcome back", ordered, parameters=order)
        },
        f"{INSTANCE}/resume": {
            "post": _operation("Publish what was held back", ordered, parameters=order)
        },
        f"{INSTANCE}/restart": {
            "post": _operation(
                "Start anew for the same number",
                {**started, 404: None},
                parameters=[
                    _path("id"),
                    _idempotency(),
                    _query("restartWithNewInstanceId", "boolean"),
                    *waiting,
                ],
            )
        },
        f"{INSTANCE}/rewind": {
            "post": _operation("Not to be had here", {404: None, 501: None}, parameters=order)
        },
        "/twilio/sms": {
            "post": _operation(
                "An inbound text, from Twilio",
                {200: "TwiML", 400: "Fault", 403: "Fault", 413: "Fault", 503: "Fault"},
                requestBody=_form("Inbound"),
                security=[{"twilio": []}],
            )
        },
        "/twilio/status/{text}": {
            "post": _operation(
                "A delivery report, from Twilio",
                {204: None, 403: "Fault", 404: None, 413: "Fault", 503: "Fault"},
                requestBody=_form("Report"),
                parameters=[_path("text")],
                security=[{"twilio": []}],
            )
        },
        "/healthz": {"get": _operation("The process is alive", {200: "Alive"}, security=[])},
        "/readyz": {"get": _operation("Whether it can do its work", {200: "Ready", 503: "Ready"})},
        "/metrics": {
            "get": _operation(
                "Counters for Prometheus, for a system key as bearer token",
                {200: "Metrics", 401: "Fault", 403: "Fault"},
                security=[{"bearer": []}],
            )
        },
        "/openapi.json": {"get": _operation("This document", {200: "Anything"}, security=[])},
    }


def _operation(summary: str, answers: Answers, **more: Any) -> Json:
    """An operation; one that needs a key answers 401 and 403 too."""
    if "security" not in more:
        answers = {401: "Fault", 403: "Fault", **answers}
    responses = {str(status): _answer(status, name) for status, name in sorted(answers.items())}
    return {"summary": summary, "responses": responses, **more}


def _answer(status: int, schema: str | None) -> Json:
    described: Json = {"description": _ANSWERS[status]}
    if schema is not None and status not in _WITHOUT_BODY:
        kind = {"TwiML": "text/xml", "Metrics": "text/plain"}.get(schema, "application/json")
        described["content"] = {kind: {"schema": _ref(schema)}}
    return described


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _path(name: str) -> Json:
    schema = {"const": FUNCTION} if name == "function" else {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(name: str, kind: str = "string") -> Json:
    return {"name": name, "in": "query", "schema": {"type": kind}}


def _header(name: str) -> Json:
    return {"name": name, "in": "header", "schema": {"type": "string"}}


def _idempotency() -> Json:
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return {"name": "Idempotency-Key", "in": "header", "schema": schema}


def _intervals() -> list[Json]:
    return [_query("pollingInterval", "number"), _query("retryInterval", "number")]


def _range() -> list[Json]:
    return [_query("createdTimeFrom"), _query("createdTimeTo"), _query("runtimeStatus")]


def _json_body(schema: str) -> Json:
    return {"required": True, "content": {"application/json": {"schema": _ref(schema)}}}


def _form(schema: str) -> Json:
    kind = "application/x-www-form-urlencoded"
    return {"required": True, "content": {kind: {"schema": _ref(schema)}}}


def _security() -> Json:
    return {
        "header": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
        "query": {"type": "apiKey", "in": "query", "name": "code"},
        "bearer": {"type": "http", "scheme": "bearer"},
        "twilio": {"type": "apiKey", "in": "header", "name": "X-Twilio-Signature"},
    }


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
        "attemptsUsed": count,
        "attemptsLeft": count,
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
        "customStatus": _object(custom),
        "output": {},
        "createdTime": text,
        "lastUpdatedTime": text,
    }
    history = {"historyEvents": {"type": "array", "items": {"type": "object"}}}
    return {
        "Anything": {},
        "PhoneNumber": {"type": "string", "examples": ["+14255550123"]},
        "Sentence": text,
        "TwiML": text,
        "Metrics": text,
        "Alive": _object({"status": {"const": "alive"}}),
        "Ready": {
            "type": "object",
            "properties": {"status": text, "reasons": {"type": "object"}},
            "required": ["status"],
        },
        "Purged": _object({"instancesDeleted": {"type": "integer", "minimum": 1}}),
        "Fault": _object(
            {"Message": text, "ExceptionMessage": text, "ExceptionType": text, "code": text}
        ),
        "FaultOrSentence": {"anyOf": [text, _ref("Fault")]},
        "Links": _object({"id": text, "reference": text, **dict.fromkeys(urls, text)}),
        "Status": {**_object(status), "properties": {**status, **history}},
        "Statuses": {"type": "array", "items": _ref("Status")},
        "Outcome": {"anyOf": [{"type": "boolean"}, _ref("Status")]},
        "Inbound": {"type": "object", "additionalProperties": text},
        "Report": {"type": "object", "additionalProperties": text},
    }


def _object(properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }
