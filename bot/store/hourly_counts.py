"""The table `hourly_count`: what happened in each hour and country, counted from the history.

Verifications update no counters, since all of them would wait for the same counter row. Instead the
dispatcher counts the history, a batch at a time. `count_cursor` stores how far it has come; it is
locked and updated in the same transaction, so two dispatchers count nothing twice. Readers add the
rest of the history, so the counts are never behind. History is counted before it is removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.events import EventName
from bot.domain.verification import ENDS
from bot.store.rows import Row, Value, in_parts, placeholder_values, placeholders, to_text
from bot.store.tx import Tx

# Limit on unsettled lines to count: a long transaction, such as a backup, keeps lines unsettled.
UNSETTLED_COUNTED = 10_000
COUNTED_AT_ONCE = 200  # lines of history: a few milliseconds, for which writers wait

# The events that are counted: what costs a text, and each end.
EVENTS = (
    EventName.STARTED,
    EventName.RESEND_ASKED,
    *(EventName(status.value) for status in ENDS),
)

_COUNTS = """
    SELECT substr(h.at, 1, 13) AS hour, v.country, h.event,
        CASE WHEN h.event <> '{approved}' THEN 0 WHEN v.accepted_at IS NULL THEN -1
            ELSE coalesce({seconds}, -1) END AS seconds,
        count(*) AS count
    FROM history h JOIN verification v ON v.id = h.verification_id
    WHERE h.sequence > :after AND {condition} AND h.event IN ({events})
    GROUP BY 1, 2, 3, 4
