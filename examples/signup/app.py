"""A sign-up form whose phone numbers Textback verifies.

The browser follows a verification by its read link; every request that changes one goes through
this server. The server decides whether an account is verified, by a signed webhook; the page does
not.
"""

import os
import re
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask import Flask, Response, flash, redirect, render_template, request, session, url_for
from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug.wrappers import Response as AnyResponse

from . import numbers, sentences
from .accounts import Account, Accounts
from .textback import Refused, Textback

RESEND_SECONDS = 15  # Textback sends a code no sooner again
LONGEST_NAME = 80
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,2}")


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    base_url = environ["PUBLIC_BASE_URL"]
    app = Flask(__name__)
    app.config.update(
        # If it is not set, it is random: each restart then signs everyone out.
        SECRET_KEY=environ.get("SIGNUP_SECRET_KEY") or secrets.token_bytes(32),
        SESSION_COOKIE_NAME="juniper",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=base_url.startswith("https:"),  # where Textback has it, so has this
        MAX_CONTENT_LENGTH=64 * 1024,
    )
    accounts = Accounts(Path(environ.get("SIGNUP_DATABASE", "instance/signup.db")).absolute())
    textback = Textback(base_url, environ["FUNCTION_KEY"])
    # Two secrets while one is rotated: an event is right under either of them.
    verifiers = [Webhook(secret) for secret in environ["WEBHOOK_SECRET"].split(",")]
    policy = _policy(base_url)

    # -- sign up -----------------------------------------------------------------------------------

    @app.get("/")
    def form() -> str | AnyResponse:
        account = _account(accounts)
        if account and accounts.is_verified(account.id):
            return redirect(url_for("welcome"))
        # Known before the form is sent, so that a form sent twice makes one account.
        session.setdefault("account", secrets.token_hex(16))
        given = {"name": account.name, "number": account.number} if account else {}
        return _form(given)

    @app.post("/")
    def sign_up() -> AnyResponse | tuple[str, int]:
        name, typed = (request.form.get(field, "").strip() for field in ("name", "number"))
        if not name or len(name) > LONGEST_NAME:
            return _form(request.form, name_error="Enter your name, please."), 400
        number = numbers.international(typed, request.form.get("country", ""))
        if number is None:
            return _form(request.form, number_error=sentences.refusal("invalid_number", None)), 400
        accounts.sign_up(session["account"], name)
        try:
            _start(accounts, textback, number)
        except Refused as refused:
            sentence = sentences.refusal(refused.code, refused.wait)
            app.logger.warning("Textback refused a start: %s", refused.code)
            at_number = refused.code in sentences.SAID_AT_THE_NUMBER
            errors = {"number_error" if at_number else "error": sentence}
            return _form(request.form, **errors), 400 if at_number else 503
        return redirect(url_for("verify"), 303)

    # -- the verification --------------------------------------------------------------------------

    @app.get("/verify")
    def verify() -> str | AnyResponse:
        account = _account(accounts)
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

    @app.post("/verify/code")
    def enter_code() -> AnyResponse:
        account = _account(accounts)
        if account is None:
            return redirect(url_for("form"))
        try:
            textback.answer(account.event_link, request.form.get("code", "").strip()[:20])
            status = textback.status(account.status_link)  # 202 did not say whether it was right
        except Refused as refused:
            return _back(sentences.refusal(refused.code, refused.wait), "code")
        if status["status"] == "pending":
            return _back("That is not the code in the text.", "code")
        return redirect(url_for("verify"), 303)

    @app.post("/verify/resend")
    def send_again() -> AnyResponse:
        account = _account(accounts)
        if account is None:
            return redirect(url_for("form"))
        try:
            textback.send_again(account.event_link)
        except Refused as refused:
            return _back(sentences.refusal(refused.code, refused.wait))
        accounts.sent_again(account.id, time.time())
        return _back("We have sent the same code again.", "good")

    @app.post("/verify/again")
    def start_again() -> AnyResponse:
        account = _account(accounts)
        if account is None:
            return redirect(url_for("form"))
        try:
            _start(accounts, textback, account.number)
        except Refused as refused:
            return _back(sentences.refusal(refused.code, refused.wait))
        return _back("A new text with a new code is on its way.", "good")

    @app.get("/welcome")
    def welcome() -> str | AnyResponse:
        account = _account(accounts)
        if account is None:
            return redirect(url_for("form"))
        if not accounts.is_verified(account.id):
            _look(accounts, textback, account)
        if not accounts.is_verified(account.id):
            return redirect(url_for("verify"))
        number = numbers.readable(account.number)
        return render_template("welcome.html", account=account, number=number)

    @app.post("/sign-out")
    def sign_out() -> AnyResponse:
        session.clear()
        return redirect(url_for("form"), 303)

    # -- outcomes ----------------------------------------------------------------------------------

    @app.post("/webhooks")
    def webhooks() -> tuple[str, int]:
        event = _verified(verifiers, request.get_data(), dict(request.headers))
        if event is None:
            return "", 401
        if event["type"].startswith("verification."):  # and not webhook.test
            data = event["data"]
            accounts.take_webhook(
                request.headers["webhook-id"], data["tag"], data["id"], data["status"]
            )
        return "", 204

    # -- every request -----------------------------------------------------------------------------

    @app.before_request
    def require_csrf_token() -> tuple[str, int] | None:
        if request.method != "POST" or request.endpoint == "webhooks":  # that one is signed
            return None
        sent, kept = request.form.get("csrf", ""), session.get("csrf", "")
        is_ours = bool(kept) and secrets.compare_digest(sent.encode(), kept.encode())
        if is_ours and "account" in session:
            return None
        return render_template("stale.html"), 403

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"  # pages hold a number and a link
        return response

    app.jinja_env.globals["csrf_token"] = _csrf_token
    return app


