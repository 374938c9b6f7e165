"""The table `disown`: numbers whose holder replied NO to a code."""

from datetime import datetime, timedelta

from bot.store.rows import to_instant_if_readable, to_text
from bot.store.tx import Tx

LASTS = timedelta(hours=24)


def mark(tx: Tx, phone: str) -> None:
    sql = """
        INSERT INTO disown (phone, since) VALUES (:phone, :now)
        ON CONFLICT (phone) DO UPDATE SET since = excluded.since
    """
    tx.run(sql, phone=phone, now=to_text(tx.now))


def ends_at(tx: Tx, phone: str) -> datetime | None:
    """The instant from which the number can be texted again; None: now."""
    row = tx.one("SELECT since FROM disown WHERE phone = :phone", phone=phone)
    if row is None:
        return None
    ends = (to_instant_if_readable(row["since"]) or tx.now) + LASTS
    return ends if tx.now < ends else None


def unmark(tx: Tx, phone: str) -> bool:
    """False: it was not marked."""
    return tx.run("DELETE FROM disown WHERE phone = :phone", phone=phone) == 1


def drop_old(tx: Tx, *, limit: int) -> int:
    sql = """
        DELETE FROM disown WHERE since <= :before AND phone IN (
            SELECT phone FROM disown WHERE since <= :before ORDER BY since LIMIT :limit)
    """
    return tx.run(sql, before=to_text(tx.now - LASTS), limit=limit)
