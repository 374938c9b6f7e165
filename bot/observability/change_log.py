"""Every change of a verification in the log, after its commit: in the line of the request or send
that made it, or in a line of its own."""

import logging
from typing import Any

from bot.domain import phone
from bot.observability import logs
from bot.store.tx import Change, Done

log = logging.getLogger(__name__)


def write(done: Done[Any], seconds: float) -> None:
    for change in done.changes:
        if not change.events:
            continue
        if logs.takes_change():
            logs.note(**_extra_fields(change, seconds))
        else:
            log.info("%s", change.events[-1].name, extra=_extra_fields(change, seconds))


def _extra_fields(change: Change, seconds: float) -> dict[str, object]:
    verification, outcome = change.after, change.after.outcome
    return {
        "origin": verification.request_id,
        "verification": verification.id,
        "phone": phone.masked(verification.phone),
        "events": " ".join(event.name for event in change.events),
        "attempt": verification.attempts,
        "cause": outcome.cause.value if outcome and change.has_ended else None,
        "error_code": outcome.error_code if outcome else None,
        "milliseconds": round(seconds * 1000, 1),
    }
