"""Detects clock jumps, and corrects stored time that is ahead of the clock.

Old rows are removed, so a clock that is set forward by years would remove everything. After a jump
nothing is removed for a day, which gives an operator time to notice.
"""

from datetime import datetime, timedelta

from bot.store import clock_reset, time_mark, verifications
from bot.store.rows import to_text
from bot.store.steady import TOLERATED
from bot.store.time_mark import TimeMark
from bot.store.tx import Done, Tx

# The mark is written every hour. If it is older than this, the service was down for more than
# a day, or the clock has jumped: the two cannot be told apart.
LONGEST_GAP = timedelta(hours=25)
HELD_FOR = timedelta(hours=24)


def keep(tx: Tx, *, has_jumped: bool, ahead: timedelta) -> Done[bool]:
    """Records the current instant. Returns whether old rows may be removed."""
    mark = time_mark.lock(tx)
    is_steady = mark is not None and not has_jumped and tx.now - mark.at <= LONGEST_GAP
    steady_since = mark.steady_since if mark and is_steady else tx.now
    time_mark.put(tx, TimeMark(tx.now, steady_since))
    return Done(ahead <= TOLERATED and tx.now - steady_since >= HELD_FOR)


class StillPending(Exception):
    """Verifications are pending, whose deadlines are in stored time."""


def reset(tx: Tx, *, clock: datetime) -> Done[int]:
    """Takes stamps that are later than `clock` back to it. Returns how many rows that were.

    Raises StillPending.
    """
    if verifications.is_any_pending(tx):
        raise StillPending
    return Done(clock_reset.set_back(tx, to=to_text(clock)))
