"""The pages: the form, the verification, the welcome."""

import re
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flask import (
    Flask,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response

from . import numbers, sentences
from .accounts import Account, Accounts
from .textback import Refused, Textback

RESEND_SECONDS = 15  # Textback sends a code no sooner again
LONGEST_NAME = 80
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,2}")


class Pages:
    def __init__(self, accounts: Accounts, textback: Textback) -> None:
        self._accounts = accounts
        self._textback = textback

    def register(self, app: Flask) -> None:
        app.add_url_rule("/", view_func=self.form)
        app.add_url_rule("/", view_func=self.sign_up, methods=["POST"])
        app.add_url_rule("/verify", view_func=self.verify)
        app.add_url_rule("/verify/code", view_func=self.enter_code, methods=["POST"])
        app.add_url_rule("/verify/resend", view_func=self.send_again, methods=["POST"])
        app.add_url_rule("/verify/again", view_func=self.start_again, methods=["POST"])
        app.add_url_rule("/welcome", view_func=self.welcome)
        app.add_url_rule("/sign-out", view_func=self.sign_out, methods=["POST"])

    # -- sign up -----------------------------------------------------------------------------------

    def form(self) -> str | Response:
        account = self._account()
        if account and self._accounts.is_verified(account.id):
            return redirect(url_for("welcome"))
        # Known before the form is sent, so that a form sent twice makes one account.
        session.setdefault("account", secrets.token_hex(16))
        given = {"name": account.name, "number": account.number} if account else {}
        return _form(given)

    def sign_up(self) -> Response | tuple[str, int]:
        name, typed = (request.form.get(field, "").strip() for field in ("name", "number"))
        if not name or len(name) > LONGEST_NAME:
            return _form(request.form, name_error="Enter your name, please."), 400
        number = numbers.international(typed, request.form.get("country", ""))
        if number is None:
            return _form(request.form, number_error=sentences.refusal("invalid_number", None)), 400
        self._accounts.sign_up(session["account"], name)
        try:
            self._start(number)
        except Refused as refused:
            sentence = sentences.refusal(refused.code, refused.wait)
            current_app.logger.warning("Textback refused a start: %s", refused.code)
            at_number = refused.code in sentences.SAID_AT_THE_NUMBER
            errors = {"number_error" if at_number else "error": sentence}
            return _form(request.form, **errors), 400 if at_number else 503
        return redirect(url_for("verify"), 303)

    # -- the verification --------------------------------------------------------------------------

    def verify(self) -> str | Response:
        account = self._account()
        if account is None:
            return redirect(url_for("form"))
        now = time.time()
        return render_template(
            "verify.html",
            account=account,
            number=numbers.readable(account.number),
            # Only this link: everyone who opens the page can read the links in it.
            status_link=f"{account.status_link}&showInput=false",
            now=now,
            resend_in=max(0.0, account.sent_at + RESEND_SECONDS - now),
            outcomes=sentences.OUTCOMES,
            attempt=secrets.token_hex(8),
        )

    def enter_code(self) -> Response:
        account = self._account()
        if account is None:
            return redirect(url_for("form"))
        try:
            self._textback.answer(account.event_link, request.form.get("code", "").strip()[:20])
            # Its 202 did not say whether the code was right.
            status = self._textback.status(account.status_link)
        except Refused as refused:
            return _back(sentences.refusal(refused.code, refused.wait), "code")
        if status["status"] == "pending":
            return _back("That is not the code in the text.", "code")
        return redirect(url_for("verify"), 303)

    def send_again(self) -> Response:
        account = self._account()
        if account is None:
            return redirect(url_for("form"))
        try:
            # Its 202 does not say whether a text went out.
            before = self._textback.status(account.status_link)["sends"]
            self._textback.send_again(account.event_link)
            sends = self._textback.status(account.status_link)["sends"]
        except Refused as refused:
            return _back(sentences.refusal(refused.code, refused.wait))
        if sends == before:
            return _back("The text is on its way. Wait a moment for it.", "good")
        self._accounts.sent_again(account.id, time.time())
        return _back("We have sent the same code again.", "good")

    def start_again(self) -> Response:
        account = self._account()
        if account is None:
            return redirect(url_for("form"))
        try:
            self._start(account.number)
        except Refused as refused:
            return _back(sentences.refusal(refused.code, refused.wait))
        return _back("A new text with a new code is on its way.", "good")

    def welcome(self) -> str | Response:
        account = self._account()
        if account is None:
            return redirect(url_for("form"))
        if not self._accounts.is_verified(account.id):
            self._ask_for_status(account)
        if not self._accounts.is_verified(account.id):
            return redirect(url_for("verify"))
        number = numbers.readable(account.number)
        return render_template("welcome.html", account=account, number=number)

    def sign_out(self) -> Response:
        session.clear()
        return redirect(url_for("form"), 303)

    # -- Textback ----------------------------------------------------------------------------------

    def _account(self) -> Account | None:
        return self._accounts.find(session.get("account", ""))

    def _start(self, number: str) -> None:
        """A verification for the account at hand. Raises Refused."""
        id = session["account"]
        before = self._accounts.find(id)
        started = self._textback.start(
            number,
            tag=id,  # comes back in the webhook
            locale=", ".join(_languages()) or None,
            # One key for each form shown: a form that is sent twice starts one verification.
            idempotency_key=f"{id}-{_attempt()}",
        )
        self._accounts.begin(id, number, started, time.time())
        # For the same number, Textback cancels the older verification itself.
        if before and before.number != number:
            with suppress(Refused):  # if canceling fails, the verification expires
                self._textback.cancel(before.terminate_link, "another number was entered")

    def _ask_for_status(self, account: Account) -> None:
        """Reads the status, in case the webhook is late: it has the same outcome."""
        try:
            status = self._textback.status(account.status_link)["status"]
        except Refused:
            return
        if status != "pending":
            self._accounts.settle(account.verification, status)


def _form(given: Mapping[str, Any], **errors: str) -> str:
    return render_template(
        "form.html",
        given=given,
        countries=numbers.choices(),
        country=given.get("country") or _likely_country(),
        attempt=secrets.token_hex(8),
        **errors,
    )


def _attempt() -> str:
    """Which form was sent. A header carries it, so nothing else is taken."""
    return "".join(re.findall(r"[0-9a-f]", request.form.get("attempt", "")))[:32]


def _likely_country() -> str:
    """The country of the browser's language (`de-AT`), if it is one of ours."""
    countries = [language.rpartition("-")[2].upper() for language in _languages()]
    return next((country for country in countries if country in numbers.COUNTRIES), "US")


def _languages() -> list[str]:
    """The three most preferred. Textback would refuse a start with an invalid tag."""
    asked = [language for language in request.accept_languages.values() if language]
    return [language for language in asked if _LANGUAGE.fullmatch(language)][:3]


def _back(sentence: str, kind: str = "bad") -> Response:
    flash(sentence, kind)
    return redirect(url_for("verify"), 303)
