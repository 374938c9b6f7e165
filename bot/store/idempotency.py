"""The table `idempotency`: what a start with an Idempotency-Key began."""

from collections.abc import Collection
from datetime import timedelta

from bot.store.rows import Value, placeholder_values, placeholders, to_text
from bot.store.tx import Tx

KEPT = timedelta(hours=24)


def load(
    tx: Tx, *, started_by: str, caller_keys: Collection[str] = (), key: str, phone: str
) -> str | None:
    """The id of the verification that the same start began within the last day. `caller_keys`: the
    fingerprints of the caller's keys, which may have had another name then."""
    params: dict[str, Value] = {"key": key, "phone": phone, "after": to_text(tx.now - KEPT)}
    sql = """
        SELECT verification_id FROM idempotency
        WHERE started_by = :started_by AND key = :key AND phone = :phone AND created_at > :after
    """
    row = tx.one(sql, started_by=started_by, **params)
    if row is None and caller_keys:
        marks = sorted(caller_keys)
        sql = f"""
            SELECT i.verification_id FROM verification v
            JOIN idempotency i ON i.verification_id = v.id
            WHERE v.phone = :phone AND v.created_at > :after
                AND v.caller_key IN ({placeholders(marks)})
                AND i.key = :key AND i.created_at > :after
            ORDER BY i.created_at DESC LIMIT 1
        """
        row = tx.one(sql, **params, **placeholder_values(marks))
    return row["verification_id"] if row else None


def add(tx: Tx, *, started_by: str, key: str, phone: str, verification_id: str) -> None:
    sql = """
        INSERT INTO idempotency (started_by, key, phone, verification_id, created_at)
        VALUES (:started_by, :key, :phone, :id, :now)
        ON CONFLICT (started_by, key, phone) DO UPDATE
        SET verification_id = excluded.verification_id, created_at = excluded.created_at
    """
    now = to_text(tx.now)
    tx.run(sql, started_by=started_by, key=key, phone=phone, id=verification_id, now=now)
