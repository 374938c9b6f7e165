"""Twilio's OpenAPI description as a judge of requests and answers."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from tests.verify.traffic import Exchange

DESCRIPTION = json.loads((Path(__file__).parent / "twilio_verify_v2.json").read_text())
# It has an error's schema at one status of one route; all errors of Twilio's have this shape.
ERROR = {
    "type": "object",
    "properties": {
        "code": {"type": "integer"},
        "message": {"type": "string", "minLength": 1},
        "more_info": {"type": "string", "format": "uri"},
        "status": {"type": "integer"},
    },
    "required": ["code", "message", "more_info", "status"],
    "additionalProperties": False,
}
# The library leaves these two to packages of their own.
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time")
def _is_instant(value: object) -> bool:
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    return not isinstance(value, str) or re.fullmatch(pattern, value) is not None


@FORMATS.checks("uri")
def _is_address(value: object) -> bool:
    return not isinstance(value, str) or re.fullmatch(r"https?://[^\s/]+/\S*", value) is not None


def complaints(exchange: Exchange) -> list[str]:
    """Objections of the description to a request that was accepted, and to an answer."""
    route, operation = _operation(exchange)
    if exchange.status >= 400:
        return [f"{exchange}: {fault}" for fault in _of_error(exchange)]
    if operation is None:
        return [f"{exchange}: not described, and taken"]
    faults = _against(_form_schema(operation), {k: v[-1] for k, v in exchange.form.items()})
    described = operation["responses"].get(str(exchange.status))
    if described is None:
        return [f"{exchange}: {exchange.status} is not described"]
    schema = described["content"]["application/json"]["schema"]
    faults += _against(_with_all_required(_translated(schema)), exchange.json)
    return [f"{exchange.method} {route}: {fault}" for fault in faults]


def route_of(exchange: Exchange) -> str | None:
    return _operation(exchange)[0]


def _operation(exchange: Exchange) -> tuple[str | None, dict[str, Any] | None]:
    asked = exchange.path.rstrip("/").split("/")
    for route, item in DESCRIPTION["paths"].items():
        parts = route.split("/")
        is_it = len(parts) == len(asked) and all(
            part == word or part.startswith("{") for part, word in zip(parts, asked, strict=True)
        )
        if is_it and exchange.method.lower() in item:
            return f"{exchange.method} {route}", item[exchange.method.lower()]
    return None, None


def _of_error(exchange: Exchange) -> list[str]:
    faults = _against(ERROR, exchange.json)
    if faults:
        return faults
    if exchange.json["status"] != exchange.status:
        faults.append("the body has another status")
    if not exchange.json["more_info"].endswith(f"/{exchange.json['code']}"):
        faults.append("more_info leads elsewhere")
    if exchange.status in (429, 503) and "Retry-After" not in exchange.headers:
        faults.append("no Retry-After")
    return faults


def _form_schema(operation: dict[str, Any]) -> dict[str, Any]:
    """Of a form: every value is text, and nothing else may be there."""
    if "requestBody" not in operation:
        return {}
    content = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]
    return {**_translated(content["schema"]), "additionalProperties": False}


def _with_all_required(schema: dict[str, Any]) -> dict[str, Any]:
    """Clients in Go read what is there without asking, so nothing may be missing."""
    if "$ref" in schema:
        schema = _translated(_referred(schema["$ref"]))
    return {**schema, "required": sorted(schema["properties"]), "additionalProperties": False}


def _against(schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": _components()}
    validator = Draft202012Validator(whole, format_checker=FORMATS)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


@cache
def _components() -> dict[str, Any]:
    return _translated(DESCRIPTION["components"])


def _referred(reference: str) -> dict[str, Any]:
    return DESCRIPTION["components"]["schemas"][reference.rpartition("/")[2]]


def _translated(value: Any) -> Any:
    """JSON Schema of what OpenAPI 3.0 says: `nullable` is a further type, or a further value."""
    if isinstance(value, list):
        return [_translated(one) for one in value]
    if not isinstance(value, dict):
        return value
    told = {key: _translated(one) for key, one in value.items() if key != "nullable"}
    if value.get("nullable") is True:
        if "type" in told:
            told["type"] = [told["type"], "null"]
        if "enum" in told:
            told["enum"] = [*told["enum"], None]
    return told
