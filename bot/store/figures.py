"""The table `figure`: what happened in each hour and country, counted from the history.

Nobody counts while verifying, since a row that everybody raises would be a row that everybody waits
for. The history is followed instead, a batch at a time, by whoever has the duty; `figured` holds
how far, in the same transaction, so two who have it count nothing twice. Whoever looks adds what is
not counted yet, so figures are never behind.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.store.tx import Row, Tx, to_text

COUNTED_AT_ONCE = 2000  # lines of history

_COUNTS = """
    SELECT substr(h.at, 1, 13) AS hour, v.country, h.event,
        CASE WHEN h.event = 'approved' AND v.accepted_at IS NOT NULL
            THEN seconds_between(v.accepted_at, v.ended_at) ELSE 0 END AS seconds,
        count(*) AS count
    FROM history h JOIN verification v ON v.id = h.verification_id
    WHERE h.sequence > :after AND h.sequence <= :upto AND h.event IN
        ('started', 'approved', 'expired', 'max_attempts_reached', 'canceled', 'failed')
    GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class Figure:
    hour: str  # 2026-01-31T09
    country: str
    event: str  # started, or the status it ended with
    seconds: int  # from accepted to approved
    count: int


def count_more(tx: Tx) -> int:
    """Counts the next lines of history. Returns how many were read."""
    counted_to, newest = _counted_to(tx), sequence(tx)
    upto = min(newest, counted_to + COUNTED_AT_ONCE)
    if upto == counted_to:
        return 0
    sql = f"""
        INSERT INTO figure (hour, country, event, seconds, count) {_COUNTS}
        ON CONFLICT (hour, country, event, seconds) DO UPDATE
        SET count = figure.count + excluded.count
    """
    tx.run(sql, after=counted_to, upto=upto)
    tx.run("UPDATE figured SET sequence = :upto", upto=upto)
    return upto - counted_to


def count_all(tx: Tx) -> None:
    """Before something is removed: what is removed cannot be counted any more."""
    while count_more(tx):
        pass


def is_behind(tx: Tx) -> bool:
    return _counted_to(tx) < sequence(tx)


def since(tx: Tx, hour: datetime) -> list[Figure]:
    """All that happened from the beginning of this hour on. May hold two of the same kind: what is
    counted, and what is not yet."""
    counted = tx.all("SELECT * FROM figure WHERE hour >= :hour", hour=to_text(hour)[:13])
    rest = tx.all(_COUNTS, after=_counted_to(tx), upto=sequence(tx))
    return [_from_row(row) for row in (*counted, *rest) if row["hour"] >= to_text(hour)[:13]]


def fold_old(tx: Tx, *, before: datetime) -> None:
    """Of days long over a day's sums are enough, without the times to answer."""
    sql = """
        INSERT INTO figure (hour, country, event, seconds, count)
        SELECT substr(hour, 1, 10), country, event, 0, sum(count) FROM figure
        WHERE hour < :day AND length(hour) = 13 GROUP BY 1, 2, 3
        ON CONFLICT (hour, country, event, seconds) DO UPDATE
        SET count = figure.count + excluded.count
    """
    day = to_text(before)[:10]
    tx.run(sql, day=day)
    tx.run("DELETE FROM figure WHERE hour < :day AND length(hour) = 13", day=day)


def sequence(tx: Tx) -> int:
    """The number of the last line of history: it grows with everything that happens."""
    row = tx.one("SELECT coalesce(max(sequence), 0) AS sequence FROM history")
    return int(row["sequence"]) if row else 0


def note_removal(tx: Tx) -> None:
    tx.run("UPDATE figured SET removals = removals + 1")


def removals(tx: Tx) -> int:
    """Grows when something is removed, which the history cannot tell."""
    row = tx.one("SELECT removals FROM figured")
    return int(row["removals"]) if row else 0


def _counted_to(tx: Tx) -> int:
    row = tx.one("SELECT sequence FROM figured")
    return int(row["sequence"]) if row else 0


def _from_row(row: Row) -> Figure:
    return Figure(row["hour"], row["country"], row["event"], row["seconds"], row["count"])
