"""The table `heartbeat`: that each process runs, and until when it has judged its replies.

Rows that another transaction holds are passed over: a process that is paused may hold one for long.
"""

from datetime import datetime

from bot.store.rows import Value, placed, places, to_instant_if_readable, to_text
from bot.store.tx import Tx


def beat(tx: Tx, process: str, *, judged_until: datetime | None) -> None:
    """Notes that a process runs. None: it has missed replies, and judged no further than before."""
    values: dict[str, Value] = {"process": process, "now": to_text(tx.now)}
    until = to_text(judged_until) if judged_until else None
    if tx.lock_free("SELECT 1 FROM heartbeat WHERE process = :process", process=process):
        sql = """
            UPDATE heartbeat SET beat_at = :now, judged_until = coalesce(:until, judged_until)
            WHERE process = :process
        """
        tx.run(sql, **values, until=until)
    elif not tx.one("SELECT 1 FROM heartbeat WHERE process = :process", process=process):
        sql = """
            INSERT INTO heartbeat (process, beat_at, judged_until) VALUES (:process, :now, :until)
        """
        tx.run(sql, **{**values, "until": until or values["now"]})


def judged_until(tx: Tx, *, but: str, since: datetime) -> datetime | None:
    """The earliest of the processes but one that have written since then; None: there are none."""
    sql = """
        SELECT min(judged_until) AS until FROM heartbeat
        WHERE process <> :process AND beat_at > :since
    """
    row = tx.one(sql, process=but, since=to_text(since))
    return to_instant_if_readable(row["until"]) if row else None


def count_silent(tx: Tx, *, but: str, between: tuple[datetime, datetime]) -> int:
    """The processes but one whose newest beat lies between these instants."""
    sql = """
        SELECT count(*) AS count FROM heartbeat
        WHERE process <> :process AND beat_at > :since AND beat_at < :before
    """
    since, before = between
    row = tx.one(sql, process=but, since=to_text(since), before=to_text(before))
    return int(row["count"]) if row else 0


def advance(tx: Tx, *, to: datetime) -> None:
    """Notes that replies are judged until then, whichever process they were sent to."""
    sql = "SELECT process FROM heartbeat WHERE judged_until < :until"
    found = [row["process"] for row in tx.lock_free(sql, until=to_text(to))]
    sql = f"UPDATE heartbeat SET judged_until = :until WHERE process IN ({places(found)})"
    tx.run(sql, until=to_text(to), **placed(found))


def remove(tx: Tx, *, before: datetime) -> None:
    """Removes processes that have not written since then."""
    sql = "SELECT process FROM heartbeat WHERE beat_at < :before"
    found = [row["process"] for row in tx.lock_free(sql, before=to_text(before))]
    tx.run(f"DELETE FROM heartbeat WHERE process IN ({places(found)})", **placed(found))
