"""The body of a request, and its bound."""

from typing import Any

import flask
from werkzeug.exceptions import RequestEntityTooLarge

# Generous for a text of 1600 characters or a JSON string.
LARGEST_BODY_BYTES = 64 * 1024


class Request(flask.Request):
    """Has its bounds as attributes: Flask looks each up in the application's configuration, several
    times a request."""

    max_content_length = LARGEST_BODY_BYTES
    max_form_memory_size = LARGEST_BODY_BYTES
    max_form_parts = 1000


def current_request() -> flask.Request:
    """The request itself, for code that reads many of its parts: `flask.request` finds it again for
    each."""
    proxy: Any = flask.request
    current: flask.Request = proxy._get_current_object()
    return current


def whole_body(request: flask.Request) -> bytes:
    """The whole body. A body of unknown length that reaches the limit was cut there: 413."""
    body = request.get_data()
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(body) >= limit:
        raise RequestEntityTooLarge
    return body
