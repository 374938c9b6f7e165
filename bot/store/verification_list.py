"""Lists of verifications: pages by filter, what is open, what failed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.verification import FINISHED, Stage, Verification
from bot.store.rows import (
    Row,
    readable,
    to_text,
)
from bot.store.tx import Tx
from bot.store.verification_rows import from_row

EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


LATEST = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ListFilter:
    """The filter of a list. Both times are inclusive; no stages: all of them."""

    limit: int
    created_from: datetime | None = None
    created_to: datetime | None = None
    stages: frozenset[Stage] = frozenset()
    id_prefix: str = ""
    country: str = ""
    phone: str = ""
    tag: str = ""  # the whole of it
    newest_first: bool = False
    after: tuple[datetime, str] | None = None  # creation and id of the last one seen


def find(tx: Tx, wanted: ListFilter) -> list[Verification]:
    """A page, by creation and id; with a prefix by id alone.

    By creation, each status is a range of one index, read no further than the page is long, so the
    page after ten million rows costs what the first one does. New rows come at the end, so a reader
    that goes on from `after` sees each row that stays exactly once.
    """
    if wanted.id_prefix:
        return _find_by_id(tx, wanted)
    # IS TRUE keeps SQLite from answering the OR by other indexes and sorting afterwards.
    ranges = _ranges(wanted.stages)
    rows: list[Row] = []
    is_named = wanted.phone or wanted.tag  # its own index is read, whatever the status
    for condition in [f"({' OR '.join(ranges)}) IS TRUE"] if is_named else ranges:
        rows += _find_range(tx, wanted, condition)
    rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=wanted.newest_first)
    return readable("verification", rows[: wanted.limit], from_row)


def errors_since(tx: Tx, since: datetime) -> list[tuple[int, int]]:
    """Twilio's error codes that ended verifications begun since then, the most frequent first, with
    their counts. Of very many the newest ten thousand tell enough."""
    sql = """
        SELECT error_code, count(*) AS count FROM (
            SELECT error_code FROM verification WHERE status = 'failed' AND created_at >= :since
            ORDER BY created_at DESC LIMIT 10000) AS failed
        WHERE error_code IS NOT NULL GROUP BY error_code ORDER BY count(*) DESC, error_code
    """
    return [(row["error_code"], row["count"]) for row in tx.all(sql, since=to_text(since))]


def _ranges(stages: frozenset[Stage]) -> list[str]:
    wanted = stages or frozenset(Stage)
    open_stages = wanted - FINISHED
    ranges = [f"status = '{stage}'" for stage in sorted(wanted & FINISHED)]
    if open_stages == frozenset(Stage) - FINISHED:
        return ["status = 'pending'", *ranges]
    return [f"status = 'pending' AND {_OPEN_STAGES[stage]}" for stage in open_stages] + ranges


_OPEN_STAGES = {
    Stage.WAITING: "suspended_at IS NULL AND accepted_at IS NULL",
    Stage.RUNNING: "suspended_at IS NULL AND accepted_at IS NOT NULL",
    Stage.SUSPENDED: "suspended_at IS NOT NULL",
}


def _find_range(tx: Tx, wanted: ListFilter, condition: str) -> list[Row]:
    sign, direction = ("<", "DESC") if wanted.newest_first else (">", "ASC")
    # One index alone is to fit: of a number or a tag, what else is wanted is looked up by row.
    if wanted.country:
        is_named = wanted.phone or wanted.tag
        condition += f" AND (country = :country){' IS TRUE' if is_named else ''}"
    if wanted.phone:
        condition += " AND phone = :phone"
    if wanted.tag:
        condition += f" AND (tag = :tag){' IS TRUE' if wanted.phone else ''}"
    if wanted.after is not None:
        condition += f" AND (created_at, id) {sign} (:after_at, :after_id)"
    after_at, after_id = wanted.after or (EARLIEST, "")
    sql = f"""
        SELECT * FROM verification
        WHERE {condition} AND created_at >= :created_from AND created_at <= :created_to
        ORDER BY created_at {direction}, id {direction} LIMIT :limit
    """
    return tx.all(
        sql,
        country=wanted.country,
        phone=wanted.phone,
        tag=wanted.tag,
        after_at=to_text(after_at),
        after_id=after_id,
        created_from=to_text(wanted.created_from or EARLIEST),
        created_to=to_text(wanted.created_to or LATEST),
        limit=wanted.limit,
    )


def _find_by_id(tx: Tx, wanted: ListFilter) -> list[Verification]:
    after_id = wanted.after[1] if wanted.after else ""
    # One lower bound: of two, SQLite may begin its range at the wrong one.
    bound = "id > :lowest" if after_id >= wanted.id_prefix and after_id else "id >= :lowest"
    sql = f"""
        SELECT * FROM verification
        WHERE ({" OR ".join(_ranges(wanted.stages))}) IS TRUE
            AND {bound} AND id < :prefix_end
            AND created_at >= :created_from AND created_at <= :created_to
        ORDER BY id LIMIT :limit
    """
    rows = tx.all(
        sql,
        lowest=max(after_id, wanted.id_prefix),
        prefix_end=wanted.id_prefix + chr(0x10FFFF),
        created_from=to_text(wanted.created_from or EARLIEST),
        created_to=to_text(wanted.created_to or LATEST),
        limit=wanted.limit,
    )
    return readable("verification", rows, from_row)


def open_ones(tx: Tx, *, limit: int) -> list[Verification]:
    """Pending ones, the soonest due first."""
    sql = "SELECT * FROM verification WHERE due_at IS NOT NULL ORDER BY due_at LIMIT :limit"
    return readable("verification", tx.all(sql, limit=limit), from_row)


def count_open(tx: Tx) -> int:
    row = tx.one("SELECT count(*) AS count FROM verification WHERE due_at IS NOT NULL")
    return int(row["count"]) if row else 0
