"""Expires verifications whose deadline has passed."""

from collections.abc import Callable
from functools import partial

from bot.dispatch.batch import write_batch
from bot.store.tx import Store
from bot.usecases import control
from bot.usecases.heartbeat import JudgedUntil

# Verifications of one transaction: enough for a wave of a thousand in a second, few enough that a
# reply does not wait long behind them.
BATCH = 100


def run_once(
    store: Store,
    *,
    judged_until: JudgedUntil,
    is_waited_for: Callable[[str], bool] = lambda phone: False,
) -> int:
    """Ends due verifications and publishes held outcomes. Returns how many it processed. Skipped
    ones do not count: those locked by another transaction, and those whose replies are not judged
    yet. `is_waited_for`: whether a text of a number is known to be among those."""
    due = store.read(control.due_ids, limit=BATCH)
    if not due:
        return 0
    expire = partial(control.expire, judged_until=judged_until, is_waited_for=is_waited_for)
    looked_at = write_batch(
        store,
        partial(expire, ids=due),
        ids=lambda: due,
        one=lambda id: partial(expire, ids=[id]),
        set_aside=lambda id: partial(control.set_aside, id=id),
        failure_message="the verification %s cannot be expired",
    )
    return sum(looked_at)
