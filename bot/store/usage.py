"""The table `usage`: what counts against limits.

It is separate from the verifications because those can be purged, and a purge must not allow more
starts. An approval is a row of its own and changes no other, so the numbers grow and followers
read each row once; they need not see what `lift_newest`, `lift_all`, `remove` and `drop_old`
change.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.effects import UsageKind
from bot.domain.limits import Limit
from bot.store.rows import Row, Value, count_of, readable, to_instant, to_text
from bot.store.tx import Tx

LIFTED = "lifted"  # a start that no longer counts against its number

# Our transactions that add usage never last longer than this. Rows that are older are followed even
# beyond the horizon: another program's transaction may hold the horizon back for hours, and the
# rate limits would then admit everything.
SETTLED = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Usage:
    number: int
    kind: UsageKind  # never WRONG (`after` skips it); a lifted start is read as START
    phone: str
    country: str
    started_by: str
    run_id: str  # `domain/ids.run_id`
    at: datetime


def add(tx: Tx, kind: UsageKind, *, phone: str, country: str, started_by: str, run_id: str) -> None:
    """`run_id`: of the verification; an approval offsets the starts with the same `run_id`."""
    sql = """
        INSERT INTO usage (kind, phone, country, started_by, verification_id, at)
        VALUES (:kind, :phone, :country, :started_by, :id, :now)
    """
    tx.run(
        sql,
        kind=kind.value,
        phone=phone,
        country=country,
        started_by=started_by,
        id=run_id,
        now=to_text(tx.now),
    )


def lift_newest(tx: Tx, *, phone: str, run_id: str) -> None:
    """Lifts the newest text of a verification: it no longer counts against its number."""
    sql = """
        UPDATE usage SET kind = 'lifted' WHERE number = (
            SELECT max(number) FROM usage
            WHERE phone = :phone AND kind IN ('start', 'probe') AND verification_id = :id)
    """
    tx.run(sql, phone=phone, id=run_id)


def hit(
    tx: Tx, kind: UsageKind, limits: Iterable[Limit], *, phone: str
) -> tuple[Limit, int] | None:
    """The limit of a number that is reached, with the seconds until it has room again. If several
    are reached, the one that takes longest."""
    hits = []
    for limit in limits:
        nth = _nth_newest(tx, kind, limit, phone)
        seconds = limit.retry_after_seconds(nth_newest=nth, now=tx.now)
        if seconds is not None:
            hits.append((limit, seconds))
    return max(hits, key=lambda pair: pair[1], default=None)


def used(tx: Tx, kind: UsageKind, limit: Limit, *, phone: str) -> int:
    """How much of a number's limit counts now, up to the whole of it."""
    sql = f"SELECT count(*) AS count FROM ({_COUNTED} LIMIT :most) AS newest"
    return count_of(tx.one(sql, most=limit.amount, **_in_window(tx, kind, limit, phone)))


def wrong_left(tx: Tx, limits: Iterable[Limit], *, phone: str) -> int | None:
    """How many more wrong answers a number may give before a limit is reached; None: any number."""
    left = (limit.amount - used(tx, UsageKind.WRONG, limit, phone=phone) for limit in limits)
    return min(left, default=None)


def count_wrong(tx: Tx, phone: str, *, run_id: str, most: int) -> int:
    """How many wrong answers of a verification count, up to `most`."""
    sql = """
        SELECT count(*) AS count FROM (
            SELECT 1 FROM usage
            WHERE phone = :phone AND kind = 'wrong' AND verification_id = :id LIMIT :most
        ) AS counted
    """
    return count_of(tx.one(sql, phone=phone, id=run_id, most=most))


def lift_all(tx: Tx, phone: str) -> int:
    """Lifts the limits of a number. Returns how much counted. Nothing else changes: its starts
    still count for its country, and its approvals stay known."""
    lifted = tx.run(
        "UPDATE usage SET kind = 'lifted' WHERE phone = :phone AND kind IN ('start', 'probe')",
        phone=phone,
    )
    return lifted + tx.run("DELETE FROM usage WHERE phone = :phone AND kind = 'wrong'", phone=phone)


def remove(tx: Tx, phone: str) -> int:
    """Removes all rows of a number. Returns how many."""
    return tx.run("DELETE FROM usage WHERE phone = :phone", phone=phone)


