"""Sets stored instants that are later than the clock back to it, once the clock is right.

Verifications that began while the clock was ahead are shifted back, all by the same amount: by how
far their newest timestamp is ahead. So the order of their starts, deadlines and ends is kept.
"""

from bot.store.rows import Value, to_instant, to_text
from bot.store.tx import Tx

_CLAMPED = {
    "history": ("at",),
    "audit": ("at",),
    "usage": ("at",),
    "inbound": ("received_at",),
    "opt_out": ("since", "last_tried"),
    "idempotency": ("created_at",),
    "circuit": ("since", "probe_at"),
    "erasure": ("due_at",),
    "metric_sample": ("at",),
    "heartbeat": ("beat_at", "judged_until"),
    "time_mark": ("at", "steady_since"),
    "disown": ("since",),
    "webhook_event": ("created_at", "last_try_at"),
    "webhook_endpoint": ("failing_since", "disabled_at"),
}
_SHIFTED = (
    "created_at",
    "first_try_at",
    "accepted_at",
    "newest_send_at",
    "deadline_at",
    "ended_at",
    "updated_at",
)


def set_back(tx: Tx, *, to: str) -> int:
    """Sets stamps that are later than `to` back. Returns how many rows changed."""
    count = _shift_verifications(tx, to) + _clamp_tries(tx, to)
    for table, columns in _CLAMPED.items():
        for column in columns:
            sql = f"UPDATE {table} SET {column} = :clock WHERE {column} > :clock"
            count += tx.run(sql, clock=to)
    return count


def _clamp_tries(tx: Tx, to: str) -> int:
    """The next try of an event is always in the future, up to half a day. So it is set back only if
    it was set while the clock was ahead. Call this before other stamps are changed."""
    sql = """
        UPDATE webhook_event SET due_at = :clock
        WHERE due_at > :clock AND (created_at > :clock OR last_try_at > :clock)
    """
    return tx.run(sql, clock=to)


def _shift_verifications(tx: Tx, to: str) -> int:
    """Shifts verifications begun while the clock was ahead. One begun before keeps its stamps: it
    ended by its deadline, which was set before."""
    rows = tx.all("SELECT * FROM verification WHERE created_at > :clock", clock=to)
    newest = max((row["updated_at"] for row in rows), default=to)
    ahead = to_instant(max(newest, to)) - to_instant(to)
    for row in rows:
        changed: dict[str, Value] = {
            name: to_text(to_instant(row[name]) - ahead) for name in _SHIFTED if row[name]
        }
        sets = ", ".join(f"{name} = :{name}" for name in changed)
        tx.run(f"UPDATE verification SET {sets} WHERE id = :id", id=row["id"], **changed)
    return len(rows)
