"""Letting time pass for verifications that nobody touches."""

from collections.abc import Callable
from functools import partial

from bot.dispatch.batch import write_batch
from bot.usecases import control
from bot.usecases.verifications import Verifications

# Verifications of one transaction: enough for a wave of a thousand in a second, few enough that a
# reply does not wait long behind them.
BATCH = 100


def run_once(verifications: Verifications, *, may_expire: Callable[[], bool] = lambda: True) -> int:
    """Ends due verifications and publishes held outcomes. Returns how many it looked at.

    `may_expire` is asked inside the transaction: replies that were missed come first.
    """
    due = verifications.store.read(partial(control.due_ids, limit=BATCH))
    if not due:
        return 0
    expire = partial(control.expire, may_expire=may_expire)
    write_batch(
        verifications.store,
        partial(expire, ids=due),
        ids=lambda: due,
        one=lambda id: partial(expire, ids=[id]),
        set_aside=lambda id: partial(control.set_aside, id=id),
        trouble="the verification %s cannot be expired",
    )
    return len(due)


def retire_keys(verifications: Verifications) -> int:
    """Ends pending ones whose secret key is no longer listed. Returns how many."""
    retire = partial(control.retire_keys, key_ids=sorted(verifications.keyring.ids), limit=BATCH)
    total = 0
    while count := verifications.store.write(retire):
        total += count
    return total
