"""The bodies of events, as bytes that never change."""

import json
from datetime import UTC, datetime
from typing import Any

from bot.channels import sentences
from bot.domain import phone
from bot.domain.verification import Verification

LARGEST_EVENT_BYTES = 2000
TEST = "webhook.test"
_CUT = ("reason", "error", "locale")


def type_of(verification: Verification) -> str:
    """The event's type for a verification that has ended."""
    return f"verification.{verification.status}"


def outcome(
    verification: Verification, *, error_code: int | None, sequence: int, includes_number: bool
) -> str:
    """Builds the body for a verification that has ended. `error_code` is Twilio's, as in its
    status; `sequence` grows with each of its events."""
    assert verification.outcome is not None
    ended = verification.outcome
    data = {
        "id": verification.id,
        "reference": verification.reference,
        "status": ended.status.value,
        "cause": ended.cause.value,
        "reason": ended.reason,
        "tag": verification.tag,
        "locale": verification.locale,
        "maskedNumber": phone.masked(verification.phone),
        **({"phoneNumber": verification.phone} if includes_number else {}),
        "attemptsUsed": verification.attempts,
        "startedAt": instant(verification.created_at),
        "acceptedAt": instant(verification.accepted_at),
        "endedAt": instant(ended.at),
        "errorCode": error_code,
        "error": sentences.sentence(error_code),
        "sequence": sequence,
    }
    return _written(type_of(verification), ended.at, data)


def test(at: datetime, *, sent_by: str) -> str:
    return _written(TEST, at, {"sentBy": sent_by})


def instant(at: datetime | None) -> str | None:
    """ISO 8601, UTC, milliseconds.

    >>> instant(datetime(2026, 1, 31, 9, 30, 1, 250_999, tzinfo=UTC))
    '2026-01-31T09:30:01.250Z'
    """
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(type: str, at: datetime, data: dict[str, Any]) -> str:
    """JSON of at most 2000 bytes. If it would be longer, free texts are cut: a reason can be long,
    and so can an id that the caller chose."""
    while True:
        body = {"type": type, "timestamp": instant(at), "data": data}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        longest = max(_CUT, key=lambda name: len(data.get(name) or ""))
        if len(text.encode()) <= LARGEST_EVENT_BYTES or not data.get(longest):
            return text
        data[longest] = data[longest][: len(data[longest]) // 2] or None
