"""Counting the history into the figures that the console shows."""

from bot.store import hourly_counts
from bot.store.tx import Done
from bot.usecases.verifications import Verifications

BATCHES = 25  # at once; the rest has its turn a second later


def run_once(verifications: Verifications) -> int:
    """Returns how many batches of history were counted."""
    store = verifications.store
    for number in range(BATCHES):
        # Looked at first: where nothing is new, nobody's write waits for this one.
        if not store.read(hourly_counts.is_behind):
            return number
        store.write(lambda tx: Done(hourly_counts.count_more(tx)))
    return BATCHES
