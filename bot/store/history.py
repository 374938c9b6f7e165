"""The table `history`: what happened to a verification, append-only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from bot.domain.events import Event, EventName
from bot.store.rows import (
    Row,
    placeholder_values,
    placeholders,
    readable,
    to_instant,
    to_instant_if_readable,
    to_text,
)
from bot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class HistoryLine:
    number: int
    at: datetime
    event: EventName
    detail: dict[str, Any]


# The bound on the lines of one verification. The holder of a link can raise any number of events,
# so events that may repeat without end leave room for the start, sends, answers and the end.
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


def append(tx: Tx, verification_id: str, events: Sequence[Event]) -> None:
    """Appends the events in one statement, since a statement costs more than its rows. Events that
    the history has no room for are only counted."""
    if not events:
        return
    params: dict[str, str] = {"id": verification_id, "at": to_text(tx.now)}
    for place, event in enumerate(events, start=1):
        params[f"event{place}"] = event.name.value
        params[f"detail{place}"] = _written(event)
    written = tx.run(_insert(tuple(map(_most, events))), **params)
    if written < len(events):
        sql = """
            UPDATE verification SET unwritten_events = unwritten_events + :count WHERE id = :id
        """
        tx.run(sql, id=verification_id, count=len(events) - written)


@lru_cache(maxsize=64)
def _insert(most: tuple[int, ...]) -> str:
    """The statement for `len(most)` lines; `most` has the highest number that each may get."""
    lines = (
        f"SELECT :id, number + {place}, :at, :event{place}, :detail{place}"
        f" FROM last WHERE number + {place} <= {highest}"
        for place, highest in enumerate(most, start=1)
    )
    return f"""
        INSERT INTO history (verification_id, number, at, event, detail)
        WITH last AS (
            SELECT coalesce(max(number), 0) AS number FROM history WHERE verification_id = :id
        )
        {" UNION ALL ".join(lines)}
    """


def append_to_each(tx: Tx, verification_ids: Sequence[str], event: Event) -> None:
    """One event for many, in two statements however many they are."""
    ids, most = placeholder_values(verification_ids), _most(event)
    sql = f"""
        UPDATE verification SET unwritten_events = unwritten_events + 1
        WHERE id IN ({placeholders(verification_ids)})
            AND (SELECT max(number) FROM history WHERE verification_id = verification.id) >= :most
    """
    tx.run(sql, most=most, **ids)
    sql = f"""
        INSERT INTO history (verification_id, number, at, event, detail)
        SELECT v.id, coalesce(max(number), 0) + 1, :at, :event, :detail
        FROM verification v LEFT JOIN history ON verification_id = v.id
        WHERE v.id IN ({placeholders(verification_ids)})
        GROUP BY v.id HAVING coalesce(max(number), 0) < :most
    """
    at, detail = to_text(tx.now), _written(event)
    tx.run(sql, most=most, at=at, event=event.name.value, detail=detail, **ids)


def _most(event: Event) -> int:
    """The highest number that a line with this event may have."""
    return MOST_LINES if event.name in _CHANGES else MOST_LINES - ROOM_FOR_CHANGES


def _written(event: Event) -> str:
    return json.dumps(event.detail) if event.detail else "{}"


def of(tx: Tx, verification_id: str) -> list[HistoryLine]:
    sql = """
        SELECT verification_id AS id, number, at, event, detail FROM history
        WHERE verification_id = :id ORDER BY number
    """
    return readable("history", tx.all(sql, id=verification_id), _from_row)


def newest_number(tx: Tx, verification_id: str) -> int:
    """The number of its last line, which grows with every event."""
    sql = "SELECT coalesce(max(number), 0) AS number FROM history WHERE verification_id = :id"
    row = tx.one(sql, id=verification_id)
    return int(row["number"]) if row else 0


def newest_at(tx: Tx, verification_id: str, name: EventName) -> datetime | None:
    """When its newest event of this name was recorded."""
    sql = """
        SELECT at FROM history WHERE verification_id = :id AND event = :event
        ORDER BY number DESC LIMIT 1
    """
    row = tx.one(sql, id=verification_id, event=name.value)
    return to_instant_if_readable(row["at"]) if row else None


def was_answered_by_text(tx: Tx, verification_id: str) -> bool:
    """Whether its right answer came by text, not over HTTP."""
    sql = "SELECT detail FROM history WHERE verification_id = :id AND event = :event"
    rows = tx.all(sql, id=verification_id, event=EventName.RIGHT_ANSWER.value)
    return any(json.loads(row["detail"]).get("by_text") is True for row in rows)


def _from_row(row: Row) -> HistoryLine:
    at, detail = to_instant(row["at"]), json.loads(row["detail"])
    return HistoryLine(row["number"], at, EventName(row["event"]), detail)
