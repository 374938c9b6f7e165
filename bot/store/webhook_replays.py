"""The table `webhook_event`: events that are queued again, each with a new schedule of tries."""

from collections.abc import Sequence
from datetime import datetime

from bot.store.rows import placeholder_values, placeholders, to_text
from bot.store.tx import Tx

_QUEUE = """
    UPDATE webhook_event SET state = 'pending', due_at = :now, tries = 0, claims = claims + 1
"""


def queue_again(tx: Tx, ids: Sequence[str]) -> int:
    """Queues events again with the same ids and bytes; each begins its schedule of tries again.
    Returns how many still exist."""
    sql = f"{_QUEUE} WHERE id IN ({placeholders(ids)})"
    return tx.run(sql, now=to_text(tx.now), **placeholder_values(ids))


def queue_waiting_again(tx: Tx, endpoint_id: str, *, since: datetime, limit: int) -> int:
    """Queues pending events of an endpoint again, at most `limit`: those overdue since before
    `since`, then those put off, unless they were tried after `since`. Each range of the index loses
    what is queued, so a further call reads none of it. Returns how many."""
    ids: list[str] = []
    for waiting in ("due_at < :since", "due_at > :now"):
        sql = f"""
            SELECT id FROM webhook_event
            WHERE endpoint_id = :id AND {waiting} AND coalesce(last_try_at, created_at) <= :since
            ORDER BY due_at LIMIT :limit
        """
        instants = {"since": to_text(since), "now": to_text(tx.now)}
        rows = tx.lock_skip_locked(sql, id=endpoint_id, limit=limit - len(ids), **instants)
        ids += [row["id"] for row in rows]
    return queue_again(tx, ids)


def queue_due_again(tx: Tx, endpoint_id: str, *, since: datetime) -> None:
    """Queues an endpoint's events again whose next try has fallen due since `since`. Reads each
    due event once."""
    sql = f"""
        {_QUEUE}
        WHERE endpoint_id = :id AND due_at >= :since AND due_at <= :now AND tries > 0
            AND last_try_at <= :since
    """
    tx.run(sql, id=endpoint_id, since=to_text(since), now=to_text(tx.now))


def verifications_of(tx: Tx, ids: Sequence[str]) -> list[str]:
    """Ids of the verifications that these events tell of, each once. A test tells of none."""
    sql = f"""
        SELECT DISTINCT verification_id FROM webhook_event
        WHERE id IN ({placeholders(ids)}) AND verification_id IS NOT NULL
    """
    return [row["verification_id"] for row in tx.all(sql, **placeholder_values(ids))]


def queue_failed_again(tx: Tx, *, since: datetime, limit: int) -> list[str]:
    """Queues events again whose last try since `since` failed, at most `limit`: first those that
    have failed for good, then those that wait for their next try. Returns their ids."""
    ids: list[str] = []
    for failed in ("state = 'failed'", "state = 'pending' AND tries > 0 AND due_at > :now"):
        sql = f"""
            SELECT id FROM webhook_event
            WHERE {failed} AND coalesce(last_try_at, created_at) >= :since
            ORDER BY created_at LIMIT :limit
        """
        instants = {"since": to_text(since), "now": to_text(tx.now)}
        rows = tx.lock_skip_locked(sql, limit=limit - len(ids), **instants)
        ids += [row["id"] for row in rows]
    queue_again(tx, ids)
    return ids


def move(tx: Tx, source: str, target: str, *, limit: int) -> list[str]:
    """Queues undelivered events of one endpoint for another one, at most `limit`: first those that
    wait, then those that have failed. Returns their ids."""
    ids: list[str] = []
    for undelivered in ("due_at IS NOT NULL", "state = 'failed'"):
        sql = f"SELECT id FROM webhook_event WHERE endpoint_id = :id AND {undelivered} LIMIT :limit"
        rows = tx.lock_skip_locked(sql, id=source, limit=limit - len(ids))
        ids += [row["id"] for row in rows]
    if ids:
        sql = f"{_QUEUE}, endpoint_id = :target WHERE id IN ({placeholders(ids)})"
        tx.run(sql, target=target, now=to_text(tx.now), **placeholder_values(ids))
    return ids
