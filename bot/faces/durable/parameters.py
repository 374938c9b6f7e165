"""Reads ids, reasons and headers of a request, and writes answers."""

import json
import re
from typing import Any

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from bot.faces.durable.errors import (
    InvalidId,
    InvalidReason,
)
from bot.faces.durable.query import Query
from bot.http.error_handlers import JSON
from bot.http.errors import InvalidIdempotencyKey

# A link's {eventName} or {text}, sent as it stands there; and what curl, Postman, shells and other
# templates leave in place of a value.
PLACEHOLDER = re.compile(r"\s*(\$?\{+[\w .-]+\}+|<[\w .-]+>|\$[A-Za-z_]+|%[A-Za-z_]+%)\s*")
LONGEST_REASON = 4000  # characters: it is kept, and shown at every look

INTERVALS = ("pollingInterval", "retryInterval")
_FORBIDDEN_IN_IDS = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def valid_id(id: str) -> str:
    """Returns the id unchanged. Raises InvalidId."""
    # A browser resolves /. and /.. in an address, so no page could show these two.
    if id in (".", "..") or id.startswith("@") or _FORBIDDEN_IN_IDS.search(id) or len(id) > 256:
        raise InvalidId(
            "An instance id has at most 256 characters, does not begin with @, is not . or .., and"
            " holds no / \\ # ? and no control character."
        )
    return id


def reason(text: str | None) -> str | None:
    if text is None:
        return None
    if PLACEHOLDER.fullmatch(text):
        raise InvalidReason(
            "The reason is still the placeholder of the link: put a text in place of {text}, or"
            " leave the parameter out."
        )
    if len(text) > LONGEST_REASON:
        raise InvalidReason(f"A reason has at most {LONGEST_REASON} characters.")
    return text


def body() -> bytes:
    """The whole body. One of unknown length that reaches the limit was cut there: 413."""
    body = request.get_data()
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(body) >= limit:
        raise RequestEntityTooLarge
    return body


def query() -> Query:
    return Query(request.args)


def idempotency_key() -> str | None:
    """The header Idempotency-Key; None: it was not sent. Raises InvalidIdempotencyKey."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= 200:
        raise InvalidIdempotencyKey("An Idempotency-Key has 1 to 200 characters.")
    return key


def answer(body: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, content_type=JSON)
