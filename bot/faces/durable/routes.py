"""The Durable Functions HTTP API: one table of routes, one function each.

The extension matches route words in any case and trims a trailing slash, and whatever does not
match is 404 with nothing in it, never 405. Flask does neither, so this face takes every path that
no other face has, and finds its way by its own table.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import BaseConverter

from bot.concurrency.blocking import in_turns
from bot.domain import reply
from bot.domain.errors import (
    IdInUse,
    InvalidEventName,
    InvalidId,
    InvalidIdempotencyKey,
    InvalidReason,
    InvalidWait,
    UnknownFunction,
    UnknownInstance,
    UnknownVerification,
    UnsupportedMedia,
)
from bot.domain.verification import Status, Verification
from bot.faces.durable import bodies, history, payloads
from bot.faces.durable.payloads import ANSWER_EVENT, BASE_PATH, FUNCTION
from bot.faces.durable.query import Query, token, wanted_page, wanted_purge
from bot.http.access import Access
from bot.http.keys import Caller, Keys, Power, Scope
from bot.http.waiting import Waiting
from bot.observability.logs import REQUEST_ID
from bot.store.tx import ROWS_AT_ONCE
from bot.usecases.read import VerificationView
from bot.usecases.verifications import Verifications

JSON = "application/json; charset=utf-8"
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
TOKEN = "x-ms-continuation-token"

# The sample's own waiting route waits this long when nothing is said.
SAMPLE_WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class Route:
    method: str
    path: str  # with {words} for what varies
    view: Callable[..., Response]

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path), re.IGNORECASE)


class AnyPath(BaseConverter):
    """Flask's own `path` stops at a line break, which an id may hold until we refuse it."""

    part_isolating = False
    regex = "(?s:.+?)"


