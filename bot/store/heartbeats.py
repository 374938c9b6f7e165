"""The table `heartbeat`: that each process runs, and until when it has judged its replies.

Rows that another transaction holds are passed over: a process that is paused may hold one for long.
"""

from datetime import datetime, timedelta

from bot.store.rows import (
    Value,
    count_of,
    placeholder_values,
    placeholders,
    to_instant_if_readable,
    to_text,
)
from bot.store.tx import Tx


def beat(tx: Tx, process: str, *, judged_until: datetime | None, unknown: datetime) -> None:
    """Notes that a process runs. `judged_until` None: it has missed replies, so its row keeps its
    value; a new row gets `unknown`."""
    values: dict[str, Value] = {"process": process, "now": to_text(tx.now)}
    until = to_text(judged_until) if judged_until else None
    if tx.lock_skip_locked("SELECT 1 FROM heartbeat WHERE process = :process", process=process):
        sql = """
            UPDATE heartbeat SET beat_at = :now, judged_until = coalesce(:until, judged_until)
            WHERE process = :process
        """
        tx.run(sql, **values, until=until)
    elif not tx.one("SELECT 1 FROM heartbeat WHERE process = :process", process=process):
        sql = """
            INSERT INTO heartbeat (process, beat_at, judged_until) VALUES (:process, :now, :until)
        """
        tx.run(sql, **values, until=until or to_text(unknown))


def judged_until(tx: Tx, *, but: str) -> datetime | None:
    """The earliest `judged_until` of all processes except `but`; None: there are no others."""
    sql = "SELECT min(judged_until) AS until FROM heartbeat WHERE process <> :process"
    row = tx.one(sql, process=but)
    return to_instant_if_readable(row["until"]) if row else None


def count_silent(tx: Tx, *, but: str, before: datetime) -> int:
    """Counts the processes, except `but`, that have not written since `before`."""
    sql = """
        SELECT count(*) AS count FROM heartbeat WHERE process <> :process AND beat_at < :before
    """
    return count_of(tx.one(sql, process=but, before=to_text(before)))


def advance(tx: Tx, *, to: datetime) -> None:
    """Notes that replies are judged until then, whichever process they were sent to."""
    sql = "SELECT process FROM heartbeat WHERE judged_until < :until"
    found = [row["process"] for row in tx.lock_skip_locked(sql, until=to_text(to))]
    sql = f"UPDATE heartbeat SET judged_until = :until WHERE process IN ({placeholders(found)})"
    tx.run(sql, until=to_text(to), **placeholder_values(found))


def remove_gone(tx: Tx, *, after: timedelta, longest: timedelta) -> None:
    """Removes processes whose replies are judged up to `after` beyond their newest beat, or that
    have written nothing for `longest`, the longest time that a verification is open. The process
    with the newest beat of all stays that long: if no other serves, replies go nowhere else."""
    sql = "SELECT process, beat_at, judged_until FROM heartbeat WHERE beat_at < :before"
    rows = tx.lock_skip_locked(sql, before=to_text(tx.now - after))
    newest = tx.one("SELECT max(beat_at) AS beat_at FROM heartbeat") if rows else None
    processes = []
    for row in rows:
        beat_at = to_instant_if_readable(row["beat_at"])
        until = to_instant_if_readable(row["judged_until"])
        is_last = newest is not None and row["beat_at"] == newest["beat_at"]
        is_judged = not beat_at or not until or until >= beat_at + after
        if (is_judged and not is_last) or (beat_at and beat_at < tx.now - longest):
            processes.append(row["process"])
    _remove(tx, processes)


def remove(
    tx: Tx, process: str, *, unless_alone_since: datetime, latest: datetime, gone: timedelta
) -> None:
    """Removes a process that ends, if another one has written since then; a row from after
    `latest`, of a clock that was ahead, says nothing. Otherwise its row gets an age at which the
    next process may remove it soon: it has judged all that reached it."""
    sql = """
        SELECT 1 FROM heartbeat
        WHERE process <> :process AND beat_at > :since AND beat_at <= :latest LIMIT 1
    """
    since = to_text(unless_alone_since)
    if tx.one(sql, process=process, since=since, latest=to_text(latest)):
        _remove(tx, [process])
    else:
        sql = "UPDATE heartbeat SET beat_at = :at WHERE process = :process"
        tx.run(sql, process=process, at=to_text(tx.now - gone))


def _remove(tx: Tx, processes: list[str]) -> None:
    sql = f"DELETE FROM heartbeat WHERE process IN ({placeholders(processes)})"
    tx.run(sql, **placeholder_values(processes))
