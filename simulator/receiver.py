"""Receives outcome webhooks as an application does: checks signatures, remembers ids, and fails on
request."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flask import Blueprint, Response, request
from standardwebhooks import Webhook, WebhookVerificationError

KEPT = 200  # events that the page can show
SLOW_SECONDS = 12.0  # longer than Textback waits
PATH = "/receiver"


class Behaviour(StrEnum):
    ACCEPT = "accept"
    FAIL = "fail"  # 500
    SLOW = "slow"  # no answer in time
    GONE = "gone"  # 410
    REDIRECT = "redirect"
    BUSY = "busy"  # 503 with Retry-After


@dataclass(slots=True)
class Received:
    """One event, however often it came."""

    id: str
    body: str
    tries: int = 0
    is_verified: bool = True  # each of its tries
    is_same: bool = True  # each try brought the same bytes
    is_accepted: bool = False
    first_at: float = field(default_factory=time.time)
    accepted_at: float | None = None


class Receiver:
    def __init__(self, secrets: Sequence[str], *, slow_seconds: float = SLOW_SECONDS) -> None:
        self._verifiers = [Webhook(secret) for secret in secrets]
        self._slow_seconds = slow_seconds
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._events: dict[str, Received] = {}
        self.behaviour = Behaviour.ACCEPT

    def stop(self) -> None:
        self._is_over.set()

    def events(self) -> list[Received]:
        """The oldest first."""
        with self._lock:
            return list(self._events.values())

    def receive(self, headers: dict[str, str], body: bytes) -> Response:
        behaviour = self.behaviour
        received = self._note(headers, body, is_accepted=behaviour is Behaviour.ACCEPT)
        if not received.is_verified:
            return Response("the signature is not right\n", 401)
        match behaviour:
            case Behaviour.SLOW:
                self._is_over.wait(self._slow_seconds)
                return Response("too late\n", 500)
            case Behaviour.REDIRECT:
                return Response("", 302, {"Location": "http://127.0.0.1:1/"})
            case Behaviour.BUSY:
                return Response("", 503, {"Retry-After": "120"})
        statuses = {Behaviour.ACCEPT: 204, Behaviour.FAIL: 500, Behaviour.GONE: 410}
        return Response("", statuses[behaviour])

    def _note(self, headers: dict[str, str], body: bytes, *, is_accepted: bool) -> Received:
        id, text = headers.get("Webhook-Id", ""), body.decode("utf-8", "replace")
        is_verified = any(_knows(verifier, headers, text) for verifier in self._verifiers)
        with self._lock:
            received = self._events.setdefault(id, Received(id, text))
            received.tries += 1
            received.is_verified = received.is_verified and is_verified
            received.is_same = received.is_same and received.body == text
            if is_accepted and is_verified and not received.is_accepted:
                received.is_accepted = True
                received.accepted_at = time.time()
            return received

    def shown(self) -> list[dict[str, Any]]:
        """Lists the events for the page, the newest first."""
        return [
            {
                "id": event.id,
                "body": event.body,
                "tries": event.tries,
                "verified": event.is_verified,
                "accepted": event.is_accepted,
            }
            for event in self.events()[: -KEPT - 1 : -1]
        ]


def _knows(verifier: Webhook, headers: dict[str, str], text: str) -> bool:
    try:
        verifier.verify(text, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True


def blueprint(receiver: Receiver) -> Blueprint:
    routes = Blueprint("receiver", __name__)

    @routes.post(PATH)
    def receive() -> Response:
        return receiver.receive(dict(request.headers), request.get_data())

    @routes.get("/simulator/receiver")
    def events() -> dict[str, Any]:
        return {"behaviour": receiver.behaviour.value, "events": receiver.shown()}

    @routes.post("/simulator/receiver")
    def behave() -> tuple[dict[str, str], int]:
        sent = request.get_json(silent=True)  # as JSON: a page of another site cannot send that
        try:
            receiver.behaviour = Behaviour(sent["behaviour"])
        except (ValueError, TypeError, KeyError):
            return {"error": f"behaviour must be one of {', '.join(Behaviour)}"}, 400
        return {}, 200

    return routes