class DurableRoutes:
    def __init__(
        self, verifications: Verifications, *, keys: Keys, public_base_url: str, waiting: Waiting
    ) -> None:
        self._verifications = verifications
        self._keys = keys
        self._access = Access(keys, verifications)
        self._public_base_url = public_base_url
        self._waiting = waiting
        instance = f"{BASE_PATH}/instances/{{id}}"
        self.table = [
            Route("POST", "/orchestrators/{function}", self.start_by_sample),
            Route("POST", "/orchestrators/{function}/wait", self.start_and_wait),
            Route("POST", f"{BASE_PATH}/orchestrators/{{function}}", self.start),
            Route("POST", f"{BASE_PATH}/orchestrators/{{function}}/{{id}}", self.start),
            Route("GET", f"{BASE_PATH}/instances", self.list_instances),
            Route("DELETE", f"{BASE_PATH}/instances", self.purge_many),
            Route("GET", instance, self.status),
            Route("DELETE", instance, self.purge),
            Route("POST", f"{instance}/raiseEvent/{{event}}", self.raise_event),
            Route("POST", f"{instance}/terminate", self.terminate),
            Route("POST", f"{instance}/suspend", self.suspend),
            Route("POST", f"{instance}/resume", self.resume),
            Route("POST", f"{instance}/restart", self.restart),
            Route("POST", f"{instance}/rewind", self.rewind),
        ]
        self._patterns = [(route, route.pattern) for route in self.table]

    def register(self, app: Flask) -> None:
        app.url_map.converters["any_path"] = AnyPath
        for rule in ("/", "/<any_path:path>"):
            app.add_url_rule(
                rule,
                "durable",
                self._find,
                methods=METHODS,
                provide_automatic_options=False,
            )

    def _find(self, path: str = "") -> Response:
        for route, pattern in self._patterns:
            match = pattern.fullmatch("/" + path.rstrip("/"))
            if match and route.method == request.method:
                return route.view(**match.groupdict())
        return Response(status=404)

    # -- starting --------------------------------------------------------------------------------

    def start_by_sample(self, function: str) -> Response:
        return self._start(function, self._access.starter(), wait_seconds=None)

    def start_and_wait(self, function: str) -> Response:
        return self._start(function, self._access.starter(), wait_seconds=SAMPLE_WAIT_SECONDS)

    def start(self, function: str, id: str | None = None) -> Response:
        return self._start(function, self._access.manager(), wait_seconds=None, id=id)

    def restart(self, id: str) -> Response:
        caller = self._access.restarter(id)
        if not _query().flag("restartWithNewInstanceId", default=True):
            raise IdInUse("A verification is evidence and is not overwritten: take a new id.")
        try:
            before = self._verifications.view(id).verification
            verification = self._verifications.restart(
                id,
                request_id=REQUEST_ID.get(),
                caller_key=self._keys.present_mark(before.caller_key, name=before.started_by),
                idempotency_key=_idempotency_key(),
                may_supersede=caller.power is not Power.LINK,
            )
        except UnknownVerification:
            raise UnknownInstance(f"No instance has the id {id}.") from None
        return self._started(verification, wait_seconds=None)

    def _start(
        self, function: str, caller: Caller, *, wait_seconds: float | None, id: str | None = None
    ) -> Response:
        if function.lower() != FUNCTION.lower():
            raise UnknownFunction(
                f"The function '{function}' doesn't exist. Known function: '{FUNCTION}'."
            )
        number, start_input = bodies.start_input(_body())
        verification = self._verifications.start(
            number,
            started_by=caller.name,
            caller_key=caller.key_mark,
            start_input=start_input,
            request_id=REQUEST_ID.get(),
            id=None if id is None else _valid_id(id),
            idempotency_key=_idempotency_key(),
        )
        return self._started(verification, wait_seconds=wait_seconds)

    def _started(self, verification: Verification, *, wait_seconds: float | None) -> Response:
        seconds, interval = _query().seconds("timeout"), _query().seconds(*_INTERVALS)
        seconds = wait_seconds if seconds is None else seconds
        if seconds is not None and interval is not None and interval > seconds:
            raise InvalidWait(
                f"Total timeout {seconds:g} should be bigger than retry timeout {interval:g}."
                f" The instance {verification.id} has been started."
            )
        if seconds is not None and seconds > 0:
            finished = self._outcome(verification.id, seconds)
            if finished is not None:
                return finished
        body = payloads.links(verification, public_base_url=self._public_base_url, keys=self._keys)
        retry_after = str(payloads.START_RETRY_SECONDS)
        location = body["statusQueryGetUri"]
        return _json(body, 202, {"Location": location, "Retry-After": retry_after})

    def _outcome(self, id: str, seconds: float) -> Response | None:
        """The answer to who has waited: the bare output, or the status of what did not complete.
        None: it has not finished, or was removed as soon as it had."""
        seen: list[VerificationView] = []

        def is_finished() -> bool:
            seen[:] = [self._verifications.view(id)]
            return seen[0].verification.is_terminal

        try:
            if not self._waiting.wait(id, is_finished, seconds=seconds):
                return None
        except UnknownVerification:
            return None
        (view,) = seen
        if view.verification.status in (Status.CANCELED, Status.FAILED):
            return _json(payloads.status(view), 200)
        return _json(payloads.output(view.verification), 200)

    # -- looking ---------------------------------------------------------------------------------

    def status(self, id: str) -> Response:
        self._access.holder(id, Scope.READ)
        query = _query()
        show_history = query.flag("showHistory", default=False)
        view = self._verifications.view(id, with_history=show_history)
        body = self._status(view, query, show_history)
        if view.verification.is_terminal:
            is_fault = view.verification.status is Status.FAILED
            is_asked = query.flag("returnInternalServerErrorOnFailure", default=False)
            return _json(body, 500 if is_fault and is_asked else 200)
        location = payloads.status_link(view.verification, self._public_base_url, self._keys)
        retry_after = str(payloads.STATUS_RETRY_SECONDS)
        return _json(body, 202, {"Location": location, "Retry-After": retry_after})

    def _status(self, view: VerificationView, query: Query, show_history: bool) -> payloads.Json:
        show_input = query.flag("showInput", default=True)
        body = payloads.status(view, show_input=show_input)
        show_output = query.flag("showHistoryOutput", default=False)
        events = show_history and history.events(
            view, show_input=show_input, show_output=show_output
        )
        return {**body, "historyEvents": events} if events else body

    def list_instances(self) -> Response:
        self._access.manager()
        query = _query()
        wanted = wanted_page(query, request.headers.get(TOKEN, ""))
        page = self._verifications.page(wanted) if wanted else []
        show_input = query.flag("showInput", default=True)
        more = ""
        if wanted and len(page) == wanted.limit:
            last = page[-1].verification
            more = token(last.created_at, last.id)
        body = [
            payloads.status(view, show_input=show_input)
            for view in in_turns(page, at_once=ROWS_AT_ONCE)
        ]
        return _json(body, 200, {TOKEN: more})

    # -- acting ----------------------------------------------------------------------------------

    def raise_event(self, id: str, event: str) -> Response:
        self._access.holder(id, Scope.ACT)
        verification = self._verifications.require_running(id)
        if request.mimetype != "application/json":
            raise UnsupportedMedia("The content type of an event must be application/json.")
        is_placeholder = _PLACEHOLDER.fullmatch(event) or "eventname" in event.lower()
        if len(event) > 100 or is_placeholder:
            raise InvalidEventName(
                "The name of an event has at most 100 characters, and stands where the link has"
                " {eventName}: put SmsChallengeResponse there."
            )
        if event.lower() == ANSWER_EVENT.lower():
            code_length = verification.terms.code_length
            text = bodies.answer(_body(), code_length=code_length)
            self._verifications.judge_event(id, reply.hear(text))
        else:
            bodies.any_json(_body())
            self._verifications.note_event(id, event)
        return Response(status=202)

    def terminate(self, id: str) -> Response:
        return self._order(self._verifications.terminate, id)

    def suspend(self, id: str) -> Response:
        return self._order(self._verifications.suspend, id)

    def resume(self, id: str) -> Response:
        return self._order(self._verifications.resume, id)

    def rewind(self, id: str) -> Response:
        """Nothing here fails in a way that going back would mend."""
        self._access.holder(id, Scope.ACT)
        self._verifications.view(id)
        return Response(status=501)

    def _order(self, order: Callable[[str, str | None], None], id: str) -> Response:
        self._access.holder(id, Scope.ACT)
        order(id, _reason(_query().text("reason")))
        return Response(status=202)

    # -- removing --------------------------------------------------------------------------------

    def purge(self, id: str) -> Response:
        self._access.holder(id, Scope.ACT)
        self._verifications.purge(id)
        return _json({"instancesDeleted": 1}, 200)

    def purge_many(self) -> Response:
        self._access.manager()
        wanted = wanted_purge(_query())
        count = self._verifications.purge_many(wanted) if wanted else 0
        return _json({"instancesDeleted": count}, 200) if count else Response(status=404)


