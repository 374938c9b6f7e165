"""The table `daily_count`: what is left of verifications that are no longer kept."""

from collections import Counter
from collections.abc import Iterable

from bot.domain.verification import Verification
from bot.store.tx import Tx, to_text


def add(tx: Tx, verifications: Iterable[Verification]) -> None:
    sql = """
        INSERT INTO daily_count (day, country, status, count)
        VALUES (:day, :country, :status, :count)
        ON CONFLICT (day, country, status) DO UPDATE
        SET count = daily_count.count + excluded.count
    """
    kinds = Counter((to_text(v.created_at)[:10], v.country, v.status) for v in verifications)
    for (day, country, status), count in kinds.items():
        tx.run(sql, day=day, country=country, status=status.value, count=count)


def all_of(tx: Tx) -> dict[tuple[str, str, str], int]:
    """Counts by day, country and status."""
    rows = tx.all("SELECT day, country, status, count FROM daily_count")
    return {(row["day"], row["country"], row["status"]): row["count"] for row in rows}
