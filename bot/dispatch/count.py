"""Counting the history into the hourly counts that the console shows."""

import time

from bot.store.tx import Store
from bot.usecases import counting

# In one run: about 0.1 s in all, and each batch delays replies by a few milliseconds.
MOST_BATCHES = 25


def run_once(store: Store, until: float) -> int:
    """Counts at most MOST_BATCHES batches of history and returns how many; the next run, a second
    later, counts the rest."""
    for batches in range(MOST_BATCHES):
        # Read first: if nothing is new, no write transaction is begun.
        if not store.read(counting.is_behind):
            return batches
        if not store.write(counting.count_more):
            return batches
        if time.monotonic() >= until:
            return batches + 1
    return MOST_BATCHES
