"""Removing what has finished: one verification, or many. The history goes with it."""

from dataclasses import replace

from bot.domain.errors import StillRunning, UnknownVerification
from bot.domain.verification import FINISHED
from bot.store import verifications
from bot.store.tx import Done, Tx
from bot.store.verifications import Wanted


def purge(tx: Tx, id: str) -> Done[None]:
    """Raises UnknownVerification, StillRunning."""
    verification = verifications.load(tx, id)
    if verification is None:
        raise UnknownVerification("No instance has this id.")
    if not verification.is_terminal:
        raise StillRunning("This instance is still running. Terminate it first.")
    verifications.remove(tx, id)
    return Done(None)


def purge_many(tx: Tx, wanted: Wanted) -> Done[int]:
    """Removes at most `wanted.limit` of those wanted that have finished. Returns how many."""
    stages = (wanted.stages or FINISHED) & FINISHED
    if not stages:
        return Done(0)
    found = verifications.find(tx, replace(wanted, stages=stages))
    for verification in found:
        verifications.remove(tx, verification.id)
    return Done(len(found))
