"""The table `webhook_event`: a row for each event and endpoint, sent under a lease."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from bot.domain.webhook_response import WebhookResponse
from bot.store.rows import (
    Row,
    Value,
    count_of,
    placeholder_values,
    placeholders,
    readable,
    to_instant,
    to_instant_if_readable,
    to_instant_or_none,
    to_text,
)
from bot.store.tx import Tx

COUNTED = 10_000  # pending ones of an endpoint that a page counts
NEWEST_DUE = 200  # among which new ones are looked for
NEW_FOR = timedelta(minutes=10)  # somebody may still look at the page that waits for its outcome

_CLAIMED = "id = :id AND claims = :claims AND state = 'pending'"


class EventState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    id: str  # the header webhook-id
    endpoint_id: str
    verification_id: str | None  # None: a test
    type: str
    body: str
    state: EventState
    created_at: datetime
    due_at: datetime | None
    claims: int
    tries: int  # that failed since it was last queued
    last_try_at: datetime | None
    last_result: str | None
    last_status: int | None  # of HTTP


def add(tx: Tx, *, endpoint_id: str, verification_id: str | None, type: str, body: str) -> None:
    """Queues an event that is due now."""
    sql = """
        INSERT INTO webhook_event (id, endpoint_id, verification_id, type, body, created_at, due_at)
        VALUES (:id, :endpoint_id, :verification_id, :type, :body, :now, :now)
    """
    tx.run(
        sql,
        id=f"msg_{secrets.token_hex(16)}",
        endpoint_id=endpoint_id,
        verification_id=verification_id,
        type=type,
        body=body,
        now=to_text(tx.now),
    )


def is_due(tx: Tx, endpoint_id: str) -> bool:
    sql = "SELECT 1 FROM webhook_event WHERE endpoint_id = :endpoint_id AND due_at <= :now LIMIT 1"
    return tx.one(sql, endpoint_id=endpoint_id, now=to_text(tx.now)) is not None


def claim(tx: Tx, endpoint_id: str, *, limit: int, lease: timedelta) -> list[WebhookEvent]:
    """Claims due events that no other transaction holds, and returns them as they are after the
    claim: longest due first, but where not all due ones fit, half of the room is for new ones that
    were never tried. They are worth most, and tries that time out would hold them up for minutes.
    An event that cannot be read is marked as failed."""
    now = to_text(tx.now)
    sql = """
        SELECT * FROM webhook_event
        WHERE endpoint_id = :endpoint_id AND due_at <= :now ORDER BY due_at, id LIMIT :limit
    """
    rows = tx.lock_skip_locked(sql, endpoint_id=endpoint_id, now=now, limit=limit)
    if len(rows) == limit:
        sql = f"""
            SELECT * FROM webhook_event WHERE tries = 0 AND created_at >= :since AND id IN (
                SELECT id FROM webhook_event
                WHERE endpoint_id = :endpoint_id AND due_at <= :now AND due_at >= :since
                ORDER BY due_at DESC LIMIT {NEWEST_DUE})
            ORDER BY created_at DESC, id LIMIT :limit
        """
        since = to_text(tx.now - NEW_FOR)
        new = tx.lock_skip_locked(
            sql, endpoint_id=endpoint_id, since=since, now=now, limit=(limit + 1) // 2
        )
        ids_of_new = {row["id"] for row in new}
        rows = [*new, *(row for row in rows if row["id"] not in ids_of_new)][:limit]
    events = readable("webhook_event", rows, _from_row, unreadable=partial(_give_up, tx))
    ids = [event.id for event in events]
    if ids:
        sql = f"""
            UPDATE webhook_event SET due_at = :until, claims = claims + 1, last_try_at = :now
            WHERE id IN ({placeholders(ids)})
        """
        until, now = to_text(tx.now + lease), to_text(tx.now)
        tx.run(sql, until=until, now=now, **placeholder_values(ids))
    return [replace(event, claims=event.claims + 1, last_try_at=tx.now) for event in events]


def finish(tx: Tx, event: WebhookEvent, state: EventState, answer: WebhookResponse) -> bool:
    """Records the last try. False: the event was claimed again since."""
    sql = f"""
        UPDATE webhook_event
        SET state = :state, due_at = NULL, last_result = :result, last_status = :status
        WHERE {_CLAIMED}
    """
    return tx.run(sql, state=state.value, **_answered(event, answer)) == 1


def put_off(tx: Tx, event: WebhookEvent, answer: WebhookResponse, *, due_at: datetime) -> bool:
    """Schedules another try. Returns False if it was claimed again since."""
    sql = f"""
        UPDATE webhook_event
        SET due_at = :due_at, tries = tries + 1, last_result = :result, last_status = :status
        WHERE {_CLAIMED}
    """
    return tx.run(sql, due_at=to_text(due_at), **_answered(event, answer)) == 1


def hand_back(tx: Tx, event: WebhookEvent) -> None:
    """Makes an event due at once that was claimed but not sent."""
    sql = f"UPDATE webhook_event SET due_at = :now WHERE {_CLAIMED}"
    tx.run(sql, id=event.id, claims=event.claims, now=to_text(tx.now))


def was_tried(tx: Tx, endpoint_id: str, *, since: datetime) -> bool:
    """Whether an event that waits for an endpoint was tried. Reads all of them only if none was."""
    sql = """
        SELECT 1 FROM webhook_event
        WHERE endpoint_id = :endpoint_id AND due_at IS NOT NULL AND last_try_at >= :since LIMIT 1
    """
    return tx.one(sql, endpoint_id=endpoint_id, since=to_text(since)) is not None


def of_verification(tx: Tx, id: str) -> list[WebhookEvent]:
    """The newest first."""
    sql = "SELECT * FROM webhook_event WHERE verification_id = :id ORDER BY created_at DESC"
    return readable("webhook_event", tx.all(sql, id=id), _from_row)


def newest(tx: Tx, *, limit: int, state: EventState | None = None) -> list[WebhookEvent]:
    """The newest first."""
    # One range of the index for each state, merged: the table grows with use.
    states = [state] if state else list(EventState)
    events: list[WebhookEvent] = []
    for one in states:
        sql = """
            SELECT * FROM webhook_event WHERE state = :state
            ORDER BY created_at DESC LIMIT :limit
        """
        rows = tx.all(sql, state=one.value, limit=limit)
        events += readable("webhook_event", rows, _from_row)
    return sorted(events, key=lambda event: event.created_at, reverse=True)[:limit]


def count_pending(tx: Tx, endpoint_id: str) -> int:
    """Counts pending events, up to COUNTED."""
    sql = """
        SELECT count(*) AS count FROM (SELECT 1 FROM webhook_event
            WHERE endpoint_id = :endpoint_id AND due_at IS NOT NULL LIMIT :limit) AS waiting
    """
    return count_of(tx.one(sql, endpoint_id=endpoint_id, limit=COUNTED))


def oldest_pending_at(tx: Tx, endpoint_id: str) -> datetime | None:
    """When the oldest pending event was written. If there are more than COUNTED, only those due
    first are considered."""
    sql = """
        SELECT min(created_at) AS created_at FROM (SELECT created_at FROM webhook_event
            WHERE endpoint_id = :endpoint_id AND due_at IS NOT NULL
            ORDER BY due_at LIMIT :limit) AS waiting
    """
    row = tx.one(sql, endpoint_id=endpoint_id, limit=COUNTED)
    return to_instant_if_readable(row["created_at"]) if row else None


def drop_old(tx: Tx, state: EventState, *, before: datetime, limit: int) -> int:
    sql = """
        DELETE FROM webhook_event WHERE state = :state AND id IN (
            SELECT id FROM webhook_event
            WHERE state = :state AND created_at < :before
                AND coalesce(last_try_at, created_at) < :before
            ORDER BY created_at LIMIT :limit
        )
    """
    return tx.run(sql, state=state.value, before=to_text(before), limit=limit)


def _answered(event: WebhookEvent, answer: WebhookResponse) -> dict[str, Value]:
    """The parameters of _CLAIMED and of the columns for the answer."""
    result, status = answer.result.value, answer.status
    return {"id": event.id, "claims": event.claims, "result": result, "status": status}


def _give_up(tx: Tx, id: str) -> None:
    tx.run("UPDATE webhook_event SET state = 'failed', due_at = NULL WHERE id = :id", id=id)


def _from_row(row: Row) -> WebhookEvent:
    return WebhookEvent(
        id=row["id"],
        endpoint_id=row["endpoint_id"],
        verification_id=row["verification_id"],
        type=row["type"],
        body=row["body"],
        state=EventState(row["state"]),
        created_at=to_instant(row["created_at"]),
        due_at=to_instant_or_none(row["due_at"]),
        claims=row["claims"],
        tries=row["tries"],
        last_try_at=to_instant_or_none(row["last_try_at"]),
        last_result=row["last_result"],
        last_status=row["last_status"],
    )
