"""The table `verification`: one row each, read whole, written only where it changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.domain.verification import FINISHED, Cause, Outcome, Stage, Status, Terms, Verification
from bot.store import aside
from bot.store.tx import (
    Row,
    Tx,
    Value,
    placed,
    places,
    read_row,
    readable,
    to_instant,
    to_instant_if_readable,
    to_instant_or_none,
    to_text,
    to_text_or_none,
)

# No window is open longer after its start: an hour to answer, ten minutes to send (settings.py).
LONGEST_OPEN = timedelta(minutes=70)

EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, tzinfo=UTC)


def load(tx: Tx, id: str) -> Verification | None:
    """In a transaction that writes, with its lock: nothing that belongs to it changes meanwhile."""
    row = tx.lock("SELECT * FROM verification WHERE id = :id", id=id)
    return read_row("verification", row, _from_row) if row else None


def load_free(tx: Tx, ids: Sequence[str]) -> list[Verification]:
    """Those of them that no other transaction holds, with their locks. One that cannot be read is
    set aside on the way."""
    sql = f"SELECT * FROM verification WHERE id IN ({places(ids)})"
    rows = tx.lock_free(sql, **placed(ids))
    return readable("verification", rows, _from_row, unreadable=partial(set_aside, tx))


def of_text(tx: Tx, text_id: str) -> Verification | None:
    """The one that a text belongs to, with its lock."""
    sql = """
        SELECT * FROM verification
        WHERE id = (SELECT verification_id FROM outbox WHERE id = :text_id)
    """
    row = tx.lock(sql, text_id=text_id)
    return read_row("verification", row, _from_row) if row else None


def pending_of(tx: Tx, phone: str) -> Verification | None:
    sql = "SELECT * FROM verification WHERE phone = :phone AND status = 'pending'"
    row = tx.lock(sql, phone=phone)
    return read_row("verification", row, _from_row) if row else None


def latest_of(tx: Tx, phone: str) -> Verification | None:
    sql = "SELECT * FROM verification WHERE phone = :phone ORDER BY created_at DESC LIMIT 1"
    row = tx.lock(sql, phone=phone)
    return read_row("verification", row, _from_row) if row else None


def superseded_of(tx: Tx, phone: str) -> list[Verification]:
    """Those of a number that were superseded inside a window which is still open, newest first,
    ten at most."""
    sql = """
        SELECT * FROM verification
        WHERE phone = :phone AND created_at > :since AND cause = 'superseded'
            AND deadline_at > :now
        ORDER BY created_at DESC LIMIT 10
    """
    since = to_text(tx.now - LONGEST_OPEN)
    rows = tx.all(sql, phone=phone, since=since, now=to_text(tx.now))
    return readable("verification", rows, _from_row)


def due_ids(tx: Tx, *, limit: int) -> list[str]:
    sql = "SELECT id FROM verification WHERE due_at <= :now ORDER BY due_at LIMIT :limit"
    return [row["id"] for row in tx.all(sql, now=to_text(tx.now), limit=limit)]


def lift_wrong_left(tx: Tx, phone: str, *, left: int | None) -> None:
    """What its number's bound leaves the pending verification, once an operator has lifted it."""
    sql = "UPDATE verification SET wrong_left = :left WHERE phone = :phone AND status = 'pending'"
    tx.run(sql, phone=phone, left=left)


def set_unreadable_aside(tx: Tx, *, limit: int) -> None:
    """Looks through the pending ones for those that no due time leads to."""
    rows = aside.lock_work(tx, "verification", limit=limit)
    readable("verification", rows, _from_row, unreadable=partial(set_aside, tx))


def set_aside(tx: Tx, id: str) -> None:
    """Of a row that cannot be read: no timer looks for it, until a dispatcher starts anew."""
    tx.run("UPDATE verification SET due_at = :never WHERE id = :id", never=aside.NEVER, id=id)


def finished(tx: Tx, ids: Sequence[str]) -> list[str]:
    """Those of them that have ended, or are gone."""
    found: list[str] = []
    for first in range(0, len(ids), 500):
        some = ids[first : first + 500]
        sql = f"""
            SELECT id FROM verification WHERE id IN ({places(some)}) AND status = 'pending'
        """
        pending = {row["id"] for row in tx.all(sql, **placed(some))}
        found += [id for id in some if id not in pending]
    return found


def next_due_at(tx: Tx) -> datetime | None:
    row = tx.one("SELECT min(due_at) AS due_at FROM verification WHERE due_at IS NOT NULL")
    return to_instant_if_readable(row["due_at"]) if row else None


def under_other_keys(tx: Tx, key_ids: Sequence[str], *, limit: int) -> list[Verification]:
    """Pending ones whose secret key is none of these, and that nobody else holds."""
    sql = f"""
        SELECT * FROM verification
        WHERE due_at IS NOT NULL AND due_at < :never AND key_id NOT IN ({places(key_ids)})
        LIMIT :limit
    """
    rows = tx.lock_free(sql, limit=limit, never=aside.NEVER, **placed(key_ids))
    return readable("verification", rows, _from_row, unreadable=partial(set_aside, tx))


