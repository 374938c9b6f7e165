"""This face's part of the OpenAPI description. Twilio's own describes the same routes in full."""

from collections.abc import Sequence
from typing import Any

from bot.domain.verification import Status
from bot.faces.verify.errors import VerifyShape
from bot.faces.verify.shapes import PATH
from bot.http import openapi
from bot.http.openapi import Json, Part, Responses

_TEXT: Json = {"type": "string"}
_OPTIONAL = ["CustomFriendlyName", "Locale", "AppHash", "Tags", "DeviceIp", "RiskCheck"]
_BASIC: list[Json] = [{"basic": []}]


def part() -> Part:
    return Part(
        paths=_paths(),
        schemas=_schemas(),
        security={"basic": {"type": "http", "scheme": "basic"}},
    )


def _paths() -> Json:
    service = openapi.path("service_sid", type="string", pattern="^VA[0-9a-f]{32}$")
    parameters = [service, openapi.path("which")]
    errors: Responses = dict.fromkeys((400, 401, 403, 404, 429, 503), "VerifyError")
    read: Responses = dict.fromkeys((401, 404, 503), "VerifyError")
    read |= {200: "Verification"}

    def operation(id: str, summary: str, responses: Responses, **more: Any) -> Json:
        return openapi.operation(id, summary, responses, security=_BASIC, **more)

    return {
        PATH: {
            "get": operation(
                "listServices",
                "The one service",
                {200: "Services", 401: "VerifyError"},
                parameters=[
                    openapi.query("Page", "integer"),
                    openapi.query("PageSize", "integer"),
                ],
            )
        },
        f"{PATH}/{{service_sid}}": {
            "get": operation(
                "fetchService",
                "The service",
                {200: "Service", 401: "VerifyError", 404: "VerifyError"},
                parameters=[service],
            )
        },
        f"{PATH}/{{service_sid}}/Verifications": {
            "post": operation(
                "createVerification",
                "Start a verification, or send the text of a pending one again",
                {**errors, 201: "Verification", 413: "VerifyError"},
                parameters=[service],
                requestBody=openapi.form("CreateVerification"),
            )
        },
        f"{PATH}/{{service_sid}}/Verifications/{{which}}": {
            "get": operation(
                "fetchVerification", "A verification by sid or number", read, parameters=parameters
            ),
            "post": operation(
                "updateVerification",
                "Cancel a verification",
                {**read, 400: "VerifyError", 413: "VerifyError"},
                parameters=parameters,
                requestBody=openapi.form("UpdateVerification"),
            ),
        },
        f"{PATH}/{{service_sid}}/VerificationCheck": {
            "post": operation(
                "createVerificationCheck",
                "Check a code",
                {**errors, 200: "VerificationCheck", 413: "VerifyError"},
                parameters=[service],
                requestBody=openapi.form("CheckVerification"),
            )
        },
    }


def _schemas() -> Json:
    sid = {"type": "string", "pattern": "^VE[0-9a-f]{32}$"}
    status = {"enum": [status.value for status in Status]}
    attempt = openapi.an_object({"time": _TEXT, "channel": _TEXT, "attempt_sid": _TEXT})
    check: Json = {
        "sid": sid,
        "service_sid": _TEXT,
        "account_sid": _TEXT,
        "to": _TEXT,
        "channel": {"const": "sms"},
        "status": status,
        "valid": {"type": "boolean"},
        "date_created": _TEXT,
        "date_updated": _TEXT,
    }
    attempts: Json = {"type": "array", "items": attempt}
    return {
        "Verification": openapi.an_object({**check, "send_code_attempts": attempts, "url": _TEXT}),
        "VerificationCheck": openapi.an_object(check),
        "Service": openapi.an_object({"sid": _TEXT, "friendly_name": _TEXT, "url": _TEXT}),
        "Services": openapi.an_object(
            {"services": {"type": "array", "items": openapi.ref("Service")}, "meta": {}}
        ),
        "VerifyError": VerifyShape.schema,
        "CreateVerification": _form(["To", "Channel"], _OPTIONAL),
        "UpdateVerification": _form(["Status"]),
        "CheckVerification": _form(["Code"], ["To", "VerificationSid"]),
    }


def _form(required: list[str], optional: Sequence[str] = ()) -> Json:
    return {
        "type": "object",
        "properties": dict.fromkeys([*required, *optional], _TEXT),
        "required": required,
        "additionalProperties": False,
    }
