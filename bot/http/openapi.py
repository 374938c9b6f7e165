"""The OpenAPI description, put together from the parts of the faces.

`make openapi` writes it into docs/openapi.json. Tests compare it with the registered routes and
with their actual responses.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from flask import Blueprint, Response

from bot.http.json_responses import JSON

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Body:
    """A body that is not JSON."""

    schema: str
    media_type: str


Responses = dict[int, str | Body | None]  # statuses, and the schema of the body if there is one


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a face: its paths, their schemas, and its authentication."""

    paths: Json
    schemas: Json = field(default_factory=dict)
    security: Json = field(default_factory=dict)
    webhooks: Json = field(default_factory=dict)  # what Textback itself sends


_DESCRIPTIONS: dict[int, str] = {
    200: "Done",
    201: "Created",
    202: "Accepted",
    204: "Accepted",
    400: "The request is not valid; `code` says why",
    401: "The key is missing or unknown",
    403: "The key is for something else, the signature is not valid, or the country is not allowed",
    404: "Not found",
    409: "Conflict; `code` says what",
    410: "The verification has already finished",
    412: "The verification is still running",
    413: "The body is too large",
    429: "A limit is reached; `limit` says which",
    501: "Not supported",
    503: "Unavailable; `code` or `reasons` say why",
}


def document(parts: Sequence[Part]) -> Json:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Textback",
            "version": "1",
            "description": "Verifies that a person holds a phone number: the code is texted, and"
            " the person texts it back.",
        },
        "security": [{"header": []}, {"query": []}],
        "paths": {path: item for part in parts for path, item in part.paths.items()},
        "webhooks": {name: item for part in parts for name, item in part.webhooks.items()},
        "components": {
            "schemas": {name: s for part in parts for name, s in part.schemas.items()},
            "securitySchemes": {name: s for part in parts for name, s in part.security.items()},
        },
    }


def operation(
    id: str,
    summary: str,
    statuses: Responses,
    *,
    described: Mapping[int, str] | None = None,
    **more: Any,
) -> Json:
    """An operation; one that needs a key answers 401 and 403 too. `id`: the name that generated
    clients give it. `described`: descriptions of statuses that mean something else here."""
    if "security" not in more:
        statuses = {401: "Fault", 403: "Fault", **statuses}
    descriptions = {**_DESCRIPTIONS, **(described or {})}
    responses = {
        str(status): response(descriptions[status], name)
        for status, name in sorted(statuses.items())
    }
    return {"operationId": id, "summary": summary, "responses": responses, **more}


def response(description: str, body: str | Body | None) -> Json:
    described: Json = {"description": description}
    if body is not None:
        made = Body(body, "application/json") if isinstance(body, str) else body
        described["content"] = {made.media_type: {"schema": ref(made.schema)}}
    return described


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def query(name: str, kind: str = "string") -> Json:
    return {"name": name, "in": "query", "schema": {"type": kind}}


def header(name: str) -> Json:
    return {"name": name, "in": "header", "schema": {"type": "string"}}


def json_body(schema: str) -> Json:
    return {"required": True, "content": {"application/json": {"schema": ref(schema)}}}


def form(schema: str) -> Json:
    kind = "application/x-www-form-urlencoded"
    return {"required": True, "content": {kind: {"schema": ref(schema)}}}


def an_object(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def path(name: str, **schema: Any) -> Json:
    described = schema or {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": described}


def blueprint(document: Json) -> Blueprint:
    """The route that serves the document, which describes itself."""
    routes = Blueprint("openapi", __name__)
    text = cache(partial(json.dumps, document))

    def described() -> Response:
        return Response(text(), content_type=JSON)

    routes.add_url_rule("/openapi.json", view_func=described)
    return routes


def part() -> Part:
    return Part(
        paths={
            "/openapi.json": {
                "get": operation("readDescription", "This document", {200: "Anything"}, security=[])
            }
        },
        schemas={"Anything": {}},
    )
