"""Corrects rows that would wait longer than any valid wait.

The end of a lease and the time of the next try are computed from `now` and are not in the history.
If the clock is ahead while such a row is written and the process then ends, stored time falls back
and the row stays due in the far future: an event would not be delivered for weeks, or sending would
stay paused.
"""

from datetime import timedelta

from bot.store import circuits, erasures
from bot.store.rows import to_text
from bot.store.rows_aside import NEVER
from bot.store.tx import Tx
from bot.store.verifications import LONGEST_OPEN

LONGEST = {
    ("outbox", "due_at"): LONGEST_OPEN,
    ("webhook_event", "due_at"): timedelta(hours=15),  # by the schedule, 12 h and a fifth more
    ("erasure", "due_at"): erasures.LONGEST_WAIT,
    ("circuit", "probe_at"): circuits.PROBE_EVERY,
}


def make_due(tx: Tx) -> int:
    """Makes such rows due now. Returns how many there were."""
    return sum(_make_due(tx, *where, longest) for where, longest in LONGEST.items())


def _make_due(tx: Tx, table: str, column: str, longest: timedelta) -> int:
    sql = f"""
        UPDATE {table} SET {column} = :now WHERE {column} > :latest AND {column} <> :never
    """
    return tx.run(sql, now=to_text(tx.now), latest=to_text(tx.now + longest), never=NEVER)
