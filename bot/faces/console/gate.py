"""Access to the pages: every request passes here; signing in and out."""

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

from bot.faces.console.rendering import Renderer
from bot.faces.console.sign_in import COOKIE, SignIn, Throttle
from bot.service import Service

_OPEN = frozenset(["console.sign_in", "console.enter", "console.static", "console.home"])


class Gate:
    def __init__(self, service: Service, sign_in: SignIn, renderer: Renderer) -> None:
        self._sign_in = sign_in
        self._renderer = renderer
        self._refused = service.metrics.refused
        self._throttle = Throttle(service.clock)

    def check(self) -> AnyResponse | None:
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
        return self._renderer.trouble(sentence, 403)

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


def _own_path(path: str) -> str:
    """Where to go after the sign-in: a page of the console and nowhere else."""
    is_own = path.startswith("/console/") and "\\" not in path and "\n" not in path
    return path if is_own else url_for("console.overview")
