"""Converts between a verification and its columns."""

from datetime import datetime

from bot.domain.ids import hex_id
from bot.domain.verification import Cause, Outcome, Status, Terms, Verification
from bot.store.rows import (
    Row,
    Value,
    by_name,
    to_instant,
    to_instant_or_none,
    to_text,
    to_text_or_none,
)


def all_columns(v: Verification) -> dict[str, Value]:
    """Of a new row."""
    return _fixed_columns(v) | _changing_columns(v) | {"updated_at": to_text(v.created_at)}


def _fixed_columns(v: Verification) -> dict[str, Value]:
    """Columns that are the same from the start on."""
    return {
        "id": v.id,
        "phone": v.phone,
        "country": v.country,
        "started_by": v.started_by,
        "caller_key": v.caller_key,
        "start_input": v.start_input,
        "request_id": v.request_id,
        "reference": v.reference,
        "nonce": v.nonce,
        "key_id": v.key_id,
        "challenge_text": v.challenge_text,
        "code_length": v.terms.code_length,
        "window_seconds": v.terms.window_seconds,
        "max_attempts": v.terms.max_attempts,
        "send_within_seconds": v.terms.send_within_seconds,
        "max_sends": v.terms.max_sends,
        "created_at": to_text(v.created_at),
        "is_to_erase": int(v.is_to_erase),
        "tag": v.tag,
        "locale": v.locale,
        "hex_id": None if (alias := hex_id(v.id)) == v.id else alias,
    }


def _changing_columns(v: Verification) -> dict[str, Value]:
    return {
        "first_try_at": to_text_or_none(v.first_try_at),
        "accepted_at": to_text_or_none(v.accepted_at),
        "deadline_at": to_text(v.deadline_at),
        "due_at": to_text_or_none(v.due_at),
        "attempts": v.attempts,
        "sends": v.sends,
        "newest_send_at": to_text_or_none(v.newest_send_at),
        "last_guess": v.last_guess,
        "wrong_left": v.wrong_left,
        "status": v.status.value,
        "cause": v.outcome.cause.value if v.outcome else None,
        "reason": v.outcome.reason if v.outcome else None,
        "error_code": v.outcome.error_code if v.outcome else None,
        "ended_at": to_text(v.outcome.at) if v.outcome else None,
        "suspended_at": to_text_or_none(v.suspended_at),
        "held_status": v.held_outcome.status.value if v.held_outcome else None,
        "held_cause": v.held_outcome.cause.value if v.held_outcome else None,
        "held_reason": v.held_outcome.reason if v.held_outcome else None,
        "held_error_code": v.held_outcome.error_code if v.held_outcome else None,
        "held_at": to_text(v.held_outcome.at) if v.held_outcome else None,
        "is_hinted": int(v.is_hinted),
        "answers": v.answers,
        "is_afterthought_answered": int(v.is_afterthought_answered),
    }


def changed_columns(
    before: Verification, after: Verification, *, now: datetime
) -> dict[str, Value]:
    """The columns that differ. `updated_at` becomes the time of its end if it ended now, not if an
    outcome that was held back is published, and never an earlier one."""
    old, new = _changing_columns(before), _changing_columns(after)
    changed = {name: value for name, value in new.items() if value != old[name]}
    new_outcome = after.outcome if before.outcome is None else None
    is_published = before.held_outcome is not None
    ended_at = new_outcome.at if new_outcome and not is_published else now
    changed["updated_at"] = to_text(max(ended_at, before.updated_at or ended_at))
    return changed


def from_row(row: Row) -> Verification:
    row = by_name(row)
    to_instant_or_none(row["due_at"])  # derived, so not kept; but the timer needs it
    return Verification(
        id=row["id"],
        phone=row["phone"],
        country=row["country"],
        started_by=row["started_by"],
        caller_key=row["caller_key"],
        start_input=row["start_input"],
        request_id=row["request_id"],
        reference=row["reference"],
        nonce=row["nonce"],
        key_id=row["key_id"],
        challenge_text=row["challenge_text"],
        terms=_terms(row),
        created_at=to_instant(row["created_at"]),
        first_try_at=to_instant_or_none(row["first_try_at"]),
        accepted_at=to_instant_or_none(row["accepted_at"]),
        deadline_at=to_instant(row["deadline_at"]),
        attempts=row["attempts"],
        sends=row["sends"],
        newest_send_at=to_instant_or_none(row["newest_send_at"]),
        last_guess=row["last_guess"],
        wrong_left=row["wrong_left"],
        outcome=_outcome(row, at="ended_at"),
        suspended_at=to_instant_or_none(row["suspended_at"]),
        held_outcome=_outcome(row, at="held_at", prefix="held_"),
        is_hinted=bool(row["is_hinted"]),
        answers=row["answers"],
        is_afterthought_answered=bool(row["is_afterthought_answered"]),
        is_to_erase=bool(row["is_to_erase"]),
        tag=row["tag"],
        locale=row["locale"],
        unwritten_events=row["unwritten_events"],
        updated_at=to_instant(row["updated_at"]),
    )


def _terms(row: Row) -> Terms:
    return Terms(
        code_length=row["code_length"],
        window_seconds=row["window_seconds"],
        max_attempts=row["max_attempts"],
        send_within_seconds=row["send_within_seconds"],
        max_sends=row["max_sends"],
    )


def _outcome(row: Row, *, at: str, prefix: str = "") -> Outcome | None:
    """Reads an outcome from the columns whose names begin with `prefix`, and its instant from
    `at`."""
    if row[at] is None:
        return None
    return Outcome(
        Status(row[f"{prefix}status"]),
        to_instant(row[at]),
        Cause(row[f"{prefix}cause"]),
        row[f"{prefix}reason"],
        row[f"{prefix}error_code"],
    )