def oldest_pending_since(tx: Tx) -> datetime | None:
    """When the oldest of the pending ones was started."""
    sql = "SELECT min(created_at) AS since FROM verification WHERE due_at < :never"
    row = tx.one(sql, never=aside.NEVER)
    if row is None or row["since"] is None:
        return None
    return to_instant_if_readable(row["since"]) or tx.now - LONGEST_OPEN


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a list is to hold. Both times are inclusive; no stages: all of them."""

    limit: int
    created_from: datetime | None = None
    created_to: datetime | None = None
    stages: frozenset[Stage] = frozenset()
    id_prefix: str = ""
    country: str = ""
    phone: str = ""
    newest_first: bool = False
    after: tuple[datetime, str] | None = None  # creation and id of the last one seen


def find(tx: Tx, wanted: ListFilter) -> list[Verification]:
    """A page, by creation and id; with a prefix by id alone.

    By creation, each status is a range of one index, read no further than the page is long, so the
    page after ten million rows costs what the first one does. New rows come at the end, so whoever
    goes on from `after` sees each row that stays exactly once.
    """
    if wanted.id_prefix:
        return _find_by_id(tx, wanted)
    # IS TRUE keeps SQLite from answering the OR by other indexes and sorting afterwards.
    ranges = _ranges(wanted.stages)
    rows: list[Row] = []
    for condition in [f"({' OR '.join(ranges)}) IS TRUE"] if wanted.phone else ranges:
        rows += _find_range(tx, wanted, condition)
    rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=wanted.newest_first)
    return readable("verification", rows[: wanted.limit], _from_row)


def errors_since(tx: Tx, since: datetime) -> list[tuple[int, int]]:
    """Twilio's error codes that ended verifications begun since then, the most frequent first, with
    their counts. Of very many the newest ten thousand tell enough."""
    sql = """
        SELECT error_code, count(*) AS count FROM (
            SELECT error_code FROM verification WHERE status = 'failed' AND created_at >= :since
            ORDER BY created_at DESC LIMIT 10000) AS failed
        WHERE error_code IS NOT NULL GROUP BY error_code ORDER BY count(*) DESC, error_code
    """
    return [(row["error_code"], row["count"]) for row in tx.all(sql, since=to_text(since))]


def ids_of(tx: Tx, phone: str) -> list[str]:
    rows = tx.all("SELECT id FROM verification WHERE phone = :phone", phone=phone)
    return [row["id"] for row in rows]


def remove(tx: Tx, id: str) -> None:
    """With its text and its history. Its messages' sids stay: they are nobody's data."""
    tx.run("DELETE FROM verification WHERE id = :id", id=id)


def _ranges(stages: frozenset[Stage]) -> list[str]:
    wanted = stages or frozenset(Stage)
    open_stages = wanted - FINISHED
    ranges = [f"status = '{stage}'" for stage in sorted(wanted & FINISHED)]
    if open_stages == frozenset(Stage) - FINISHED:
        return ["status = 'pending'", *ranges]
    return [f"status = 'pending' AND {_OPEN_STAGES[stage]}" for stage in open_stages] + ranges


_OPEN_STAGES = {
    Stage.WAITING: "suspended_at IS NULL AND accepted_at IS NULL",
    Stage.RUNNING: "suspended_at IS NULL AND accepted_at IS NOT NULL",
    Stage.SUSPENDED: "suspended_at IS NOT NULL",
}


def _find_range(tx: Tx, wanted: ListFilter, condition: str) -> list[Row]:
    sign, direction = ("<", "DESC") if wanted.newest_first else (">", "ASC")
    if wanted.country:
        condition += " AND country = :country"
    if wanted.phone:
        condition += " AND phone = :phone"
    if wanted.after is not None:
        condition += f" AND (created_at, id) {sign} (:after_at, :after_id)"
    after_at, after_id = wanted.after or (EARLIEST, "")
    sql = f"""
        SELECT * FROM verification
        WHERE {condition} AND created_at >= :created_from AND created_at <= :created_to
        ORDER BY created_at {direction}, id {direction} LIMIT :limit
    """
    return tx.all(
        sql,
        country=wanted.country,
        phone=wanted.phone,
        after_at=to_text(after_at),
        after_id=after_id,
        created_from=to_text(wanted.created_from or EARLIEST),
        created_to=to_text(wanted.created_to or LATEST),
        limit=wanted.limit,
    )


def _find_by_id(tx: Tx, wanted: ListFilter) -> list[Verification]:
    after_id = wanted.after[1] if wanted.after else ""
    # One lower bound: of two, SQLite may begin its range at the wrong one.
    bound = "id > :lowest" if after_id >= wanted.id_prefix and after_id else "id >= :lowest"
    sql = f"""
        SELECT * FROM verification
        WHERE ({" OR ".join(_ranges(wanted.stages))}) IS TRUE
            AND {bound} AND id < :prefix_end
            AND created_at >= :created_from AND created_at <= :created_to
        ORDER BY id LIMIT :limit
    """
    rows = tx.all(
        sql,
        lowest=max(after_id, wanted.id_prefix),
        prefix_end=wanted.id_prefix + chr(0x10FFFF),
        created_from=to_text(wanted.created_from or EARLIEST),
        created_to=to_text(wanted.created_to or LATEST),
        limit=wanted.limit,
    )
    return readable("verification", rows, _from_row)


def open_ones(tx: Tx, *, limit: int) -> list[Verification]:
    """Pending ones, the soonest due first."""
    sql = "SELECT * FROM verification WHERE due_at IS NOT NULL ORDER BY due_at LIMIT :limit"
    return readable("verification", tx.all(sql, limit=limit), _from_row)


def count_open(tx: Tx) -> int:
    row = tx.one("SELECT count(*) AS count FROM verification WHERE due_at IS NOT NULL")
    return int(row["count"]) if row else 0


def insert(tx: Tx, verification: Verification) -> None:
    row = (
        _fixed(verification)
        | _changing(verification)
        | {"updated_at": to_text(verification.created_at)}
    )
    columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    tx.run(f"INSERT INTO verification ({columns}) VALUES ({values})", **row)


def update(tx: Tx, before: Verification, after: Verification) -> None:
    """Writes what differs. Its last update is its end, if that is what happened."""
    old, new = _changing(before), _changing(after)
    changed = {name: value for name, value in new.items() if value != old[name]}
    has_ended = after.outcome if before.outcome is None else None
    changed["updated_at"] = to_text(has_ended.at if has_ended else tx.now)
    columns = ", ".join(f"{name} = :{name}" for name in changed)
    tx.run(f"UPDATE verification SET {columns} WHERE id = :id", id=after.id, **changed)


def _fixed(v: Verification) -> dict[str, Value]:
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
        "created_at": to_text(v.created_at),
        "is_to_erase": int(v.is_to_erase),
    }


def _changing(v: Verification) -> dict[str, Value]:
    return {
        "first_try_at": to_text_or_none(v.first_try_at),
        "accepted_at": to_text_or_none(v.accepted_at),
        "deadline_at": to_text(v.deadline_at),
        "due_at": to_text_or_none(v.due_at),
        "attempts": v.attempts,
        "last_guess": v.last_guess,
        "wrong_left": v.wrong_left,
        "status": v.status.value,
        "cause": v.outcome.cause.value if v.outcome else None,
        "reason": v.outcome.reason if v.outcome else None,
        "error_code": v.outcome.error_code if v.outcome else None,
        "ended_at": to_text(v.outcome.at) if v.outcome else None,
        "suspended_at": to_text_or_none(v.suspended_at),
        "held_status": v.held.status.value if v.held else None,
        "held_cause": v.held.cause.value if v.held else None,
        "held_reason": v.held.reason if v.held else None,
        "held_error_code": v.held.error_code if v.held else None,
        "held_at": to_text(v.held.at) if v.held else None,
        "is_hinted": int(v.is_hinted),
        "answers": v.answers,
        "is_afterthought_answered": int(v.is_afterthought_answered),
    }


def _from_row(row: Row) -> Verification:
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
        terms=Terms(
            code_length=row["code_length"],
            window_seconds=row["window_seconds"],
            max_attempts=row["max_attempts"],
            send_within_seconds=row["send_within_seconds"],
        ),
        created_at=to_instant(row["created_at"]),
        first_try_at=to_instant_or_none(row["first_try_at"]),
        accepted_at=to_instant_or_none(row["accepted_at"]),
        deadline_at=to_instant(row["deadline_at"]),
        attempts=row["attempts"],
        last_guess=row["last_guess"],
        wrong_left=row["wrong_left"],
        outcome=_outcome(row, "status", "ended_at", "cause", "reason", "error_code"),
        suspended_at=to_instant_or_none(row["suspended_at"]),
        held=_outcome(
            row, "held_status", "held_at", "held_cause", "held_reason", "held_error_code"
        ),
        is_hinted=bool(row["is_hinted"]),
        answers=row["answers"],
        is_afterthought_answered=bool(row["is_afterthought_answered"]),
        is_to_erase=bool(row["is_to_erase"]),
        unwritten_events=row["unwritten_events"],
        updated_at=to_instant(row["updated_at"]),
    )


def _outcome(
    row: Row, status: str, at: str, cause: str, reason: str, error_code: str
) -> Outcome | None:
    """From the columns of these names."""
    if row[at] is None:
        return None
    return Outcome(
        Status(row[status]), to_instant(row[at]), Cause(row[cause]), row[reason], row[error_code]
    )
