"""A sign-up form written for Twilio Verify: it sends a code, and checks what the person enters."""

import os
import secrets
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import requests
from flask import Flask, jsonify, redirect, render_template, request, session, url_for
from twilio.base.exceptions import TwilioRestException
from werkzeug.wrappers import Response

from .client import textback_client

# Messages to the person, by Twilio's error code.
SENTENCES = {
    60200: "We cannot text that number. Begin with the country code, as in +14255550123.",
    60202: "Too many wrong codes. Please start again later.",
    60203: "We have sent as many codes as we may. Please try again later.",
    60205: "That number gets no texts.",
    60212: "This number is being verified at the moment. Please wait a little.",
    60605: "We cannot text numbers of that country.",
    21610: "This number has asked for no texts. Text START to us, and try again.",
    20404: "That code is no longer good. Please start again.",
    20429: "Too many people sign up just now. Please try again later.",
}
OTHERWISE = "Something went wrong. Please try again later."
# A refusal, or no answer.
FAULTS = (TwilioRestException, requests.RequestException)


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    app = Flask(__name__)
    base_url = environ["PUBLIC_BASE_URL"]
    app.config.update(
        # Made up anew at each start unless it is set: then nobody stays signed in.
        SECRET_KEY=environ.get("SIGNUP_SECRET_KEY") or secrets.token_bytes(32),
        SESSION_COOKIE_NAME="clover",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=base_url.startswith("https:"),  # https for Textback means https here
        MAX_CONTENT_LENGTH=16 * 1024,
    )
    # With Twilio: client = Client(account_sid, auth_token)
    client = textback_client(base_url, first_key(environ["FUNCTION_KEY"]))
    service = client.verify.v2.services(environ["VERIFY_SERVICE_SID"])
    visitors = Visitors()
    app.before_request(require_token)
    app.jinja_env.globals["token"] = token
    app.add_url_rule("/", view_func=form)
    app.add_url_rule("/", "send", partial(send, service, visitors), methods=["POST"])
    app.add_url_rule("/verify", view_func=verify)
    app.add_url_rule("/verify", "check", partial(check, service), methods=["POST"])
    app.add_url_rule("/verify/status", "status", partial(status, service, visitors))
    app.add_url_rule("/welcome", view_func=welcome)
    return app


class Visitors:
    """Which sessions wait for which verification. One number has one pending verification, whoever
    asks: a stranger who enters a person's number gets the same one, and must not be let in by the
    person's reply. (In production a table of your database.)"""

    MOST = 10_000  # verifications; all are forgotten together, and then the code must be entered

    def __init__(self) -> None:
        self._of: dict[str, set[str]] = {}

    def add(self, sid: str, visitor: str) -> None:
        if len(self._of) >= self.MOST:
            self._of.clear()
        self._of.setdefault(sid, set()).add(visitor)

    def is_alone(self, sid: str, visitor: str) -> bool:
        return self._of.get(sid) == {visitor}


def token() -> str:
    """Names this session, in each of its forms too, so that no other site can post one."""
    name: str = session.setdefault("token", secrets.token_urlsafe(16))
    return name


def require_token() -> tuple[str, int] | None:
    sent = request.form.get("token", "")
    if request.method != "POST" or secrets.compare_digest(sent.encode(), token().encode()):
        return None
    return render_template("form.html", number="", error="Please try once more."), 403


def form() -> str:
    return render_template("form.html", number=session.get("number", ""))


def send(service: Any, visitors: Visitors) -> Response | tuple[str, int]:
    """Sends a code; pressed again, it sends the same one again."""
    number = request.form.get("number", "").strip()
    try:
        sent = service.verifications.create(to=number, channel="sms")
    except FAULTS as error:
        told, status = explained(error)
        return render_template("form.html", number=number, error=told), status
    session.update(number=sent.to, sid=sent.sid)
    visitors.add(sent.sid, token())
    return redirect(url_for("verify"), 303)


def verify() -> str | Response:
    if "sid" not in session:
        return redirect(url_for("form"))
    return render_template("verify.html", number=session["number"])


def check(service: Any) -> Response | tuple[str, int]:
    if "number" not in session:
        return redirect(url_for("form"))
    number, code = session["number"], request.form.get("code", "").strip()
    try:
        checked = service.verification_checks.create(to=number, code=code)
    except FAULTS as error:
        told, status = explained(error, {60200: "That is no code."})
        return render_template("verify.html", number=number, error=told), status
    if checked.status != "approved":
        told = "That is not the code in the text."
        return render_template("verify.html", number=number, error=told), 400
    session["verified"] = number
    return redirect(url_for("welcome"), 303)


def status(service: Any, visitors: Visitors) -> Response:
    """The page asks while it is open: with Textback a reply by text approves, too. Where several
    sessions wait for one verification, each must enter the code."""
    found = "gone"
    if "sid" in session:
        try:
            found = service.verifications(session["sid"]).fetch().status
        except FAULTS as error:
            found = "gone" if getattr(error, "code", None) == 20404 else "pending"
    if found == "approved" and not visitors.is_alone(session["sid"], token()):
        found = "pending"
    if found == "approved":
        session["verified"] = session["number"]
    return jsonify(status=found)


def welcome() -> str | Response:
    if "verified" not in session:
        return redirect(url_for("form"))
    return render_template("welcome.html", number=session["verified"])


def explained(
    error: Exception, instead: Mapping[int, str] = MappingProxyType({})
) -> tuple[str, int]:
    """Returns what the person is told and the status. `instead`: sentences for this call alone."""
    if not isinstance(error, TwilioRestException):
        return OTHERWISE, 503
    told = instead.get(error.code) or SENTENCES.get(error.code, OTHERWISE)
    return told, 400 if error.status < 500 else 503


def first_key(values: str) -> str:
    """Textback's setting may list several keys, `new,old`, each with a name, `web:new`."""
    name, colon, key = values.split(",")[0].partition(":")
    return (key if colon else name).strip()
