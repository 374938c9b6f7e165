"""The table of pages and buttons.

Every page works without JavaScript. A script requests a page that has a version again every second
and names that version; the answer is 304 while nothing has changed. An open page costs one to three
reads a second.
"""

from collections.abc import Callable
from typing import Any

from flask import (
    Blueprint,
    Response,
)

from bot.domain.errors import Refusal
from bot.explanations.instants import clock_utc
from bot.explanations.webhooks import (
    endpoint_reason,
    endpoint_since,
    last_answer,
    next_try,
    next_try_at,
    waiting,
)
from bot.faces.console.actions import Actions
from bot.faces.console.gate import Gate
from bot.faces.console.listing import Listing
from bot.faces.console.pages import Pages
from bot.faces.console.rendering import Renderer, guarded, since, unavailable
from bot.faces.console.sign_in import SignIn
from bot.service import Service
from bot.store.rows import UnreadableRow
from bot.store.tx import StoreUnavailable


def blueprint(service: Service) -> Blueprint:
    settings = service.settings
    sign_in = SignIn(
        settings.operators,
        secrets=settings.secret_keys,
        is_https=settings.public_base_url.startswith("https:"),
        clock=service.clock,
    )
    renderer = Renderer(service, is_token=sign_in.is_token)
    gate = Gate(service, sign_in, renderer)
    routes = Blueprint(
        "console",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/console/static",
    )
    routes.before_request(gate.check)
    routes.after_request(guarded)
    routes.register_error_handler(Refusal, renderer.refusal)
    routes.register_error_handler(StoreUnavailable, unavailable)
    routes.register_error_handler(UnreadableRow, renderer.unreadable)
    for template_filter in (
        *(clock_utc, since, waiting, last_answer),
        *(endpoint_since, endpoint_reason, next_try_at, next_try),
    ):
        routes.add_app_template_filter(template_filter)
    pages = Pages(service, renderer)
    for path, name, view, methods in _table(
        gate,
        pages,
        Listing(service, renderer),
        Actions(service, sign_in, renderer, pages),
    ):
        routes.add_url_rule(f"/console{path}", name, view, methods=methods)
    # Otherwise Flask would redirect to an absolute address built from the Host header.
    routes.add_url_rule("/console", "home", _to_console)
    return routes


def _table(
    gate: Gate, pages: Pages, listing: Listing, actions: Actions
) -> list[tuple[str, str, Callable[..., Any], list[str]]]:
    one = "/verifications/<id>"
    return [
        ("/", "overview", pages.overview, ["GET"]),
        ("/sign-in", "sign_in", gate.sign_in, ["GET"]),
        ("/sign-in", "enter", gate.enter, ["POST"]),
        ("/sign-out", "leave", gate.leave, ["POST"]),
        ("/verifications", "listing", listing.page, ["GET"]),
        ("/verifications.<any(csv, json):form>", "export", listing.export, ["GET"]),
        ("/verifications", "start", actions.start, ["POST"]),
        (one, "one", pages.one, ["GET"]),
        (f"{one}/at-twilio", "at_twilio", pages.at_twilio, ["GET"]),
        (f"{one}/cancel", "cancel", actions.cancel, ["POST"]),
        (f"{one}/resend", "resend", actions.resend, ["POST"]),
        (f"{one}/again", "again", actions.restart_verification, ["POST"]),
        (f"{one}/forget", "forget", actions.forget, ["POST"]),
        ("/limits", "limits", pages.limits, ["GET"]),
        ("/limits", "clear_limits", actions.clear_limits, ["POST"]),
        ("/opt-outs", "opt_outs", pages.opt_outs, ["GET"]),
        ("/opt-outs", "clear_opt_out", actions.clear_opt_out, ["POST"]),
        ("/webhooks", "webhooks", pages.webhooks, ["GET"]),
        ("/webhooks/endpoints/<id>/enable", "enable", actions.enable, ["POST"]),
        ("/webhooks/events/<id>/again", "send_again", actions.replay_event, ["POST"]),
        ("/webhooks/failed", "send_failed_again", actions.replay_failed_events, ["POST"]),
        ("/webhooks/test", "send_test", actions.send_test, ["POST"]),
        ("/audit", "audit", pages.audit, ["GET"]),
        ("/texts", "texts", pages.texts, ["GET"]),
        ("/ignored", "ignored", pages.ignored, ["GET"]),
        ("/<path:rest>", "unknown", pages.unknown, ["GET"]),
    ]


def _to_console() -> Response:
    return Response(status=308, headers={"Location": "/console/"})
