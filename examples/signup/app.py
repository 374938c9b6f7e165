"""A sign-up form whose phone numbers Textback verifies.

The browser follows a verification by its read link; every request that changes one goes through
this server. The server decides whether an account is verified, by a signed webhook; the page does
not.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from flask import Flask

from . import protection
from .accounts import Accounts
from .outcomes import Outcomes
from .pages import Pages
from .textback import Textback, first_key


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    base_url = environ["PUBLIC_BASE_URL"]
    app = Flask(__name__)
    app.config.update(
        # If it is not set, it is random: each restart then signs everyone out.
        SECRET_KEY=environ.get("SIGNUP_SECRET_KEY") or secrets.token_bytes(32),
        SESSION_COOKIE_NAME="juniper",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=base_url.startswith("https:"),  # https for Textback means https here
        MAX_CONTENT_LENGTH=64 * 1024,
    )
    accounts = Accounts(Path(environ.get("SIGNUP_DATABASE", "instance/signup.db")).absolute())
    Pages(accounts, Textback(base_url, first_key(environ["FUNCTION_KEY"]))).register(app)
    Outcomes(accounts, environ["WEBHOOK_SECRET"]).register(app)
    protection.register(app, base_url)
    return app
