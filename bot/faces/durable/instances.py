"""Looking at instances, acting on them, removing them."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

from flask import Response, request

from bot.concurrency.blocking import yielding
from bot.domain import reply
from bot.domain.characters import visible
from bot.domain.errors import StillRunning
from bot.domain.verification import Status
from bot.faces.durable import bodies, history, parameters, payloads
from bot.faces.durable.cors import Cors, note_key
from bot.faces.durable.errors import InvalidFilter, InvalidReason, UnsupportedMedia
from bot.faces.durable.payloads import ANSWER_EVENT, RESEND_EVENT
from bot.faces.durable.query import Query, refuse_filters, token, wanted_page, wanted_purge
from bot.http.access import Access
from bot.http.body import whole_body
from bot.http.json_responses import json_list_response, json_response
from bot.http.keys import Power, Scope
from bot.service import Service
from bot.store.rows import ROWS_AT_ONCE
from bot.store.tx import Done
from bot.usecases import control, forget, read, resend
from bot.usecases.answer import judge_event, note_event
from bot.usecases.preconditions import require_running
from bot.usecases.read import VerificationView

TOKEN = "x-ms-continuation-token"

# Query parameters of the status route that the Location of its answer keeps.
FLAGS = ("showInput", "showHistory", "showHistoryOutput", "returnInternalServerErrorOnFailure")


class Instances:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._store = service.store
        self._keys = service.keys
        self._access = Access(service.keys, service.store)
        self._public_base_url = service.settings.public_base_url
        self._cors = Cors(service.settings.allowed_origins)

    def status(self, id: str) -> Response:
        self._cors.follow()
        holder = self._access.require_holder(id, Scope.READ)
        note_key(is_of_link=holder.power is Power.LINK)
        query = parameters.query()
        show_history = query.flag("showHistory", default=False)
        view = self._store.read(read.view, id, with_history=show_history)
        body = self._status(view, query, show_history)
        if view.verification.is_terminal:
            is_fault = view.verification.status is Status.FAILED
            is_asked = query.flag("returnInternalServerErrorOnFailure", default=False)
            return json_response(body, 500 if is_fault and is_asked else 200)
        location = payloads.status_link(view.verification, self._public_base_url, self._keys)
        asked = {name: value for name in FLAGS if (value := query.text(name)) is not None}
        location += f"&{urlencode(asked)}" if asked else ""
        retry_after = str(payloads.STATUS_RETRY_SECONDS)
        return json_response(body, 202, {"Location": location, "Retry-After": retry_after})

    def _status(self, view: VerificationView, query: Query, show_history: bool) -> payloads.Json:
        show_input = query.flag("showInput", default=True)
        body = payloads.status(view, show_input=show_input)
        show_output = query.flag("showHistoryOutput", default=False)
        events = show_history and history.events(
            view, show_input=show_input, show_output=show_output
        )
        return {**body, "historyEvents": events} if events else body

    def preflight(self, id: str) -> Response:
        return self._cors.preflight()

    def list_instances(self) -> Response:
        self._access.require_manager()
        query = parameters.query()
        wanted = wanted_page(query, request.headers.get(TOKEN, ""))
        page = self._store.read(read.page, wanted) if wanted else read.Page([], None)
        show_input = query.flag("showInput", default=True)
        more = token(*page.further, prefix=wanted.id_prefix) if wanted and page.further else ""
        statuses = (
            payloads.status(view, show_input=show_input)
            for view in yielding(page.views, every=ROWS_AT_ONCE)
        )
        return json_list_response(statuses, {TOKEN: more})

    def raise_event(self, id: str, event: str) -> Response:
        self._access.require_holder(id, Scope.ACT)
        verification = self._store.read(require_running, id)
        if request.mimetype != "application/json":
            raise UnsupportedMedia("The content type of an event must be application/json.")
        parameters.require_event_name(event)
        known = visible(event).strip().lower()
        if known == ANSWER_EVENT.lower():
            self._answer(id, code_length=verification.terms.code_length)
        elif known == RESEND_EVENT.lower():
            bodies.any_json(whole_body(request))
            service = self._service
            resend.begin_resend(self._store, id, rules=service.rules, admission=service.admission)
        else:
            bodies.any_json(whole_body(request))
            self._store.write(note_event, id, event)
        return Response(status=202)

    def _answer(self, id: str, *, code_length: int) -> None:
        text = bodies.answer(whole_body(request), code_length=code_length)
        self._store.write(
            judge_event,
            id,
            reply.prepare(text),
            rules=self._service.rules,
            judged_until=self._service.judged_until,
        )

    def terminate(self, id: str) -> Response:
        return self._command(id, control.cancel)

    def suspend(self, id: str) -> Response:
        return self._command(id, partial(control.suspend, judged_until=self._service.judged_until))

    def resume(self, id: str) -> Response:
        return self._command(id, partial(control.resume, judged_until=self._service.judged_until))

    def _command(self, id: str, use_case: Callable[..., Done[None]]) -> Response:
        self._access.require_holder(id, Scope.ACT)
        self._store.write(use_case, id, reason=self._reason(id))
        return Response(status=202)

    def _reason(self, id: str) -> str | None:
        """Raises InvalidReason, or what the instance is refused for in any case."""
        try:
            return parameters.reason(parameters.query().text("reason"))
        except InvalidReason:
            self._store.read(require_running, id)
            raise

    def rewind(self, id: str) -> Response:
        """Always refused: no failure here can be repaired by rewinding."""
        self._access.require_holder(id, Scope.ACT)
        self._store.read(read.view, id)
        return Response(status=501)

    def purge(self, id: str) -> Response:
        self._access.require_holder(id, Scope.ACT)
        _refuse_body()
        refuse_filters(parameters.query())
        try:
            self._store.write(forget.purge, id)
        except StillRunning:
            raise StillRunning("This instance is still running. Terminate it first.") from None
        return json_response({"instancesDeleted": 1})

    def purge_many(self) -> Response:
        self._access.require_manager()
        _refuse_body()
        wanted = wanted_purge(parameters.query())
        count = forget.purge_all(self._store, wanted) if wanted else 0
        return json_response({"instancesDeleted": count}) if count else Response(status=404)


def _refuse_body() -> None:
    """Raises InvalidFilter: a condition in a body would be overlooked."""
    if whole_body(request).strip():
        raise InvalidFilter("Filters of a removal belong in the query. Nothing was removed.")
