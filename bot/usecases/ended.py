"""Finds verifications that any process has ended, for callers that wait for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.store import hourly_counts, verifications
from bot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The version of the history when it was last read, and the ids that were asked about."""

    version: str = ""
    ids: frozenset[str] = frozenset()


def ended_since(tx: Tx, ids: Sequence[str], *, seen: Snapshot) -> tuple[list[str], Snapshot]:
    """Returns those of `ids` that have ended since `seen`, and the new snapshot. If the history has
    not changed, queries only the ids that are new since `seen`: they may have ended between their
    callers' own check and that snapshot."""
    version = hourly_counts.version(tx)
    known = seen.ids if version == seen.version else frozenset()
    found = verifications.finished(tx, [id for id in ids if id not in known])
    return found, Snapshot(version, frozenset(ids))
