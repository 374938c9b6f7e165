"""The table `history`: what happened to a verification, append-only."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.events import Event, EventName
from bot.store.rows import Row, readable, to_instant, to_text
from bot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    at: datetime
    event: EventName
    detail: dict[str, Any]


# Lines of one verification. A link's holder can raise events as fast as HTTP goes, so what changes
# nothing leaves room for what does: a start, sends, ten wrong answers, an end.
MOST_LINES = 200
ROOM_FOR_CHANGES = 20

_CHANGES = frozenset(
    {
        EventName.STARTED,
        EventName.TEXT_TRIED,
        EventName.TEXT_ACCEPTED,
        EventName.RESEND_ASKED,
        EventName.RIGHT_ANSWER,
        EventName.WRONG_ANSWER,
        EventName.HELD,
        EventName.APPROVED,
        EventName.EXPIRED,
        EventName.MAX_ATTEMPTS_REACHED,
        EventName.CANCELED,
        EventName.FAILED,
    }
)


def append(tx: Tx, verification_id: str, events: Iterable[Event]) -> None:
    """All of them in one statement: each costs more than its rows. What the history has no room
    for is counted instead."""
    lines: list[str] = []
    params: dict[str, str | int] = {}
    for place, event in enumerate(events, start=1):
        most = MOST_LINES if event.name in _CHANGES else MOST_LINES - ROOM_FOR_CHANGES
        lines.append(
            f"SELECT {place} AS place, {most} AS most,"
            f" :event{place} AS event, :detail{place} AS detail"
        )
        params[f"event{place}"] = event.name.value
        params[f"detail{place}"] = json.dumps(event.detail) if event.detail else "{}"
    if not lines:
        return
    sql = f"""
        INSERT INTO history (verification_id, number, at, event, detail)
        SELECT :id, last.number + place, :at, event, detail
        FROM ({" UNION ALL ".join(lines)}) AS lines, (
            SELECT coalesce(max(number), 0) AS number FROM history WHERE verification_id = :id
        ) AS last
        WHERE last.number + place <= most ORDER BY place
    """
    written = tx.run(sql, id=verification_id, at=to_text(tx.now), **params)
    if written < len(lines):
        sql = """
            UPDATE verification SET unwritten_events = unwritten_events + :count WHERE id = :id
        """
        tx.run(sql, id=verification_id, count=len(lines) - written)


def of(tx: Tx, verification_id: str) -> list[Line]:
    sql = """
        SELECT verification_id AS id, number, at, event, detail FROM history
        WHERE verification_id = :id ORDER BY number
    """
    return readable("history", tx.all(sql, id=verification_id), _from_row)


def newest_number(tx: Tx, verification_id: str) -> int:
    """Of its last line; it grows with every event."""
    sql = "SELECT coalesce(max(number), 0) AS number FROM history WHERE verification_id = :id"
    row = tx.one(sql, id=verification_id)
    return int(row["number"]) if row else 0


def _from_row(row: Row) -> Line:
    at, detail = to_instant(row["at"]), json.loads(row["detail"])
    return Line(row["number"], at, EventName(row["event"]), detail)
