"""Repairs rows that queries by due time do not find: unreadable ones, orphans, and those due too
far in the future."""

import logging

from bot.store import far_due, outbox, rows_aside, verifications
from bot.store.tx import Done, Tx

LOOKED_THROUGH = 10_000  # rows of each table

log = logging.getLogger(__name__)


def set_unreadable_aside(tx: Tx) -> Done[None]:
    verifications.set_unreadable_aside(tx, limit=LOOKED_THROUGH)
    outbox.set_unreadable_aside(tx, limit=LOOKED_THROUGH)
    if count := rows_aside.set_orphans_aside(tx):
        log.error("%d texts are set aside: their verifications were deleted by hand", count)
    return Done(None)


def begin_anew(tx: Tx) -> Done[None]:
    """Makes rows due now that were set aside or are due too far in the future: they may have been
    repaired while the service was down, and stored time may have fallen back."""
    count = rows_aside.try_again(tx)
    if count:
        log.warning("%d rows that were set aside are tried again", count)
    count = far_due.make_due(tx)
    if count:
        log.warning("%d rows had a due time too far in the future; they are due now", count)
    return Done(None)
