"""Letting time pass for verifications that nobody touches."""

import logging
from collections.abc import Callable
from functools import partial

from bot.store.tx import Done, StoreUnavailable, Tx
from bot.usecases import end
from bot.usecases.verifications import Verifications

# Verifications of one transaction: enough for a wave of a thousand in a second, few enough that a
# reply does not wait long behind them.
BATCH = 100

log = logging.getLogger(__name__)


def run_once(verifications: Verifications, *, may_expire: Callable[[], bool] = lambda: True) -> int:
    """Ends what is due, or publishes what was held too long. Returns how many were looked at.

    `may_expire` is asked inside the transaction: replies that were missed come first.
    """
    due = verifications.store.read(partial(end.due_ids, limit=BATCH))
    if not due:
        return 0
    expire = partial(end.expire, may_expire=may_expire)
    try:
        verifications.store.write(partial(expire, ids=due))
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("a batch of %d could not be expired; going on one by one", len(due))
        for id in due:
            _expire_or_set_aside(verifications, partial(expire, ids=[id]), id)
    return len(due)


def _expire_or_set_aside(
    verifications: Verifications, expire: Callable[[Tx], Done[None]], id: str
) -> None:
    """One that cannot be expired must not keep the others from it, nor be tried for ever."""
    try:
        verifications.store.write(expire)
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("the verification %s cannot be expired; it is set aside", id)
        verifications.store.write(partial(end.set_aside, id=id))


def retire_keys(verifications: Verifications) -> int:
    """Ends pending ones whose secret key is no longer listed. Returns how many."""
    retire = partial(end.retire_keys, key_ids=sorted(verifications.keyring.ids), limit=BATCH)
    total = 0
    while count := verifications.store.write(retire):
        total += count
    return total
