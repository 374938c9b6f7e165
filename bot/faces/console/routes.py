"""The pages and their buttons.

Every page is whole without a script. A script asks for it again every second, naming the version it
has; the answer is 304 while nothing has happened, so a page that is left open costs two reads.
"""

import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from bot.channels.gateway import Gateway, LookFailed
from bot.domain.errors import Refusal, UnknownVerification
from bot.domain.transitions import AFTERTHOUGHT
from bot.domain.verification import Verification
from bot.faces.console import charts, filters, why
from bot.faces.console.sign_in import COOKIE, SignIn, Throttle
from bot.observability.logs import REQUEST_ID
from bot.settings import Settings
from bot.store.tx import StoreUnavailable
from bot.usecases.read import Load
from bot.usecases.verifications import Verifications

log = logging.getLogger(__name__)

CALLER = "console"  # whose starts these are

# No inline script or style, nothing from elsewhere.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

_OPEN = frozenset(["console.sign_in", "console.enter", "console.static"])

NOTICES = {
    "canceled": "It is canceled.",
    "forgotten": "The number is forgotten: its verifications, their history, its limits.",
    "cleared": "The number may be texted again. Twilio itself refuses until it texts START.",
    "limits": "Nothing counts against this number any more.",
}


class Console:
    def __init__(
        self,
        verifications: Verifications,
        settings: Settings,
        gateway: Gateway,
        *,
        clock: Callable[[], datetime],
        refused: Callable[[str], None],
    ) -> None:
        assert settings.console_key is not None
        self._verifications = verifications
        self._settings = settings
        self._gateway = gateway
        self._refused = refused
        self._throttle = Throttle(clock)
        self._sign_in = SignIn(
            settings.console_key,
            secrets=(settings.secret_key, *settings.secret_key_fallbacks),
            is_https=settings.public_base_url.startswith("https:"),
            clock=clock,
        )

    def register(self, app: Flask) -> None:
        pages = Blueprint(
            "console",
            __name__,
            url_prefix="/console",
            template_folder="templates",
            static_folder="static",
        )
        pages.before_request(self._check)
        pages.after_request(_guarded)
        pages.register_error_handler(Refusal, self._refusal)
        pages.register_error_handler(StoreUnavailable, _unavailable)
        pages.add_app_template_filter(_clock_time, "clock_time")
        pages.add_app_template_filter(_since, "since")
        for path, name, view, methods in self._table():
            pages.add_url_rule(path, name, view, methods=methods)
        app.register_blueprint(pages)
        # By itself it would become an absolute address, built on the Host header.
        app.add_url_rule("/console", "to_console", _to_console)

    def _table(self) -> list[tuple[str, str, Callable[..., Any], list[str]]]:
        one = "/verifications/<id>"
        return [
            ("/", "overview", self.overview, ["GET"]),
            ("/sign-in", "sign_in", self.sign_in, ["GET"]),
            ("/sign-in", "enter", self.enter, ["POST"]),
            ("/sign-out", "leave", self.leave, ["POST"]),
            ("/verifications", "listing", self.listing, ["GET"]),
            ("/verifications", "start", self.start, ["POST"]),
            (one, "one", self.one, ["GET"]),
            (f"{one}/at-twilio", "at_twilio", self.at_twilio, ["GET"]),
            (f"{one}/cancel", "cancel", self.cancel, ["POST"]),
            (f"{one}/again", "again", self.again, ["POST"]),
            (f"{one}/forget", "forget", self.forget, ["POST"]),
            ("/limits", "limits", self.limits, ["GET"]),
            ("/limits", "clear_limits", self.clear_limits, ["POST"]),
            ("/opt-outs", "opt_outs", self.opt_outs, ["GET"]),
            ("/opt-outs", "clear_opt_out", self.clear_opt_out, ["POST"]),
            ("/ignored", "ignored", self.ignored, ["GET"]),
            ("/<path:rest>", "unknown", self.unknown, ["GET"]),
        ]

    # -- who may look ----------------------------------------------------------------------------

    def _check(self) -> AnyResponse | None:
        g.session = self._sign_in.session(request.cookies.get(COOKIE))
        g.token = self._sign_in.token(g.session)
        is_form = request.method == "POST"
        if is_form and not self._sign_in.is_token(g.session, request.form.get("token", "")):
            return self._refused_form()
        if request.endpoint in _OPEN or g.session.is_signed_in:
            return None
        came_from = None if is_form else request.full_path.rstrip("?")
        return redirect(url_for("console.sign_in", next=came_from), 303)

    def _refused_form(self) -> Response:
        self._refused("invalid_form")
        sentence = "This form is too old or came from another page. Load the page and try again."
        return self._trouble(sentence, 403)

    def sign_in(self) -> AnyResponse:
        if g.session.is_signed_in:
            return redirect(url_for("console.overview"), 303)
        return self._sign_in_page("", 200)

    def enter(self) -> AnyResponse:
        address = request.remote_addr or ""
        seconds = self._throttle.try_one(address)
        if seconds:
            self._refused("sign_in_throttled")
            page = self._sign_in_page(f"Too many wrong keys. Try again in {seconds} seconds.", 429)
            page.headers["Retry-After"] = str(seconds)
            return page
        if not self._sign_in.is_key(request.form.get("key", "")):
            self._refused("wrong_console_key")
            return self._sign_in_page("This is not the key.", 403)
        self._throttle.was_right(address)
        response = redirect(_own_path(request.form.get("next", "")), 303)
        self._sign_in.enter(response)  # type: ignore[arg-type]
        return response

    def leave(self) -> AnyResponse:
        response = redirect(url_for("console.sign_in"), 303)
        self._sign_in.leave(response)  # type: ignore[arg-type]
        return response

    def _sign_in_page(self, fault: str, status: int) -> Response:
        where = request.values.get("next", "")
        response = make_response(
            render_template("console/sign_in.html", fault=fault, next=where), status
        )
        self._sign_in.keep(response, g.session)
        return response

    # -- looking ---------------------------------------------------------------------------------

    def overview(self) -> Response:
        def show(load: Load) -> dict[str, Any]:
            today = self._verifications.today()
            return {
                "pending": self._verifications.pending(),
                "today": today,
                "chart": charts.by_hour(today.hours),
                "faults": load.faults,
            }

        return self._live("console/overview.html", show)

    def listing(self) -> Response:
        return self._live("console/list.html", lambda _: self._list())

    def _list(self) -> dict[str, Any]:
        wanted = filters.read(request.args)
        found = self._verifications.page(wanted.wanted)
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
        return self._live("console/one.html", lambda _: self._one(id))

    def at_twilio(self, id: str) -> Response:
        shown = self._one(id)
        verification = shown["view"].verification
        try:
            now, until = self._now(), _until(verification)
            seen = self._gateway.conversation(
                verification.phone,
                began_ago=now - verification.created_at,
                ended_ago=None if until is None else now - until,
            )
        except LookFailed as error:
            return self._page("console/one.html", 502, **shown, twilio_fault=str(error))
        known = self._verifications.known_replies([s.sid for s in seen.sightings])
        return self._page(
            "console/one.html",
            **shown,
            sightings=[(sighting, why.sighted(sighting, known)) for sighting in seen.sightings],
            conclusion=why.conclusion(seen, known),
            is_asked=True,
            # What is shown above it goes on, as on the page without the list.
            version="at-twilio",
            live=url_for("console.one", id=id),
        )

    def _one(self, id: str) -> dict[str, Any]:
        view = self._verifications.view(id, with_history=True)
        return {"view": view, "why": why.why(view, self._now())}

    def limits(self) -> Response:
        return self._live(
            "console/limits.html",
            lambda load: {
                "settings": self._settings,
                "rate_limits": self._verifications.rate_limits(),
                "open_areas": self._verifications.open_areas(),
                "load": load,
                "faults": load.faults,
            },
        )

    def opt_outs(self) -> Response:
        return self._live(
            "console/opt_outs.html", lambda _: {"marked": self._verifications.opt_outs(200)}
        )

    def ignored(self) -> Response:
        shown = [(text, why.IGNORED[text.reason]) for text in self._verifications.ignored_texts(50)]
        return self._page("console/ignored.html", shown=shown)

    def unknown(self, rest: str) -> Response:
        return self._trouble("There is no such page.", 404)

    # -- doing -----------------------------------------------------------------------------------

    def start(self) -> AnyResponse:
        number = request.form.get("number", "")
        verification = self._verifications.start(
            number,
            started_by=CALLER,
            start_input=json.dumps(number),
            request_id=REQUEST_ID.get(),
        )
        return redirect(url_for("console.one", id=verification.id), 303)

    def cancel(self, id: str) -> AnyResponse:
        self._verifications.terminate(id, "canceled at the console")
        return self._noticed("canceled", "one", id=id)

    def again(self, id: str) -> AnyResponse:
        verification = self._verifications.restart(id, request_id=REQUEST_ID.get())
        return redirect(url_for("console.one", id=verification.id), 303)

    def forget(self, id: str) -> AnyResponse:
        number = self._verifications.view(id).verification.phone
        self._verifications.forget(number)
        return self._noticed("forgotten", "listing")

    def clear_limits(self) -> AnyResponse:
        self._verifications.clear_limits(request.form.get("number", ""))
        return self._noticed("limits", "limits")

    def clear_opt_out(self) -> AnyResponse:
        self._verifications.clear_opt_out(request.form.get("number", ""))
        return self._noticed("cleared", "opt_outs")

    def _noticed(self, word: str, page: str, **where: str) -> AnyResponse:
        """To a page that says what was done; a link of somebody else cannot make it say so."""
        proof = self._sign_in.token(g.session, word)
        address = url_for(f"console.{page}", notice=word, proof=proof, **where)  # type: ignore[arg-type]
        return redirect(address, 303)

    # -- rendering -------------------------------------------------------------------------------

    def _live(self, template: str, show: Callable[[Load], dict[str, Any]]) -> Response:
        """A page, or 304 where the caller has this version of it. Without anything happening,
        figures and limits change by the minute, and the age of a queue by the second."""
        load = self._verifications.load()
        clock = f"{load.now:%H%M%S}" if load.queue else f"{load.now:%H%M}"
        version = f"{load.version}-{'+'.join(load.faults)}-{clock}"
        if request.headers.get("X-Version") == version:
            return Response(status=304)
        response = self._page(template, **show(load), version=version)
        response.headers["X-Version"] = version
        return response

    def _page(self, template: str, status: int = 200, **shown: Any) -> Response:
        word = request.args.get("notice", "")
        is_ours = self._sign_in.is_token(g.session, request.args.get("proof", ""), word)
        notice = NOTICES.get(word) if is_ours else None
        page = render_template(
            template,
            now=self._now(),
            words=why.words,
            statuses_in_words=why.STATUSES,
            deliveries=why.DELIVERIES,
            notice=notice,
            **shown,
        )
        return make_response(page, status)

    def _trouble(self, sentence: str, status: int) -> Response:
        return self._page("console/trouble.html", status, sentence=sentence)

    def _refusal(self, error: Refusal) -> Response:
        self._refused(error.code)
        status = 404 if isinstance(error, UnknownVerification) else 400
        return self._trouble(error.sentence, status)

    def _now(self) -> datetime:
        return self._verifications.store.read(lambda tx: tx.now)


