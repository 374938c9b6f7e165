"""Letting time pass for verifications that nobody touches."""

import logging
from functools import partial

from bot.usecases import end
from bot.usecases.verifications import Verifications

# Verifications of one transaction: enough for a wave of a thousand in a second, few enough that a
# reply does not wait long behind them.
BATCH = 100

log = logging.getLogger(__name__)


def run_once(verifications: Verifications) -> int:
    """Ends what is due, or publishes what was held too long. Returns how many were looked at."""
    due = verifications.store.read(partial(end.due_ids, limit=BATCH))
    if not due:
        return 0
    try:
        verifications.store.write(partial(end.expire, ids=due))
    except Exception:
        log.exception("a batch of %d could not be expired; going on one by one", len(due))
        _expire_singly(verifications, due)
    return len(due)


def _expire_singly(verifications: Verifications, ids: list[str]) -> None:
    """One that cannot be expired must not keep the others from it."""
    for id in ids:
        try:
            verifications.store.write(partial(end.expire, ids=[id]))
        except Exception:
            log.exception("the verification %s cannot be expired", id)


def retire_keys(verifications: Verifications) -> int:
    """Ends pending ones whose secret key is no longer listed. Returns how many."""
    retire = partial(end.retire_keys, key_ids=sorted(verifications.keyring.ids), limit=BATCH)
    total = 0
    while count := verifications.store.write(retire):
        total += count
    return total
