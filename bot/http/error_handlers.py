"""Error handlers for views. A face gives the shape of the bodies; counting and logging are the same
for all faces."""

import logging
import secrets
from collections.abc import Callable
from typing import Any, Protocol

from flask import Blueprint, Flask, Response, request
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import ClientDisconnected, HTTPException

from bot.domain.errors import Refusal
from bot.domain.masking import safe
from bot.http import openapi
from bot.http.body import LARGEST_BODY_BYTES
from bot.http.errors import STATUSES, headers_of
from bot.http.json_responses import json_response
from bot.http.openapi import Json, Part
from bot.http.paths import safe_path
from bot.store.tx import MissedRepliesFirst, StoreUnavailable

# What gunicorn raises where a client sends no valid HTTP, or stops halfway.
INVALID_HTTP = (ParseException, NoMoreData)

log = logging.getLogger(__name__)


class Shape(Protocol):
    """The error format of a face, as JSON values."""

    schema: Json  # of their bodies

    def refusal(self, error: Refusal) -> tuple[int, Any, dict[str, str]]:
        """Status, body (None: empty) and headers."""

    def fault(self, code: str, sentence: str, detail: str = "") -> Any:
        """The body of an error that is no refusal. `detail`: what helps to find it."""


class PlainShape:
    """`{"code", "message"}`, for routes that belong to no API of another product."""

    schema = openapi.an_object({"code": {"type": "string"}, "message": {"type": "string"}})

    def refusal(self, error: Refusal) -> tuple[int, Any, dict[str, str]]:
        status = STATUSES[type(error)]
        return status, self.fault(error.code, error.sentence), headers_of(error, status)

    def fault(self, code: str, sentence: str, detail: str = "") -> Any:
        return {"code": code, "message": f"{sentence} {detail}".strip()}


def part(shape: Shape) -> Part:
    """The part of the OpenAPI description: the body of an error."""
    return Part(paths={}, schemas={"Fault": shape.schema})


def register(target: Flask | Blueprint, shape: Shape, *, refused: Callable[[str], None]) -> None:
    """Registers the handlers of all errors. `shape` writes the bodies; `refused` counts a refusal
    by its code."""
    handlers = _Handlers(shape, refused)
    target.register_error_handler(Refusal, handlers.refusal)
    target.register_error_handler(HTTPException, handlers.http_error)
    target.register_error_handler(StoreUnavailable, handlers.store_unavailable)
    target.register_error_handler(Exception, handlers.unexpected)


def _log_unavailable(error: StoreUnavailable) -> None:
    where = _where()
    if isinstance(error, MissedRepliesFirst):  # the database is well
        log.warning("%s must wait: %s", where, error)
    else:
        # A traceback tells what the driver met; without one the message says all.
        cause = error if error.__cause__ else None
        log.error("the database refuses at %s: %s", where, error, exc_info=cause)


def _where() -> str:
    """The method and the path, as logs may show them: a method can be any word."""
    return f"{safe(request.method)} {safe_path(request.path)}"


class _Handlers:
    def __init__(self, shape: Shape, refused: Callable[[str], None]) -> None:
        self._shape = shape
        self._refused = refused

    def refusal(self, error: Refusal) -> Response:
        self._refused(error.code)
        status, body, headers = self._shape.refusal(error)
        if body is None:
            return Response(status=status, headers=headers)
        return json_response(body, status, headers)

    def http_error(self, error: HTTPException) -> Response:
        """Werkzeug's own refusals, without their HTML. A wrong method is an unknown path here."""
        if isinstance(error, ClientDisconnected):
            return self._broken()
        if error.code == 400:  # such as a Host that can be no name
            return self._invalid("The request is not valid HTTP.")
        if error.code != 413:
            return Response(status=404 if error.code == 405 else error.code or 500)
        self._refused("body_too_large")
        sentence = f"The body may have {LARGEST_BODY_BYTES} bytes at most."
        body = self._shape.fault("body_too_large", sentence)
        return json_response(body, 413)

    def store_unavailable(self, error: StoreUnavailable) -> Response:
        """Answers 503: the database is away, refuses a write or holds a lock for too long, or
        replies that were missed are read first. A retry may succeed; Twilio repeats such a webhook.
        """
        self._refused(error.counted_as)
        _log_unavailable(error)
        body = self._shape.fault(error.code, error.sentence)
        headers = {"Retry-After": str(error.retry_after_seconds)}
        return json_response(body, 503, headers)

    def unexpected(self, error: Exception) -> Response:
        """Answers 500 with an error id; the log line with that id has the details. The exception's
        message is kept out of the answer, and the query out of the log."""
        if isinstance(error, INVALID_HTTP):  # of a body that the view reads
            return self._broken()
        id = secrets.token_hex(8)
        log.error("error %s at %s", id, _where(), exc_info=error)
        sentence = "Something went wrong while processing your request."
        body = self._shape.fault("internal", sentence, f"See the log for error {id}.")
        return json_response(body, 500)

    def _broken(self) -> Response:
        return self._invalid("The body breaks off or is not valid HTTP.")

    def _invalid(self, sentence: str) -> Response:
        self._refused("invalid_request")
        return json_response(self._shape.fault("invalid_request", sentence), 400)
