"""Hooks for every request and response: an id, security headers, no type for an empty body."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response

from bot.http.body import Request, current_request
from bot.observability.logs import REQUEST_ID, begin_request, request_id

_POLICY = "Content-Security-Policy"
_SECURITY = [
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
]


class Application(Flask):
    """Skips Flask's check whether a hook or view is a coroutine: there are no coroutines here."""

    request_class = Request

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def register(app: Flask) -> None:
    app.before_request(_name_request)
    app.after_request(_finish)


def _name_request() -> None:
    environ = current_request().environ
    id = request_id(environ.get("HTTP_X_REQUEST_ID"))
    environ["textback.noted"] = begin_request(id)  # for the access log


def _finish(response: Response) -> Response:
    headers = response.headers
    headers["X-Request-ID"] = REQUEST_ID.get()
    if response.calculate_content_length() == 0:
        # An empty answer has no content type, least of all Flask's default of text/html.
        headers.pop("Content-Type", None)
    headers.update(_SECURITY)
    if _POLICY not in headers:
        headers[_POLICY] = "default-src 'none'; frame-ancestors 'none'"
    return response
