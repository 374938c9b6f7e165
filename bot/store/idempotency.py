"""The table `idempotency`: what a start with an Idempotency-Key began."""

from datetime import timedelta

from bot.store.rows import to_text
from bot.store.tx import Tx

KEPT = timedelta(hours=24)


def recall(tx: Tx, *, started_by: str, key: str, phone: str) -> str | None:
    """The id of the verification that the same start began within the last day."""
    sql = """
        SELECT verification_id FROM idempotency
        WHERE started_by = :started_by AND key = :key AND phone = :phone AND created_at > :after
    """
    after = to_text(tx.now - KEPT)
    row = tx.one(sql, started_by=started_by, key=key, phone=phone, after=after)
    return row["verification_id"] if row else None


def remember(tx: Tx, *, started_by: str, key: str, phone: str, verification_id: str) -> None:
    sql = """
        INSERT INTO idempotency (started_by, key, phone, verification_id, created_at)
        VALUES (:started_by, :key, :phone, :id, :now)
        ON CONFLICT (started_by, key, phone) DO UPDATE
        SET verification_id = excluded.verification_id, created_at = excluded.created_at
    """
    now = to_text(tx.now)
    tx.run(sql, started_by=started_by, key=key, phone=phone, id=verification_id, now=now)
