"""Looking: one method a page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import (
    Response,
    request,
    url_for,
)

from bot.channels.gateway import LookFailed
from bot.domain.transitions import AFTERTHOUGHT
from bot.domain.verification import Verification
from bot.explanations import why, words
from bot.faces.console import charts, filters
from bot.faces.console.rendering import Renderer
from bot.service import Service
from bot.store import inbound, opt_outs
from bot.usecases import overview, read, texts, webhooks
from bot.usecases.read import Load
from bot.usecases.webhooks import EventView


class Pages:
    def __init__(self, service: Service, renderer: Renderer) -> None:
        self._service = service
        self._store = service.store
        self._renderer = renderer

    def overview(self) -> Response:
        def show(load: Load) -> dict[str, Any]:
            today = self._store.read(overview.today)
            return {
                "pending": self._store.read(overview.pending),
                "today": today,
                "chart": charts.by_hour(today.hours),
                "faults": load.faults,
                "notes": load.notes,
            }

        return self._renderer.live("console/overview.html", show)

    def listing(self) -> Response:
        return self._renderer.live("console/list.html", lambda _: self._list())

    def _list(self) -> dict[str, Any]:
        wanted = filters.read(request.args)
        found = self._store.read(read.page, wanted.wanted)
        shown, rest = found[: filters.PAGE], found[filters.PAGE :]
        older = filters.place_of(shown[-1].verification) if rest else None
        return {
            "filters": wanted,
            "statuses": filters.STATUSES,
            "shown": shown,
            "older": older and _page_after(older, wanted.fields),
            "is_first": wanted.wanted.after is None,
        }

    def one(self, id: str) -> Response:
        events = self._store.read(webhooks.of_verification, id)
        return self._renderer.live(
            "console/one.html",
            lambda _: self._one(id, events),
            more=webhooks.version(events),
        )

    def at_twilio(self, id: str) -> Response:
        shown = self._one(id, self._store.read(webhooks.of_verification, id))
        verification = shown["view"].verification
        try:
            now, until = self._renderer.now(), _until(verification)
            seen = self._service.gateway.conversation(
                verification.phone,
                began_ago=now - verification.created_at,
                ended_ago=None if until is None else now - until,
            )
        except LookFailed as error:
            return self._renderer.page("console/one.html", 502, **shown, twilio_fault=str(error))
        known = self._store.read(inbound.known, [s.sid for s in seen.sightings])
        return self._renderer.page(
            "console/one.html",
            **shown,
            sightings=[(sighting, why.sighted(sighting, known)) for sighting in seen.sightings],
            conclusion=why.conclusion(seen, known),
            is_asked=True,
            # What is shown above it goes on, as on the page without the list.
            version="at-twilio",
            live=url_for("console.one", id=id),
        )

    def _one(self, id: str, events: Sequence[EventView]) -> dict[str, Any]:
        view = self._store.read(read.view, id, with_history=True)
        return {"view": view, "why": why.why(view, self._renderer.now()), "events": events}

    def limits(self) -> Response:
        return self._renderer.live(
            "console/limits.html",
            lambda load: {
                "settings": self._service.settings,
                "rate_limits": self._service.admission.fullest(self._store),
                "open_areas": self._service.admission.open_areas(self._store),
                "load": load,
                "faults": load.faults,
                "notes": load.notes,
            },
        )

    def opt_outs(self) -> Response:
        return self._renderer.live("console/opt_outs.html", lambda _: {"marked": self._opted_out()})

    def _opted_out(self) -> list[tuple[str, datetime]]:
        address = self._service.rules.from_address
        return self._store.read(opt_outs.newest, from_address=address, limit=200)

    def webhooks(self) -> Response:
        faults: list[str] = []
        state = filters.event_state(request.args.get("state", ""), faults)
        endpoints = self._store.read(webhooks.endpoints)
        events = self._store.read(webhooks.newest, limit=filters.PAGE, state=state)
        shown = {
            "endpoints": endpoints,
            "is_set": any(view.endpoint.is_configured for view in endpoints),
            "not_set": webhooks.NOT_SET,
            "events": events,
            "state": state,
            "states": filters.EVENT_STATES,
            "faults": faults,
        }
        more = webhooks.version(endpoints, events)
        return self._renderer.live("console/webhooks.html", lambda _: shown, more=more)

    def texts(self) -> Response:
        return self._renderer.page("console/texts.html", shown=texts.shown(self._service.settings))

    def ignored(self) -> Response:
        found = self._store.read(inbound.newest_ignored, limit=50)
        shown = [(text, words.IGNORED[text.reason]) for text in found]
        return self._renderer.page("console/ignored.html", shown=shown)

    def unknown(self, rest: str) -> Response:
        return self._renderer.trouble("There is no such page.", 404)


def _until(verification: Verification) -> datetime | None:
    """A reply after this belongs to another verification, or to none."""
    return verification.outcome.at + AFTERTHOUGHT if verification.outcome else None


def _page_after(place: str, fields: dict[str, Any]) -> str:
    return url_for("console.listing", **fields, after=place)
