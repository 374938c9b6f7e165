"""The Durable Functions HTTP API: one table of routes, one function each.

The extension matches route words in any case and trims a trailing slash, and whatever does not
match is 404 with nothing in it, never 405. Flask does neither, so this face takes every path that
no other face has, and finds its way by its own table.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Request, Response, request

from bot.domain.errors import (
    InvalidEventName,
    InvalidIdempotencyKey,
    UnknownFunction,
    UnsupportedMedia,
)
from bot.durable import bodies, payloads
from bot.durable.payloads import ANSWER_EVENT, BASE_PATH, FUNCTION
from bot.keys import Caller, Keys, Power, Scope
from bot.usecases.verifications import Verifications

JSON = "application/json; charset=utf-8"
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]


class Unauthorized(Exception):
    """No key, or one that nobody knows."""


class Forbidden(Exception):
    """A key that is known, for something else."""


class DurableRoutes:
    def __init__(self, verifications: Verifications, *, keys: Keys, public_base_url: str) -> None:
        self._verifications = verifications
        self._keys = keys
        self._public_base_url = public_base_url
        instance = f"{BASE_PATH}/instances/(?P<id>[^/]+)"
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Response]]] = [
            ("POST", _path("/orchestrators/(?P<function>[^/]+)"), self.start),
            ("GET", _path(instance), self.status),
            ("POST", _path(f"{instance}/raiseEvent/(?P<event>[^/]+)"), self.raise_event),
            ("POST", _path(f"{instance}/terminate"), self.terminate),
        ]

    def blueprint(self) -> Blueprint:
        routes = Blueprint("durable", __name__)
        for rule in ("/", "/<path:path>"):
            routes.add_url_rule(
                rule, view_func=self._find, methods=METHODS, provide_automatic_options=False
            )
        return routes

    def _find(self, path: str = "") -> Response:
        for method, pattern, view in self._routes:
            match = pattern.fullmatch("/" + path.rstrip("/"))
            if match and method == request.method:
                return view(**match.groupdict())
        return Response(status=404)

    # -- the routes ------------------------------------------------------------------------------

    def start(self, function: str) -> Response:
        caller = self._require_starter()
        if function.lower() != FUNCTION.lower():
            raise UnknownFunction(
                f"The function '{function}' doesn't exist. Known function: '{FUNCTION}'."
            )
        number, start_input = bodies.start_input(request.get_data())
        verification = self._verifications.start(
            number,
            started_by=caller.name,
            start_input=start_input,
            idempotency_key=_idempotency_key(request),
        )
        body = payloads.links(verification, public_base_url=self._public_base_url, keys=self._keys)
        return _json(
            body,
            202,
            {
                "Location": body["statusQueryGetUri"],
                "Retry-After": str(payloads.START_RETRY_SECONDS),
            },
        )

    def status(self, id: str) -> Response:
        self._require(id, Scope.READ)
        standing = self._verifications.standing(id)
        body = payloads.status(standing)
        if standing.verification.is_terminal:
            return _json(body, 200)
        location = payloads.status_link(id, self._public_base_url, self._keys)
        retry_after = str(payloads.STATUS_RETRY_SECONDS)
        return _json(body, 202, {"Location": location, "Retry-After": retry_after})

    def raise_event(self, id: str, event: str) -> Response:
        self._require(id, Scope.ACT)
        verification = self._verifications.require_running(id)
        if request.mimetype != "application/json":
            raise UnsupportedMedia("The content type of an event must be application/json.")
        if len(event) > 100:
            raise InvalidEventName("The name of an event has at most 100 characters.")
        if event.lower() == ANSWER_EVENT.lower():
            code_length = verification.terms.code_length
            text = bodies.answer(request.get_data(), code_length=code_length)
            self._verifications.judge_event(id, text)
        else:
            bodies.any_json(request.get_data())
            self._verifications.note_event(id, event)
        return Response(status=202)

    def terminate(self, id: str) -> Response:
        self._require(id, Scope.ACT)
        self._verifications.terminate(id, request.args.get("reason"))
        return Response(status=202)

    # -- keys ------------------------------------------------------------------------------------

    def _require_starter(self) -> Caller:
        caller = self._keys.caller(self._presented())
        if caller is None:
            raise Unauthorized
        return caller

    def _require(self, id: str, scope: Scope) -> None:
        """The system key, or the key of a link of this one instance and this scope."""
        presented = self._presented()
        caller = self._keys.caller(presented) or self._keys.link_holder(presented, id)
        if caller is None:
            raise Unauthorized
        if caller.power is not Power.ALL and scope not in caller.scopes:
            raise Forbidden

    def _presented(self) -> str:
        """The key sent. The header wins over the query, as the host has it."""
        sent = request.headers.get("x-functions-key") or _query("code") or ""
        if not sent:
            raise Unauthorized
        return sent


def _path(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _query(name: str) -> str | None:
    """A parameter of the query; its name in any case."""
    for key, value in request.args.items():
        if key.lower() == name:
            return value
    return None


def _idempotency_key(sent: Request) -> str | None:
    key = sent.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= 200:
        raise InvalidIdempotencyKey("An Idempotency-Key has 1 to 200 characters.")
    return key


def _json(body: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, content_type=JSON)
