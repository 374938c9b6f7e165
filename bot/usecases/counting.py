"""Counts the history into hourly counts, and adds up the counters of processes that have ended."""

from bot.store import hourly_counts, metric_samples
from bot.store.tx import Done, Tx


def is_behind(tx: Tx) -> bool:
    """Whether there are lines of history that are not counted yet."""
    return hourly_counts.is_behind(tx)


def count_more(tx: Tx) -> Done[bool]:
    """Counts the next lines. False: there were none, or another process counts."""
    return Done(hourly_counts.count_more(tx))


def fold_counters(tx: Tx) -> Done[int]:
    """Returns 0: one call folds all."""
    metric_samples.fold_past(tx)
    return Done(0)
