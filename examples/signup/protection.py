"""Protects every page by a token in each form and headers on each answer."""

import secrets

from flask import Flask, Response, render_template, request, session


def register(app: Flask, base_url: str) -> None:
    policy = _policy(base_url)

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"  # pages hold a number and a link
        return response

    app.before_request(_require_csrf_token)
    app.jinja_env.globals["csrf_token"] = _csrf_token


def _require_csrf_token() -> tuple[str, int] | None:
    if request.method != "POST" or request.endpoint == "webhooks":  # that one is signed
        return None
    sent, kept = request.form.get("csrf", ""), session.get("csrf", "")
    is_ours = bool(kept) and secrets.compare_digest(sent.encode(), kept.encode())
    if is_ours and "account" in session:
        return None
    return render_template("stale.html"), 403


def _csrf_token() -> str:
    token: str = session.setdefault("csrf", secrets.token_urlsafe(16))
    return token


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