def _until(verification: Verification) -> datetime | None:
    """A reply after this belongs to another verification, or to none."""
    return verification.outcome.at + AFTERTHOUGHT if verification.outcome else None


def _guarded(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _unavailable(error: StoreUnavailable) -> Response:
    """Without the layout, which would ask the store too."""
    log.error("the database refuses the console", exc_info=error)
    page = make_response(render_template("console/unavailable.html", sentence=error.sentence), 503)
    page.headers["Retry-After"] = str(error.retry_after_seconds)
    return page


def _to_console() -> Response:
    return Response(status=308, headers={"Location": "/console/"})


def _page_after(place: str, fields: dict[str, Any]) -> str:
    return url_for("console.listing", **fields, after=place)


def _own_path(path: str) -> str:
    """Where to go after the sign-in: a page of the console and nowhere else."""
    is_own = path.startswith("/console/") and "\\" not in path and "\n" not in path
    return path if is_own else url_for("console.overview")


def _clock_time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _since(instant: datetime, start: datetime) -> str:
    """A time since the start, as a time line shows it.

    >>> from datetime import UTC
    >>> _since(datetime(2026, 1, 31, 12, 1, 30, tzinfo=UTC), datetime(2026, 1, 31, 12, tzinfo=UTC))
    '+ 1:30.0'
    """
    seconds = max(0.0, (instant - start).total_seconds())
    return f"+ {int(seconds // 60)}:{seconds % 60:04.1f}"
