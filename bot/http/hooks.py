"""Hooks for every request and response: an id, security headers, no type for an empty body."""

from flask import Flask, Response, request

from bot.observability.logs import REQUEST_ID, begin_request, request_id


def register(app: Flask) -> None:
    app.before_request(_name_request)
    app.after_request(_tell_request_id)
    app.after_request(_drop_type_of_nothing)
    app.after_request(_secure)


def _name_request() -> None:
    id = request_id(request.headers.get("X-Request-ID"))
    request.environ["textback.noted"] = begin_request(id)  # for the access log


def _tell_request_id(response: Response) -> Response:
    response.headers["X-Request-ID"] = REQUEST_ID.get()
    return response


def _drop_type_of_nothing(response: Response) -> Response:
    """An empty answer has no content type, least of all Flask's default of text/html."""
    if response.calculate_content_length() == 0:
        response.headers.pop("Content-Type", None)
    return response


def _secure(response: Response) -> Response:
    """Security headers for every response."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault(
        "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"
    )
    return response
