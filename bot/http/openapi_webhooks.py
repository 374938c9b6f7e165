"""The part of the OpenAPI description about the events that Textback sends to applications."""

from bot.domain.verification import ENDS, Cause
from bot.http import openapi
from bot.http.openapi import Json, Part
from bot.webhooks.body import TEST

_TEXT: Json = {"type": "string"}
_TEXT_OR_NULL: Json = {"type": ["string", "null"]}
_INSTANT: Json = {"type": "string", "format": "date-time"}
_INSTANT_OR_NULL: Json = {"type": ["string", "null"], "format": "date-time"}
_COUNT: Json = {"type": "integer", "minimum": 0}

_EXAMPLE: Json = {
    "type": "verification.approved",
    "timestamp": "2026-01-31T09:30:42.250Z",
    "data": {
        "id": "4e8f3ac5b5a04c8c8b6ed0e0a5c0f6a1",
        "reference": "KP",
        "status": "approved",
        "cause": "answered",
        "reason": None,
        "tag": "order-4711",
        "locale": "en",
        "maskedNumber": "+1425*****23",
        "attemptsUsed": 0,
        "startedAt": "2026-01-31T09:30:01.000Z",
        "acceptedAt": "2026-01-31T09:30:01.400Z",
        "endedAt": "2026-01-31T09:30:42.250Z",
        "errorCode": None,
        "error": None,
        "sequence": 5,
    },
}


def part() -> Part:
    outcomes = {f"verification.{status}": _webhook("OutcomeEvent", status) for status in ENDS}
    tests = {TEST: _webhook("TestEvent", "test")}
    return Part(paths={}, schemas=_schemas(), webhooks={**outcomes, **tests})


def _webhook(schema: str, what: str) -> Json:
    operation = {
        "operationId": "on" + what.title().replace("_", ""),
        "summary": f"Sent once the verification is {what}" if what != "test" else "Sent on request",
        "security": [],
        "parameters": [
            openapi.header(name)
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        ],
        "requestBody": openapi.json_body(schema),
        "responses": {
            "2XX": {"description": "Taken"},
            "410": {"description": "The receiver wants no more events; its endpoint is disabled"},
            "default": {"description": "Not accepted; the same event is sent again"},
        },
    }
    return {"post": operation}


def _schemas() -> Json:
    data = {
        "id": _TEXT,
        "reference": _TEXT,
        "status": {"enum": [status.value for status in ENDS]},
        "cause": {"enum": [cause.value for cause in Cause]},
        "reason": _TEXT_OR_NULL,
        "tag": _TEXT_OR_NULL,
        "locale": _TEXT_OR_NULL,
        "maskedNumber": _TEXT,
        "attemptsUsed": _COUNT,
        "startedAt": _INSTANT,
        "acceptedAt": _INSTANT_OR_NULL,
        "endedAt": _INSTANT,
        "errorCode": {"type": ["integer", "null"]},
        "error": _TEXT_OR_NULL,
        "sequence": _COUNT,
    }
    described = openapi.an_object(data)
    described["properties"] = {**data, "phoneNumber": _TEXT}  # only where it is asked for
    types = [f"verification.{status}" for status in ENDS]
    return {
        "OutcomeEvent": {
            **openapi.an_object(
                {"type": {"enum": types}, "timestamp": _INSTANT, "data": described}
            ),
            "examples": [_EXAMPLE],
        },
        "TestEvent": openapi.an_object(
            {
                "type": {"const": TEST},
                "timestamp": _INSTANT,
                "data": openapi.an_object({"sentBy": _TEXT}),
            }
        ),
    }
