"""A log line for everything that becomes of a verification, written after its commit."""

import logging
from typing import Any

from bot.domain import phone
from bot.store.tx import Done

log = logging.getLogger(__name__)


def write(done: Done[Any], seconds: float) -> None:
    for change in done.changes:
        verification = change.after
        for event in change.events:
            log.info(
                "%s",
                event.name,
                extra={
                    "origin": verification.request_id,
                    "verification": verification.id,
                    "phone": phone.masked(verification.phone),
                    "event": event.name,
                    "attempt": event.detail.get("attempt"),
                    "error_code": event.detail.get("error_code"),
                    "milliseconds": round(seconds * 1000, 1),
                },
            )