def _policy(base_url: str) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            f"connect-src {base_url}",  # the status
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _csrf_token() -> str:
    token: str = session.setdefault("csrf", secrets.token_urlsafe(16))
    return token


def _account(accounts: Accounts) -> Account | None:
    return accounts.find(session.get("account", ""))


def _form(given: Mapping[str, Any], **errors: str) -> str:
    return render_template(
        "form.html",
        given=given,
        countries=numbers.choices(),
        country=given.get("country") or _likely_country(),
        attempt=secrets.token_hex(8),
        **errors,
    )


def _likely_country() -> str:
    """That of the browser's language, `de-AT`, where we have customers."""
    countries = [language.rpartition("-")[2].upper() for language in _languages()]
    return next((country for country in countries if country in numbers.COUNTRIES), "US")


def _languages() -> list[str]:
    """The three most preferred. Textback would refuse a start with an invalid tag."""
    asked = [language for language in request.accept_languages.values() if language]
    return [language for language in asked if _LANGUAGE.fullmatch(language)][:3]


def _start(accounts: Accounts, textback: Textback, number: str) -> None:
    """A verification for the account at hand. Raises Refused."""
    id = session["account"]
    before = accounts.find(id)
    started = textback.start(
        number,
        tag=id,  # comes back in the webhook
        locale=", ".join(_languages()) or None,
        # One key for each form shown: a form that is sent twice starts one verification.
        idempotency_key=f"{id}-{request.form.get('attempt', '')[:32]}",
    )
    accounts.begin(id, number, started, time.time())
    # For the same number, Textback cancels the older verification itself.
    if before and before.number != number:
        with suppress(Refused):  # if canceling fails, the verification expires
            textback.cancel(before.terminate_link, "another number was entered")


def _look(accounts: Accounts, textback: Textback, account: Account) -> None:
    """For a webhook that is late: the status tells the same."""
    try:
        status = textback.status(account.status_link)["status"]
    except Refused:
        return
    if status != "pending":
        accounts.settle(account.verification, status)


def _verified(
    verifiers: list[Webhook], body: bytes, headers: dict[str, str]
) -> dict[str, Any] | None:
    """The event; None if none of the secrets has signed exactly these bytes."""
    for verifier in verifiers:
        try:
            event: dict[str, Any] = verifier.verify(body, headers)
            return event
        except (WebhookVerificationError, ValueError):  # the latter for a mangled header
            continue
    return None


def _back(sentence: str, kind: str = "bad") -> AnyResponse:
    flash(sentence, kind)
    return redirect(url_for("verify"), 303)
