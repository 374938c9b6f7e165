"""Counting the history into the hourly counts that the console shows."""

import time

from bot.store import hourly_counts
from bot.store.tx import Done, Store, Tx


def run_once(store: Store, until: float) -> int:
    """Returns how many batches of history were counted."""
    batches = 0
    # Looked at first: where nothing is new, no write waits for this one.
    while store.read(hourly_counts.is_behind) and time.monotonic() < until:
        store.write(_count_more)
        batches += 1
    return batches


def _count_more(tx: Tx) -> Done[bool]:
    return Done(hourly_counts.count_more(tx))
