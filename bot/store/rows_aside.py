"""Sets rows aside that cannot be read or carried out. Dispatchers ignore them until one starts
again. Both tables whose rows can be set aside (`_TABLES`) have a column `due_at`: NULL if a row has
no work, `NEVER` if it is set aside."""

from bot.store.rows import Row, count_of, to_text
from bot.store.tx import Tx

NEVER = "9999-12-31T00:00:00.000000Z"

_TABLES = ("outbox", "verification")


def lock_work(tx: Tx, table: str, *, limit: int) -> list[Row]:
    """Rows with work to do, readable or not, the soonest due first; skips rows that other
    transactions hold."""
    sql = f"""
        SELECT * FROM {table} WHERE due_at IS NOT NULL AND due_at <> :never
        ORDER BY due_at LIMIT :limit
    """
    return tx.lock_skip_locked(sql, never=NEVER, limit=limit)


def has_work(tx: Tx, table: str) -> bool:
    """Whether there is a row with work to do, readable or not."""
    sql = f"SELECT 1 FROM {table} WHERE due_at IS NOT NULL AND due_at <> :never LIMIT 1"
    return tx.one(sql, never=NEVER) is not None


def set_orphans_aside(tx: Tx) -> int:
    """Sets texts aside whose verification was deleted by hand, without foreign keys. Returns how
    many."""
    sql = """
        UPDATE outbox SET state = 'unknown', due_at = :never
        WHERE due_at < :never
            AND NOT EXISTS (SELECT 1 FROM verification v WHERE v.id = verification_id)
    """
    return tx.run(sql, never=NEVER)


def count(tx: Tx) -> int:
    """How many rows are set aside."""
    sql = "SELECT count(*) AS count FROM {} WHERE due_at = :never"
    return sum(count_of(tx.one(sql.format(table), never=NEVER)) for table in _TABLES)


def try_again(tx: Tx) -> int:
    """Makes the rows that are set aside due now, since an operator may have repaired them. Returns
    how many there were."""
    sql, now = "UPDATE {} SET due_at = :now WHERE due_at = :never", to_text(tx.now)
    return sum(tx.run(sql.format(table), now=now, never=NEVER) for table in _TABLES)