def after(tx: Tx, number: int, *, since: datetime, limit: int) -> list[Usage]:
    """The rows after row `number`, of all phone numbers, except wrong answers, in the order of
    writing."""
    sql = f"""
        SELECT number AS id, number, kind, phone, country, started_by, verification_id, at
        FROM usage WHERE number > :number AND (number < {tx.horizon} OR at < :settled)
            AND number < coalesce((
                SELECT min(number) FROM usage
                WHERE number > :number AND number >= {tx.horizon}
                    AND at >= :settled AND at <= :now
            ), {2**63 - 1})
            AND at > :since AND kind <> 'wrong'
        ORDER BY number LIMIT :limit
    """
    now, settled = to_text(tx.now), to_text(tx.now - SETTLED)
    rows = tx.all(sql, number=number, since=to_text(since), settled=settled, now=now, limit=limit)
    if len(rows) == limit:  # more rows may share the last number: leave them all for the next call
        rows = [row for row in rows if row["number"] != rows[-1]["number"]]
    return readable("usage", rows, _from_row)


def starts_after(tx: Tx, number: int) -> list[tuple[str, str, str, int]]:
    """Country, caller, newest instant as text, and count of the starts after row `number`, of this
    transaction too, by the second: on PostgreSQL they may be half a minute old (`SETTLED`), which
    is longer than the window of a short limit."""
    sql = """
        SELECT country, started_by, max(at) AS at, count(*) AS count FROM usage
        WHERE number > :number AND kind IN ('start', 'probe', 'lifted')
        GROUP BY country, started_by, substr(at, 1, 19)
    """
    rows = tx.all(sql, number=number)
    return [(row["country"], row["started_by"], row["at"], row["count"]) for row in rows]


def was_approved(tx: Tx, phone: str, *, since: datetime) -> bool:
    sql = """
        SELECT 1 FROM usage
        WHERE phone = :phone AND kind = 'approval' AND at > :since LIMIT 1
    """
    return tx.one(sql, phone=phone, since=to_text(since)) is not None


def first_since(tx: Tx, since: datetime) -> int:
    """The number from which to follow the table: the one before the first row after `since`.
    Numbers grow almost exactly with time, so the index on `at` finds it."""
    first = tx.one(
        f"SELECT number FROM usage WHERE at > :since AND number < {tx.horizon} ORDER BY at LIMIT 1",
        since=to_text(since),
    )
    if first is not None:
        return int(first["number"]) - 1
    sql = f"SELECT coalesce(max(number), 0) AS number FROM usage WHERE number < {tx.horizon}"
    last = tx.one(sql)
    return int(last["number"]) if last else 0


def drop_old(tx: Tx, *, before: datetime, limit: int) -> int:
    sql = """
        DELETE FROM usage WHERE at < :before AND number IN (
            SELECT number FROM usage WHERE at < :before ORDER BY at LIMIT :limit)
    """
    return tx.run(sql, before=to_text(before), limit=limit)


def _nth_newest(tx: Tx, kind: UsageKind, limit: Limit, phone: str) -> datetime | None:
    """When the `limit.amount`-th newest one happened; None: the window holds fewer."""
    sql = f"{_COUNTED} ORDER BY at DESC LIMIT 1 OFFSET :skipped"
    row = tx.one(sql, skipped=limit.amount - 1, **_in_window(tx, kind, limit, phone))
    return to_instant(row["at"]) if row else None


# A probe counts as a start. A start that was approved, or failed through Twilio or us, does not
# count. The inner query runs once: a number that is verified every minute has thousands of rows.
_COUNTED = """
    SELECT at FROM usage WHERE phone = :phone AND kind IN (:kind, :also) AND at > :since
        AND verification_id NOT IN (
        SELECT verification_id FROM usage
        WHERE phone = :phone AND kind IN ('approval', 'unsent') AND at > :since
            AND :kind = 'start')
"""


def _in_window(tx: Tx, kind: UsageKind, limit: Limit, phone: str) -> dict[str, Value]:
    """The parameters of `_COUNTED`."""
    also = UsageKind.PROBE if kind is UsageKind.START else kind
    since = to_text(tx.now - limit.window)
    return {"phone": phone, "kind": kind.value, "also": also.value, "since": since}


def _from_row(row: Row) -> Usage:
    return Usage(
        number=row["number"],
        kind=UsageKind.START if row["kind"] == LIFTED else UsageKind(row["kind"]),
        phone=row["phone"],
        country=row["country"],
        started_by=row["started_by"],
        run_id=row["verification_id"],
        at=to_instant(row["at"]),
    )
