"""Responses with a JSON body."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

JSON = "application/json; charset=utf-8"


def json_response(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(json.dumps(body), status, headers, content_type=JSON)
