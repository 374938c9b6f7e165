"""Lists of verifications: pages by filter, the pending ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from bot.concurrency.blocking import yield_control
from bot.domain.verification import FINISHED, Stage, Verification
from bot.store.paging import PageCursor, PageRequest, last_cursor, read_page
from bot.store.rows import Row, Value, count_of, readable, to_text
from bot.store.tx import Tx
from bot.store.verification_rows import from_row

EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, tzinfo=UTC)
LONGEST_ID = 256  # characters (schema.sql)
SLICE = 5_000  # ids in one query: about two milliseconds


@dataclass(frozen=True, slots=True)
class ListFilter(PageRequest):
    """The filter of a list. Both times are inclusive; no stages: all of them."""

    created_from: datetime | None = None
    created_to: datetime | None = None
    stages: frozenset[Stage] = frozenset()
    id_prefix: str = ""
    country: str = ""
    phone: str = ""
    last_four: str = ""  # digits of the number
    reference: str = ""
    error_code: int | None = None  # Twilio's, that ended it
    tag: str = ""  # the whole of it
    newest_first: bool = False
    until: PageCursor | None = None  # no further than this one


def find(tx: Tx, filter: ListFilter) -> list[Verification]:
    """A page, ordered by creation and id, or by id if a prefix is given. Later rows replace those
    that cannot be read, so a page that is not full is the last one.

    By creation, each status is a range of one index, read no further than the page is long, so the
    page after ten million rows costs what the first one does. New rows come at the end, so a reader
    that goes on from `after` sees each row that stays exactly once.
    """
    return read_page("verification", from_row, partial(_rows, tx), filter, at="created_at")


def _rows(tx: Tx, filter: ListFilter) -> list[Row]:
    if filter.id_prefix:
        return _rows_by_id(tx, filter)
    direction = "DESC" if filter.newest_first else "ASC"
    rows: list[Row] = []
    for where, params in _by_creation(filter):
        sql = f"""
            SELECT * FROM verification WHERE {where}
            ORDER BY created_at {direction}, id {direction} LIMIT :limit
        """
        rows += tx.all(sql, **params, limit=filter.limit)
    rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=filter.newest_first)
    return rows[: filter.limit]


def count(tx: Tx, filter: ListFilter, *, at_most: int) -> int:
    """Counts the matches of a filter, whatever its page; stops at `at_most`."""
    total = 0
    for where, params in _by_id(tx, filter) if filter.id_prefix else _by_creation(filter):
        sql = f"""
            SELECT count(*) AS count FROM (
                SELECT 1 FROM verification WHERE {where} LIMIT :limit) AS found
        """
        total += count_of(tx.one(sql, **params, limit=at_most - total))
        if total >= at_most:
            break
    return total


def cursor_at(tx: Tx, filter: ListFilter, *, rows: int) -> PageCursor | None:
    """The place of the `rows`-th row that matches the filter's first field of _NAMES, whether or
    not it matches the rest. None: there are no more rows after it, or the filter has no such
    field."""
    names = _names(filter)
    if not names:
        return None
    direction = "DESC" if filter.newest_first else "ASC"
    sql = f"""
        SELECT created_at, id FROM verification WHERE {names[0]} AND {_within(filter)}
        ORDER BY created_at {direction}, id {direction} LIMIT 2 OFFSET :skipped
    """
    found = tx.all(sql, skipped=rows - 1, **_params(filter))
    return last_cursor(found[:1], "created_at") if len(found) > 1 else None


def narrows_a_name(filter: ListFilter) -> bool:
    """Whether the query reads rows that the rest of the filter rejects."""
    names = _names(filter)
    return bool(names) and bool(len(names) > 1 or filter.country or filter.stages)


def errors_since(tx: Tx, since: datetime) -> list[tuple[int, int]]:
    """Twilio's error codes that ended verifications begun since then, the most frequent first, with
    their counts, among the newest ten thousand failures."""
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


# Each of these has an index of its own, by creation. It is read whatever else is wanted.
_NAMES = {
    "phone": "phone = :phone",
    "last_four": "substr(phone, length(phone) - 3) = :last_four",
    "error_code": "error_code = :error_code",
    "tag": "tag = :tag",
    "reference": "reference = :reference",
}


def _names(filter: ListFilter) -> list[str]:
    return [sql for field, sql in _NAMES.items() if getattr(filter, field)]


def _by_creation(filter: ListFilter) -> Iterator[tuple[str, dict[str, Value]]]:
    """Conditions for a list by creation, with their values: one for each index range to read."""
    within, params = _within(filter), _params(filter)
    for condition in _conditions(filter):
        yield f"{condition} AND {within}", params


def _conditions(filter: ListFilter) -> list[str]:
    """SQL conditions, one for each index range to read. `IS TRUE` prevents the database from using
    another index, or several indexes for an OR, since it would then have to sort the rows."""
    ranges, names = _ranges(filter.stages), _names(filter)
    if not names:
        country = " AND country = :country" if filter.country else ""
        return [f"{one}{country}" for one in ranges]
    others = [*names[1:], *(["country = :country"] if filter.country else [])]
    if filter.stages:
        others.append(" OR ".join(ranges))
    return [" AND ".join([names[0], *(f"({other}) IS TRUE" for other in others)])]


def _within(filter: ListFilter) -> str:
    """The condition for the part of an index between two instants, and between two places."""
    before, after = ("<", ">=") if filter.newest_first else (">", "<=")
    # The places bound the instants too (`_params`): of two bounds, SQLite may begin its range at
    # the wider one and read all that lies between.
    parts = ["created_at >= :created_from AND created_at <= :created_to"]
    if filter.after is not None:
        parts.append(f"(created_at, id) {before} (:after_at, :after_id)")
    if filter.until is not None:
        parts.append(f"(created_at, id) {after} (:until_at, :until_id)")
    return " AND ".join(parts)


def _params(filter: ListFilter) -> dict[str, Value]:
    after_at, after_id = filter.after or (EARLIEST, "")
    until_at, until_id = filter.until or (EARLIEST, "")
    ends = (filter.after, filter.until)
    newest, oldest = ends if filter.newest_first else ends[::-1]
    lower = max(at for at in (filter.created_from or EARLIEST, oldest and oldest[0]) if at)
    upper = min(at for at in (filter.created_to or LATEST, newest and newest[0]) if at)
    return {
        "country": filter.country,
        **{field: getattr(filter, field) for field in _NAMES},
        "after_at": to_text(after_at),
        "after_id": after_id,
        "until_at": to_text(until_at),
        "until_id": until_id,
        "created_from": to_text(lower),
        "created_to": to_text(upper),
    }


def _rows_by_id(tx: Tx, filter: ListFilter) -> list[Row]:
    rows: list[Row] = []
    for where, params in _by_id(tx, filter):
        sql = f"SELECT * FROM verification WHERE {where} ORDER BY id LIMIT :limit"
        rows += tx.all(sql, **params, limit=filter.limit - len(rows))
        if len(rows) >= filter.limit:
            break
    return rows


def _by_id(tx: Tx, filter: ListFilter) -> Iterator[tuple[str, dict[str, Value]]]:
    """Conditions for an id prefix, with their values: one for each slice of ids. With a rare status
    one query could read a million rows and find nothing, and would hold up others meanwhile."""
    stages = " OR ".join(_ranges(filter.stages))
    after_id = filter.after[1] if filter.after else ""
    # One lower bound: of two, SQLite may begin its range at the wrong one.
    begins = "id > :lowest" if after_id >= filter.id_prefix and after_id else "id >= :lowest"
    params: dict[str, Value] = {
        "lowest": max(after_id, filter.id_prefix),
        "prefix_end": filter.id_prefix + chr(0x10FFFF) * LONGEST_ID,
        "created_from": to_text(filter.created_from or EARLIEST),
        "created_to": to_text(filter.created_to or LATEST),
    }
    while True:
        sql = f"SELECT id FROM verification WHERE {begins} AND id < :prefix_end"
        last = tx.one(f"{sql} ORDER BY id LIMIT 1 OFFSET :skipped", **params, skipped=SLICE - 1)
        ends = "id <= :highest" if last else "id < :prefix_end"
        where = f"""
            ({stages}) IS TRUE AND {begins} AND {ends}
                AND created_at >= :created_from AND created_at <= :created_to
        """
        params["highest"] = last["id"] if last else ""
        yield where, dict(params)
        if last is None:
            return
        params["lowest"], begins = last["id"], "id > :lowest"
        yield_control()


def pending(tx: Tx, *, limit: int) -> list[Verification]:
    """Pending ones, the soonest due first."""
    sql = "SELECT * FROM verification WHERE due_at IS NOT NULL ORDER BY due_at LIMIT :limit"
    return readable("verification", tx.all(sql, limit=limit), from_row)


def count_pending(tx: Tx) -> int:
    return count_of(tx.one("SELECT count(*) AS count FROM verification WHERE due_at IS NOT NULL"))
