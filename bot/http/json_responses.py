"""Responses with a JSON body."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response

JSON = "application/json; charset=utf-8"


def json_response(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(json.dumps(body), status, headers, content_type=JSON)


def json_list_response(items: Iterable[Any], headers: Mapping[str, str]) -> Response:
    """A long list, dumped item by item, so that `items` may yield to other requests."""
    body = ", ".join(json.dumps(item) for item in items)
    return Response(f"[{body}]", 200, headers, content_type=JSON)
