"""Finds verifications that any process has ended, for callers that wait for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.store import hourly_counts, verifications
from bot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Seen:
    """A look at the history: its version then, and the ids that were asked about."""

    version: str = ""
    ids: frozenset[str] = frozenset()


def among(tx: Tx, ids: Sequence[str], *, seen: Seen) -> tuple[list[str], Seen]:
    """Returns those of `ids` that have ended since the look `seen`, and this look. While the
    history has not changed since, queries only those that were not asked about then: they may have
    ended between their callers' own check and that look."""
    version = hourly_counts.version(tx)
    known = seen.ids if version == seen.version else frozenset()
    found = verifications.finished(tx, [id for id in ids if id not in known])
    return found, Seen(version, frozenset(ids))
