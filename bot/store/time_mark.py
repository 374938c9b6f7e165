"""The table `time_mark`: the newest recorded instant. It has one row, or none at first."""

from dataclasses import dataclass
from datetime import datetime

from bot.store.rows import to_instant_if_readable, to_text
from bot.store.tx import Tx

# The newest stored instants that survive removals; read once, when a store is opened.
NEWEST_INSTANTS = """
    SELECT max(at) AS at FROM (
        SELECT max(at) AS at FROM time_mark
        UNION ALL SELECT max(at) FROM usage
        UNION ALL SELECT max(received_at) FROM inbound
        UNION ALL SELECT at FROM (SELECT at FROM history ORDER BY sequence DESC LIMIT 1) AS newest
    ) AS instants
"""


@dataclass(frozen=True, slots=True)
class TimeMark:
    at: datetime
    steady_since: datetime  # since when time has not jumped


def lock(tx: Tx) -> TimeMark | None:
    row = tx.lock("SELECT at, steady_since FROM time_mark")
    at = to_instant_if_readable(row["at"]) if row else None
    steady_since = to_instant_if_readable(row["steady_since"]) if row else None
    return TimeMark(at, steady_since) if at and steady_since else None


def put(tx: Tx, mark: TimeMark) -> None:
    values = {"at": to_text(mark.at), "steady_since": to_text(mark.steady_since)}
    if tx.run("UPDATE time_mark SET at = :at, steady_since = :steady_since", **values) == 0:
        tx.run("INSERT INTO time_mark (at, steady_since) VALUES (:at, :steady_since)", **values)