# A link's {eventName} or {text}, sent as it stands there; and what curl, Postman, shells and other
# templates leave in place of a value.
_PLACEHOLDER = re.compile(r"\s*(\$?\{+[\w .-]+\}+|<[\w .-]+>|\$[A-Za-z_]+|%[A-Za-z_]+%)\s*")
LONGEST_REASON = 4000  # characters: it is kept, and shown at every look

_INTERVALS = ("pollingInterval", "retryInterval")
_FORBIDDEN_IN_IDS = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _valid_id(id: str) -> str:
    # A browser takes /. and /.. for directions, so no page could show these two.
    if id in (".", "..") or id.startswith("@") or _FORBIDDEN_IN_IDS.search(id) or len(id) > 256:
        raise InvalidId(
            "An instance id has at most 256 characters, does not begin with @, is not . or .., and"
            " holds no / \\ # ? and no control character."
        )
    return id


def _reason(text: str | None) -> str | None:
    if text is None:
        return None
    if _PLACEHOLDER.fullmatch(text):
        raise InvalidReason(
            "The reason is still the placeholder of the link: put a text in place of {text}, or"
            " leave the parameter out."
        )
    if len(text) > LONGEST_REASON:
        raise InvalidReason(f"A reason has at most {LONGEST_REASON} characters.")
    return text


def _body() -> bytes:
    """The whole body. One of unknown length that reaches the limit was cut there: 413."""
    body = request.get_data()
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(body) >= limit:
        raise RequestEntityTooLarge
    return body


def _query() -> Query:
    return Query(request.args)


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= 200:
        raise InvalidIdempotencyKey("An Idempotency-Key has 1 to 200 characters.")
    return key


def _json(body: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, content_type=JSON)
