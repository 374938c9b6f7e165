"""One verification as a flat row, for `--json` and the console's CSV and JSON export."""

from typing import Any

from bot.store.rows import to_text
from bot.usecases.read import VerificationView

FIELDS = (
    "id",
    "number",
    "country",
    "status",
    "cause",
    "errorCode",
    "reference",
    "tag",
    "startedBy",
    "startedAt",
    "endedAt",
    "attempts",
    "texts",
)


def summary(view: VerificationView) -> dict[str, Any]:
    """Maps the names of FIELDS to their values. Instants are UTC, 2026-01-31T09:30:00.000000Z."""
    v, outcome = view.verification, view.verification.outcome
    values = (
        v.id,
        v.phone,
        v.country,
        v.status.value,
        outcome.cause.value if outcome else None,
        view.error_code,
        v.reference,
        v.tag,
        v.started_by,
        to_text(v.created_at),
        to_text(outcome.at) if outcome else None,
        v.attempts,
        v.sends,
    )
    return dict(zip(FIELDS, values, strict=True))
