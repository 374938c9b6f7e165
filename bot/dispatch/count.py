"""Counting the history into the hourly counts that the console shows."""

import time

from bot.store import hourly_counts
from bot.store.tx import Done, Store, Tx

MOST_BATCHES = (
    25  # of one run: a tenth of a second, in which replies wait for a few milliseconds each
)


def run_once(store: Store, until: float) -> int:
    """Returns how many batches of history were counted: the rest has its turn a second later."""
    for batches in range(MOST_BATCHES):
        # Read first: if nothing is new, no write transaction is begun.
        if not store.read(hourly_counts.is_behind):
            return batches
        if not store.write(_count_more):
            return batches
        if time.monotonic() >= until:
            return batches + 1
    return MOST_BATCHES


def _count_more(tx: Tx) -> Done[bool]:
    return Done(hourly_counts.count_more(tx))
