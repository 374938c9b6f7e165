"""The table `heartbeat`: until when each process had judged all replies that reached it.

A process updates its row alone, and passes over rows that another transaction holds: a process that
is paused may hold one for long.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.store.rows import placed, places, to_instant_if_readable, to_text
from bot.store.tx import Tx

# A process that has not written for so long is over, whatever became of the replies that it missed.
OVER = timedelta(hours=1)


def beat(tx: Tx, process: str) -> None:
    """Until now."""
    if tx.lock_free("SELECT at FROM heartbeat WHERE process = :process", process=process):
        sql = "UPDATE heartbeat SET at = :now WHERE process = :process"
    else:
        sql = "INSERT INTO heartbeat (process, at) VALUES (:process, :now) ON CONFLICT DO NOTHING"
    tx.run(sql, process=process, now=to_text(tx.now))


def oldest_of_others(tx: Tx, process: str, *, since: datetime) -> datetime | None:
    """Leaves out those from before `since`. None: there is no other process."""
    sql = "SELECT min(at) AS at FROM heartbeat WHERE process <> :process AND at > :since"
    row = tx.one(sql, process=process, since=to_text(since))
    return to_instant_if_readable(row["at"]) if row else None


def silent(tx: Tx, process: str, *, since: datetime) -> list[str]:
    """Other processes that have not written since then."""
    sql = "SELECT process FROM heartbeat WHERE process <> :process AND at < :since"
    rows = tx.all(sql, process=process, since=to_text(since))
    return [row["process"] for row in rows]


def advance(tx: Tx, *, to: datetime) -> None:
    """Whatever reached any process until then is judged."""
    sql = "SELECT process FROM heartbeat WHERE at < :at"
    found = [row["process"] for row in tx.lock_free(sql, at=to_text(to))]
    sql = f"UPDATE heartbeat SET at = :at WHERE process IN ({places(found)})"
    tx.run(sql, at=to_text(to), **placed(found))


def remove(tx: Tx, processes: Sequence[str]) -> None:
    sql = f"SELECT process FROM heartbeat WHERE process IN ({places(processes)}) OR at < :over"
    rows = tx.lock_free(sql, over=to_text(tx.now - OVER), **placed(processes))
    free = [row["process"] for row in rows]
    tx.run(f"DELETE FROM heartbeat WHERE process IN ({places(free)})", **placed(free))
