"""Rows that are set aside, since they cannot be read or carried out: nothing looks for them until a
dispatcher starts anew. Both tables with work to do have a `due_at`, which is NULL where there is
none, and `NEVER` in such a row."""

from bot.store.rows import Row, to_text
from bot.store.tx import Tx

NEVER = "9999-12-31T00:00:00.000000Z"

_TABLES = ("outbox", "verification")


def lock_work(tx: Tx, table: str, *, limit: int) -> list[Row]:
    """Rows with work to do, readable or not, the soonest due first; what others hold is passed
    over."""
    sql = f"""
        SELECT * FROM {table} WHERE due_at IS NOT NULL AND due_at <> :never
        ORDER BY due_at LIMIT :limit
    """
    return tx.lock_free(sql, never=NEVER, limit=limit)


def has_work(tx: Tx, table: str) -> bool:
    """Whether there is a row with work to do, readable or not."""
    sql = f"SELECT 1 FROM {table} WHERE due_at IS NOT NULL AND due_at <> :never LIMIT 1"
    return tx.one(sql, never=NEVER) is not None


def count(tx: Tx) -> int:
    """How many rows are set aside."""
    return sum(_count(tx, table) for table in _TABLES)


def try_again(tx: Tx) -> int:
    """They may have been mended. Returns how many there are."""
    return sum(
        tx.run(
            f"UPDATE {table} SET due_at = :now WHERE due_at = :never",
            now=to_text(tx.now),
            never=NEVER,
        )
        for table in _TABLES
    )


def _count(tx: Tx, table: str) -> int:
    row = tx.one(f"SELECT count(*) AS count FROM {table} WHERE due_at = :never", never=NEVER)
    return int(row["count"]) if row else 0
