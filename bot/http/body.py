"""The body of a request, and its bound."""

from functools import cached_property
from io import BytesIO
from typing import IO, Any

import flask
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

# Generous for a text of 1600 characters or a JSON string.
LARGEST_BODY_BYTES = 64 * 1024


class Request(flask.Request):
    """Has its bounds as attributes: Flask looks each up in the application's configuration, several
    times a request."""

    max_content_length = LARGEST_BODY_BYTES
    max_form_memory_size = LARGEST_BODY_BYTES
    max_form_parts = 1000

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body, read at once if its length is known: werkzeug reads through a buffer of 64 KiB,
        and looks for more behind the end."""
        length = self.content_length
        if length is None:
            return super().stream
        if length > self.max_content_length:
            raise RequestEntityTooLarge
        try:
            body = self.environ["wsgi.input"].read(length)
        except (OSError, ValueError) as error:
            raise ClientDisconnected from error
        if len(body) < length:
            raise ClientDisconnected
        return BytesIO(body)


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
