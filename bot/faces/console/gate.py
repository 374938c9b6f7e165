"""Access to the pages: every request passes here; signing in and out; who may act."""

import re

from flask import (
    Response,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from bot.domain.operators import Action, Operator, Role
from bot.faces.console.remedies import Remedy
from bot.faces.console.rendering import Renderer
from bot.faces.console.sign_in import COOKIE, SignIn, Throttle
from bot.http.form_fields import is_cheap
from bot.http.networks import network
from bot.service import Service
from bot.usecases import audit

_OWN_COOKIE = re.compile(rf"(?:^|[;,])\s*{re.escape(COOKIE)}=([^;,\s]*)")
_OPEN = frozenset(["console.sign_in", "console.enter", "console.static", "console.home"])


class Gate:
    def __init__(self, service: Service, sign_in: SignIn, renderer: Renderer) -> None:
        self._sign_in = sign_in
        self._renderer = renderer
        self._store = service.store
        self._refused = service.metrics.refused
        self._throttle = Throttle(service.clock)

    def check(self) -> AnyResponse | None:
        """Runs before each request: sets `g.session` and `g.token`. Returns None to let the request
        pass, otherwise a refusal or a redirect to the sign-in page."""
        g.session = self._sign_in.session(_cookie())
        g.token = self._sign_in.token(g.session)
        is_form = request.method == "POST"
        if is_form and not (is_cheap(request) and self._has_token()):
            return self._refused_form()
        if request.endpoint in _OPEN:
            return None
        if g.session.operator is not None:
            return self._refused_viewer() if is_form and not self._may_act() else None
        came_from = None if is_form else request.full_path.rstrip("?")
        return redirect(url_for("console.sign_in", next=came_from), 303)

    def _has_token(self) -> bool:
        return self._sign_in.is_token(g.session, request.form.get("token", ""))

    def _may_act(self) -> bool:
        return g.session.operator.role is Role.OPERATOR or request.endpoint == "console.leave"

    def _refused_viewer(self) -> Response:
        self._refused("viewer_cannot_act")
        sentence = "You are signed in as a viewer and cannot change anything."
        return self._renderer.error_page(sentence, 403)

    def _refused_form(self) -> Response:
        self._refused("invalid_form")
        if g.session.operator is None and request.endpoint != "console.enter":
            sentence = "You are no longer signed in, so nothing was done."
            back = Remedy("Sign in, and do it once more:", "Sign in", url_for("console.sign_in"))
            return self._renderer.error_page(sentence, 403, remedy=back)
        sentence = "This form is too old or came from another page. Load the page and try again."
        return self._renderer.error_page(sentence, 403)

    def sign_in(self) -> AnyResponse:
        if g.session.operator is not None:
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
        found = self._sign_in.operator(request.form.get("key", "").strip())
        if found is None:
            self._refused("wrong_console_key")
            audit.sign_in_refused(self._store, address=network(address))
            return self._sign_in_page("This key is not valid.", 403)
        operator, fingerprint = found
        self._throttle.was_right(address)
        self._record_session(operator, Action.SIGNED_IN)
        response = redirect(_own_path(request.form.get("next", "")), 303)
        self._sign_in.enter(response, fingerprint)  # type: ignore[arg-type]
        return response

    def leave(self) -> AnyResponse:
        if g.session.operator is not None:
            self._record_session(g.session.operator, Action.SIGNED_OUT)
        response = redirect(url_for("console.sign_in"), 303)
        self._sign_in.leave(response)  # type: ignore[arg-type]
        return response

    def _record_session(self, operator: Operator, action: Action) -> None:
        audit.record_session(
            self._store, operator, action, address=network(request.remote_addr or "")
        )

    def _sign_in_page(self, fault: str, status: int) -> Response:
        where = request.values.get("next", "")
        response = make_response(
            render_template("console/sign_in.html", fault=fault, next=where), status
        )
        self._sign_in.keep(response, g.session)
        return response


def _cookie() -> str | None:
    """Our own cookie alone: other applications of the host may have set many, and parsing all
    takes longer than the rest of a refusal."""
    found = _OWN_COOKIE.search(request.headers.get("Cookie", ""))
    return found[1] if found else None


def _own_path(path: str) -> str:
    """The path to go to after the sign-in: a page of the console and nowhere else."""
    is_own = path.startswith("/console/") and "\\" not in path and path.isprintable()
    return path if is_own else url_for("console.overview")
