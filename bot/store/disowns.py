"""The table `disown`: numbers whose holder replied NO to a code."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.store import usage
from bot.store.rows import (
    Row,
    placeholder_values,
    placeholders,
    to_instant_if_readable,
    to_text,
)
from bot.store.tx import Tx

LASTS = timedelta(hours=24)


def mark(tx: Tx, phone: str, *, since: datetime) -> None:
    """`since`: when the NO was sent; a later one stays."""
    sql = """
        INSERT INTO disown (phone, since) VALUES (:phone, :since)
        ON CONFLICT (phone) DO UPDATE SET since = excluded.since
        WHERE excluded.since > disown.since
    """
    tx.run(sql, phone=phone, since=to_text(since))


def ends_at(tx: Tx, phone: str) -> datetime | None:
    """The instant from which the number can be texted again; None: now. An approval since the NO
    lifts it."""
    row = tx.one("SELECT phone, since FROM disown WHERE phone = :phone", phone=phone)
    return _ends_at(tx, row) if row else None


def among(tx: Tx, phones: Sequence[str]) -> set[str]:
    """Those of the numbers that cannot be texted now."""
    sql = f"SELECT phone, since FROM disown WHERE phone IN ({placeholders(phones)})"
    rows = tx.all(sql, **placeholder_values(phones))
    return {row["phone"] for row in rows if _ends_at(tx, row) is not None}


def _ends_at(tx: Tx, row: Row) -> datetime | None:
    since = min(to_instant_if_readable(row["since"]) or tx.now, tx.now)
    ends_at = since + LASTS
    is_over = tx.now >= ends_at or usage.was_approved(tx, row["phone"], since=since)
    return None if is_over else ends_at


def unmark(tx: Tx, phone: str) -> bool:
    """Removes the mark, readable or not. False: there was none."""
    return tx.run("DELETE FROM disown WHERE phone = :phone", phone=phone) == 1


def unmark_until(tx: Tx, phone: str, *, until: datetime) -> None:
    """Removes a mark of `until` or earlier."""
    sql = "DELETE FROM disown WHERE phone = :phone AND since <= :until"
    tx.run(sql, phone=phone, until=to_text(until))


def drop_old(tx: Tx, *, limit: int) -> int:
    sql = """
        DELETE FROM disown WHERE since <= :before AND phone IN (
            SELECT phone FROM disown WHERE since <= :before ORDER BY since LIMIT :limit)
    """
    return tx.run(sql, before=to_text(tx.now - LASTS), limit=limit)