"""
COLUMNS = ("hour", "country", "event", "seconds")


@dataclass(frozen=True, slots=True)
class HourlyCount:
    hour: str  # 2026-01-31T09, or the day
    country: str
    event: EventName  # started, sent again, or the status it ended with
    seconds: int  # from accepted to approved; -1: unknown when it was accepted
    count: int


def count_more(tx: Tx) -> bool:
    """Counts the next lines of history. False: there were none, or another process counts."""
    cursor = tx.lock_skip_locked("SELECT sequence FROM count_cursor")
    if not cursor:
        return False
    counted_to = int(cursor[0]["sequence"])
    upto = _batch_end(tx, counted_to)
    if upto is None:
        return False
    _count(tx, "h.sequence <= :upto", after=counted_to, upto=upto)
    tx.run("UPDATE count_cursor SET sequence = :upto", upto=upto)
    return True


def count_removed(tx: Tx, ids: Sequence[str]) -> None:
    """Counts the rest of verifications that are about to be removed."""
    after = _lock(tx)
    for some in in_parts(ids):
        _count(
            tx,
            f"h.verification_id IN ({placeholders(some)})",
            after=after,
            **placeholder_values(some),
        )
    tx.run("UPDATE count_cursor SET removals = removals + 1")


def is_behind(tx: Tx) -> bool:
    return _batch_end(tx, _counted_to(tx)) is not None


def since(
    tx: Tx,
    first: datetime,
    *,
    by: Sequence[str] = COLUMNS,
    daily: bool = False,
    only: EventName | None = None,
) -> list[HourlyCount]:
    """Counts from the beginning of the hour (`daily`: the day) of `first`, summed by the columns
    `by`; `only`: of one event. Other columns are empty or 0; the event is `only`, or STARTED.
    Includes lines of history that are not counted yet."""
    width = 10 if daily else 13
    empty = {
        "hour": "''",
        "country": "''",
        "event": f"'{only or EventName.STARTED}'",
        "seconds": "0",
    }
    shown = {**empty, **{name: name for name in by}}
    if "hour" in by:
        shown["hour"] = f"substr(hour, 1, {width})"
    columns = ", ".join(f"{sql} AS {name}" for name, sql in shown.items())
    sql = f"""
        SELECT {columns}, sum(count) AS count FROM (
            SELECT hour, country, event, seconds, count FROM hourly_count WHERE hour >= :first
            UNION ALL
            SELECT hour, country, event, seconds, count FROM ({_counts(tx, "TRUE")}) AS rest
            WHERE hour >= :first
        ) AS every WHERE {f"event = '{only}'" if only else "TRUE"} GROUP BY 1, 2, 3, 4
    """
    rows = tx.all(sql, first=to_text(first)[:width], after=_counted_to(tx))
    return [_from_row(row) for row in rows]


def fold_hours(tx: Tx, *, before: datetime) -> None:
    """Folds the hours of earlier days into one row per day, so that fewer rows must be read for a
    month."""
    _fold(tx, "hour < :day AND length(hour) = 13", "seconds", before)


def fold_old(tx: Tx, *, before: datetime) -> None:
    """Drops the times to answer of old days."""
    _fold(tx, "hour < :day AND seconds <> 0", "0", before)


def _fold(tx: Tx, condition: str, seconds: str, before: datetime) -> None:
    day = to_text(before)[:10]
    _lock(tx)
    tx.run(
        f"""
        INSERT INTO hourly_count (hour, country, event, seconds, count)
        SELECT substr(hour, 1, 10), country, event, {seconds}, sum(count) FROM hourly_count
        WHERE {condition} GROUP BY 1, 2, 3, 4
        ON CONFLICT (hour, country, event, seconds) DO UPDATE
        SET count = hourly_count.count + excluded.count
        """,
        day=day,
    )
    tx.run(f"DELETE FROM hourly_count WHERE {condition}", day=day)


def version(tx: Tx) -> str:
    """A string that changes whenever the history changes. The highest number alone is not enough: a
    line can become visible after one with a higher number. So the version also contains the highest
    settled number, and the count of unsettled lines, since lines may stay unsettled for long."""
    sql = f"""
        SELECT (SELECT max(sequence) FROM history) AS newest,
            (SELECT max(sequence) FROM history WHERE sequence < {tx.horizon}) AS settled,
            (SELECT count(*) FROM (
                SELECT 1 FROM history WHERE sequence >= {tx.horizon} LIMIT :most
            ) AS unsettled) AS unsettled,
            removals
        FROM count_cursor
    """
    row = tx.one(sql, most=UNSETTLED_COUNTED)
    return f"{row['newest']}-{row['settled']}-{row['unsettled']}-{row['removals']}" if row else ""


def _count(tx: Tx, condition: str, **params: Value) -> None:
    sql = f"""
        INSERT INTO hourly_count (hour, country, event, seconds, count)
        {_counts(tx, condition)}
        ON CONFLICT (hour, country, event, seconds) DO UPDATE
        SET count = hourly_count.count + excluded.count
    """
    tx.run(sql, **params)


def _counts(tx: Tx, condition: str) -> str:
    return _COUNTS.format(
        condition=condition,
        approved=EventName.APPROVED,
        events=", ".join(f"'{event}'" for event in EVENTS),
        seconds=tx.seconds("v.accepted_at", "v.ended_at"),
    )


def _batch_end(tx: Tx, counted_to: int) -> int | None:
    """Up to where to count next; None: nothing is new, or not settled yet."""
    sql = f"""
        SELECT max(sequence) AS upto FROM (
            SELECT sequence FROM history WHERE sequence > :after AND sequence < {tx.horizon}
            ORDER BY sequence LIMIT :limit) AS next
    """
    row = tx.one(sql, after=counted_to, limit=COUNTED_AT_ONCE)
    return row["upto"] if row else None


def _counted_to(tx: Tx) -> int:
    row = tx.one("SELECT sequence FROM count_cursor")
    return int(row["sequence"]) if row else 0


def _lock(tx: Tx) -> int:
    row = tx.lock("SELECT sequence FROM count_cursor")
    return int(row["sequence"]) if row else 0


def _from_row(row: Row) -> HourlyCount:
    return HourlyCount(
        row["hour"],
        row["country"],
        EventName(row["event"]),
        row["seconds"],
        int(row["count"]),  # PostgreSQL adds integers up to a Decimal
    )
