"""The pages of the console: one method for each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import (
    Response,
    request,
    url_for,
)

from bot.channels import sentences
from bot.channels.gateway import ChannelUnavailable
from bot.domain import phone
from bot.domain.errors import InvalidNumber
from bot.domain.resending import Resending, resending
from bot.domain.transitions import AFTERTHOUGHT
from bot.domain.verification import Verification
from bot.explanations import state, why, words
from bot.explanations import webhooks as explained
from bot.explanations.admission import refusals_of_others
from bot.explanations.timeline import timeline
from bot.faces.console import charts, filters
from bot.faces.console.remedies import remedy
from bot.faces.console.rendering import Renderer
from bot.service import Service
from bot.settings import shown_texts
from bot.usecases import audit, overview, read, search, webhooks
from bot.usecases.number_limits import number_limits, opted_out
from bot.usecases.overview import Period
from bot.usecases.readiness import Fault
from bot.usecases.restart import refusal_of_restart
from bot.usecases.service_state import ServiceState
from bot.usecases.webhooks import EventView

# The page that explains a fault.
FAULT_PAGES = {Fault.WEBHOOK_ENDPOINT: "console.webhooks"}


class Pages:
    def __init__(self, service: Service, renderer: Renderer) -> None:
        self._service = service
        self._store = service.store
        self._renderer = renderer

    def overview(self) -> Response:
        asked = request.args.get("period", "")
        period = Period(asked) if asked in frozenset(Period) else Period.TODAY

        def show(current: ServiceState) -> dict[str, Any]:
            statistics = self._store.read(overview.overview, period)
            return {
                "pending": self._store.read(overview.pending),
                "shown": statistics,
                "periods": words.PERIODS,
                "count_meanings": words.COUNT_MEANINGS,
                "status_words": words.STATUS_WORDS,
                "chart": charts.over_time(statistics.steps),
                "short": charts.short,
                "errors": sentences.sentence,
                **_indicators(current),
            }

        return self._renderer.live("console/overview.html", show)

    def one(self, id: str) -> Response:
        events = self._store.read(webhooks.of_verification, id)
        return self._renderer.live(
            "console/one.html",
            lambda _: self._one(id, events),
            more=webhooks.version(events),
        )

    def at_twilio(self, id: str) -> Response:
        context = self._one(id, self._store.read(webhooks.of_verification, id))
        verification = context["view"].verification
        try:
            now, until = self._store.now(), _until(verification)
            conversation = self._service.gateway.conversation(
                verification.phone,
                began_ago=now - verification.created_at,
                ended_ago=None if until is None else now - until,
            )
        except ChannelUnavailable as error:
            return self._renderer.page("console/one.html", 502, **context, twilio_fault=str(error))
        known = self._store.read(search.handled, [s.sid for s in conversation.messages])
        return self._renderer.page(
            "console/one.html",
            **context,
            messages=[
                (one, why.message_in_words(one, known, context["explained"]))
                for one in conversation.messages
            ],
            conclusion=why.conclusion(conversation, known),
            is_asked=True,
            # The rest of the page keeps updating from the page without Twilio's list.
            version="at-twilio",
            live=url_for("console.one", id=id),
        )

    def _one(self, id: str, events: Sequence[EventView]) -> dict[str, Any]:
        service = self._service
        view = self._store.read(read.view, id, with_history=True)
        v = view.verification
        explained = why.explained_codes(view)
        codes = {line.detail["error_code"] for line in view.history if "error_code" in line.detail}
        refusal = self._store.read(refusal_of_restart, v, service.rules, service.admission)
        resends = resending(v, self._store.now(), is_unsettled=False)
        return {
            "view": view,
            "may_resend": resends in (Resending.DUE, Resending.ON_ITS_WAY),
            "why": why.explain(view, self._store.now()),
            "history": timeline(view.history, explained),
            "explained": explained | codes,
            "events": events,
            "others": self._store.read(read.others_of, v),
            "refusal": refusal,
            "remedy": refusal and remedy(refusal, v.phone),
            "log_address": service.gateway.log_address(view.text.sid) if view.text.sid else None,
        }

    def limits(self, fault: str = "") -> Response:
        """`fault`: why the number that was typed here was refused."""
        return self._renderer.live(
            "console/limits.html",
            lambda current: {
                **self._number_limits(fault),
                "settings": self._service.settings,
                "limit_words": words.LIMITS,
                "queue_words": words.QUEUE_WORDS,
                "rate_limits": self._service.admission.fullest(self._store),
                "open_areas": self._service.admission.open_areas(self._store),
                "current": current,
                **_indicators(current),
            },
        )

    def _number_limits(self, fault: str) -> dict[str, Any]:
        """The limits of the typed number, if there is one."""
        number = request.values.get("number", "")
        context: dict[str, Any] = {"number": number, "fault": fault, "looked_up": None}
        if not number or fault:
            return context
        try:
            phones = phone.known_as(number)
        except InvalidNumber as error:
            return {**context, "fault": error.sentence}
        service = self._service
        found = self._store.read(number_limits, phones, service.rules, service.admission)
        others = refusals_of_others(service.admission, self._store, phones[0])
        return {**context, "looked_up": found, "refused_with_others": others}

    def opt_outs(self, fault: str = "") -> Response:
        marked = self._store.read(opted_out, self._service.rules, limit=200)
        context = {"marked": marked, "fault": fault, "number": request.values.get("number", "")}
        return self._renderer.live(
            "console/opt_outs.html", lambda _: context, more=webhooks.version(marked)
        )

    def webhooks(self) -> Response:
        faults: list[str] = []
        state = filters.event_state(request.args.get("state", ""), faults)
        endpoints = self._store.read(webhooks.endpoints)
        events = self._store.read(webhooks.newest, limit=filters.PAGE, state=state)
        context = {
            "endpoints": endpoints,
            "is_set": any(view.endpoint.is_configured for view in endpoints),
            "not_set": explained.NOT_SET,
            "events": events,
            "state": state,
            "states": filters.EVENT_STATES,
            "faults": faults,
        }
        more = webhooks.version(endpoints, events)
        return self._renderer.live("console/webhooks.html", lambda _: context, more=more)

    def texts(self) -> Response:
        return self._renderer.page(
            "console/texts.html", shown=shown_texts.shown(self._service.settings)
        )

    def ignored(self) -> Response:
        found = self._store.read(search.newest_ignored, limit=50)
        shown = [(text, words.IGNORED[text.reason]) for text in found]
        return self._renderer.page("console/ignored.html", shown=shown)

    def audit(self) -> Response:
        query = filters.of_audit(request.args)
        found = [] if query.faults else self._store.read(audit.lines, query.wanted)
        shown, rest = found[: filters.PAGE], found[filters.PAGE :]
        further = filters.address_of((shown[-1].at, shown[-1].id)) if rest else None
        return self._renderer.page(
            "console/audit.html",
            shown=shown,
            filters=query,
            actions=words.ACTIONS,
            further=further and url_for("console.audit", **query.fields, after=further),  # type: ignore[arg-type]
        )

    def unknown(self, rest: str) -> Response:
        return self._renderer.error_page("There is no such page.", 404)


def _until(verification: Verification) -> datetime | None:
    """A reply after this belongs to another verification, or to none."""
    return verification.outcome.at + AFTERTHOUGHT if verification.outcome else None


def _indicators(current: ServiceState) -> dict[str, Any]:
    return {
        "indicators": state.indicators([*current.faults, *current.notes]),
        "fault_pages": FAULT_PAGES,
    }
