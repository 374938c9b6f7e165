"""Where Textback posts the outcome of each verification."""

from typing import Any

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

from .accounts import Accounts

OUTCOMES = frozenset(
    f"verification.{status}"
    for status in ("approved", "expired", "max_attempts_reached", "canceled", "failed")
)


class Outcomes:
    def __init__(self, accounts: Accounts, secrets: str) -> None:
        """`secrets`: two of them, with a comma in between, while one is replaced."""
        self._accounts = accounts
        self._verifiers = [Webhook(secret.strip()) for secret in secrets.split(",")]

    def register(self, app: Flask) -> None:
        app.add_url_rule("/webhooks", "webhooks", self.receive, methods=["POST"])

    def receive(self) -> tuple[str, int]:
        event = self._verified(request.get_data(), dict(request.headers))
        if event is None:
            return "", 401
        if event["type"] in OUTCOMES:  # types that come later may tell something else
            data = event["data"]
            self._accounts.take_webhook(
                request.headers["webhook-id"], data["tag"], data["id"], data["status"]
            )
        return "", 204

    def _verified(self, body: bytes, headers: dict[str, str]) -> dict[str, Any] | None:
        """The event; None if none of the secrets has signed exactly these bytes."""
        for verifier in self._verifiers:
            try:
                event: dict[str, Any] = verifier.verify(body, headers)
                return event
            except (WebhookVerificationError, ValueError):  # the latter for a mangled header
                continue
        return None
