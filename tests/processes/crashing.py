"""The service, killed with SIGKILL at the step that CRASH_AT names. Run by test_crashes.py."""

import os
import signal
from typing import Any

from bot.channels.twilio.client import TwilioGateway
from bot.store.postgres import PostgresStore
from bot.store.sqlite import SqliteStore
from bot.webhooks.client import WebhookClient
from wsgi import app as app


def _die() -> None:
    os.killpg(0, signal.SIGKILL)


def _crash_at(step: str) -> None:
    send = TwilioGateway.send

    def dying_send(self: Any, **sent: Any) -> Any:
        if step == "claimed":
            _die()
        result = send(self, **sent)
        if step == "accepted by Twilio":
            _die()
        return result

    TwilioGateway.send = dying_send  # type: ignore[method-assign]
    post = WebhookClient.post

    def dying_post(self: Any, *args: Any) -> Any:
        if step == "event claimed":
            _die()
        answer = post(self, *args)
        if step == "received":
            _die()
        return answer

    WebhookClient.post = dying_post  # type: ignore[method-assign]
    for store in (SqliteStore, PostgresStore):
        store.write = _dying(store.write, step)  # type: ignore[method-assign]


def _dying(write: Any, step: str) -> Any:
    def dying_write(self: Any, use_case: Any, *args: Any, **more: Any) -> Any:
        value = write(self, use_case, *args, **more)
        if getattr(use_case, "func", use_case).__name__ == step:
            _die()
        return value

    return dying_write


_crash_at(os.environ["CRASH_AT"])
