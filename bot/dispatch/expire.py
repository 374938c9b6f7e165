"""Expires verifications whose deadline has passed."""

from functools import partial

from bot.dispatch.batch import write_batch
from bot.store.tx import Store
from bot.usecases import control
from bot.usecases.heartbeat import JudgedUntil

# Verifications of one transaction: enough for a wave of a thousand in a second, few enough that a
# reply does not wait long behind them.
BATCH = 100


def run_once(store: Store, *, judged_until: JudgedUntil) -> int:
    """Ends due verifications and publishes held outcomes. Returns how many it processed. Skipped
    ones do not count: those locked by another transaction, and those whose replies are not judged
    yet."""
    due = store.read(control.due_ids, limit=BATCH)
    if not due:
        return 0
    expire = partial(control.expire, judged_until=judged_until)
    looked_at = write_batch(
        store,
        partial(expire, ids=due),
        ids=lambda: due,
        one=lambda id: partial(expire, ids=[id]),
        set_aside=lambda id: partial(control.set_aside, id=id),
        failure_message="the verification %s cannot be expired",
    )
    return sum(looked_at)
