"""Letting time pass for verifications that nobody touches."""

from functools import partial

from bot.usecases import end
from bot.usecases.verifications import Verifications

# Verifications of one transaction: enough for a wave of a thousand in a second, few enough that a
# reply does not wait long behind them.
BATCH = 100


def run_once(verifications: Verifications) -> int:
    """Ends what is due, or publishes what was held too long. Returns how many were looked at."""
    return verifications.store.write(partial(end.expire_due, limit=BATCH))


def retire_keys(verifications: Verifications) -> int:
    """Ends pending ones whose secret key is no longer listed. Returns how many."""
    key_ids = verifications.keyring.ids
    return verifications.store.write(partial(end.retire_keys, key_ids=key_ids, limit=BATCH))
