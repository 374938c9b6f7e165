"""The table `audit`: what operators did, and who signed in. Append-only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bot.domain.ids import new_id
from bot.domain.operators import Action, Via
from bot.store.paging import PageRequest, read_page
from bot.store.rows import Row, count_of, to_instant, to_text
from bot.store.tx import Tx

KEPT = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Entry:
    operator: str
    via: Via
    action: Action
    verification_id: str | None = None
    masked_phone: str | None = None
    detail: str = ""  # an address, the id of an event or endpoint, a count


@dataclass(frozen=True, slots=True)
class AuditLine:
    id: str
    at: datetime
    entry: Entry


@dataclass(frozen=True, slots=True)
class AuditFilter(PageRequest):
    operator: str = ""
    action: Action | None = None
    at_from: datetime | None = None
    at_to: datetime | None = None


def add(tx: Tx, entry: Entry, *, at: datetime) -> None:
    sql = """
        INSERT INTO audit (id, at, operator, via, action, verification_id, masked_phone, detail)
        VALUES (:id, :at, :operator, :via, :action, :verification_id, :masked_phone, :detail)
    """
    tx.run(
        sql,
        id=new_id(),  # ordered by time, so that two entries of one instant keep their order
        at=to_text(at),
        operator=entry.operator,
        via=entry.via.value,
        action=entry.action.value,
        verification_id=entry.verification_id,
        masked_phone=entry.masked_phone,
        detail=entry.detail,
    )


def find(tx: Tx, wanted: AuditFilter) -> list[AuditLine]:
    """A page, newest first. Unless both operator and action are given, it is a range of one index,
    and no more rows are read than the page holds."""
    return read_page("audit", _from_row, partial(_rows, tx), wanted, at="at")


def _rows(tx: Tx, filter: AuditFilter) -> list[Row]:
    at, id = filter.after or (None, "")
    # With two upper bounds SQLite may begin at the later one and read too much, so use only one.
    at_to = min((instant for instant in (at, filter.at_to) if instant), default=None)
    conditions = {
        "operator = :operator": bool(filter.operator),
        # The index of the operator is read where both are given.
        "(action = :action) IS TRUE": bool(filter.action and filter.operator),
        "action = :action": bool(filter.action and not filter.operator),
        "at >= :at_from": filter.at_from is not None,
        "at <= :at_to": at_to is not None,
        "(at, id) < (:after_at, :after_id)": filter.after is not None,
    }
    where = " AND ".join(sql for sql, is_wanted in conditions.items() if is_wanted) or "TRUE"
    sql = f"SELECT * FROM audit WHERE {where} ORDER BY at DESC, id DESC LIMIT :limit"
    return tx.all(
        sql,
        limit=filter.limit,
        operator=filter.operator,
        action=filter.action.value if filter.action else "",
        at_from=to_text(filter.at_from) if filter.at_from else "",
        at_to=to_text(at_to) if at_to else "",
        after_at=to_text(at) if at else "",
        after_id=id,
    )


def count_since(tx: Tx, action: Action, since: datetime, *, at_most: int) -> int:
    """How many there are since then, and not in the future."""
    sql = """
        SELECT count(*) AS count FROM (
            SELECT 1 FROM audit
            WHERE action = :action AND at >= :since AND at <= :now LIMIT :at_most) AS found
    """
    since_text, now = to_text(since), to_text(tx.now)
    return count_of(tx.one(sql, action=action.value, since=since_text, now=now, at_most=at_most))


def drop_old(tx: Tx, *, limit: int) -> int:
    sql = """
        DELETE FROM audit WHERE id IN (
            SELECT id FROM audit WHERE at < :before ORDER BY at LIMIT :limit)
    """
    return tx.run(sql, before=to_text(tx.now - KEPT), limit=limit)


def _from_row(row: Row) -> AuditLine:
    entry = Entry(
        operator=row["operator"],
        via=Via(row["via"]),
        action=Action(row["action"]),
        verification_id=row["verification_id"],
        masked_phone=row["masked_phone"],
        detail=row["detail"],
    )
    return AuditLine(row["id"], to_instant(row["at"]), entry)
