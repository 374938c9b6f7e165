"""The table `disown`: numbers whose holder replied NO to a code."""

from datetime import UTC, datetime, timedelta

from bot.store.rows import to_instant_if_readable, to_text
from bot.store.tx import Tx

LASTS = timedelta(hours=24)
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)


def mark(tx: Tx, phone: str, *, since: datetime) -> None:
    """`since`: when the NO was sent; a later one stays."""
    sql = """
        INSERT INTO disown (phone, since) VALUES (:phone, :since)
        ON CONFLICT (phone) DO UPDATE SET since = excluded.since
        WHERE excluded.since > disown.since
    """
    tx.run(sql, phone=phone, since=to_text(since))


def ends_at(tx: Tx, phone: str) -> datetime | None:
    """The instant from which the number can be texted again; None: now."""
    row = tx.one("SELECT since FROM disown WHERE phone = :phone", phone=phone)
    if row is None:
        return None
    ends = (to_instant_if_readable(row["since"]) or tx.now) + LASTS
    return ends if tx.now < ends else None


def unmark(tx: Tx, phone: str, *, until: datetime = FOREVER) -> bool:
    """Removes a mark of `until` or earlier. False: there was none."""
    sql = "DELETE FROM disown WHERE phone = :phone AND since <= :until"
    return tx.run(sql, phone=phone, until=to_text(until)) == 1


def drop_old(tx: Tx, *, limit: int) -> int:
    sql = """
        DELETE FROM disown WHERE since <= :before AND phone IN (
            SELECT phone FROM disown WHERE since <= :before ORDER BY since LIMIT :limit)
    """
    return tx.run(sql, before=to_text(tx.now - LASTS), limit=limit)
