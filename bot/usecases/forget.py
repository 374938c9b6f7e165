"""Removes one verification, many, old ones, or all of a number, each with its history."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.concurrency.blocking import yielding
from bot.domain import phone
from bot.domain.errors import StillRunning
from bot.domain.inputs import Canceled
from bot.domain.transitions import decide
from bot.domain.verification import FINISHED, Cause
from bot.store import disowns, hourly_counts, usage, verification_list, verifications
from bot.store.tx import REMOVING_SECONDS, Change, Done, PartlyDone, Store, StoreUnavailable, Tx
from bot.store.verification_list import ListFilter
from bot.usecases.preconditions import require
from bot.usecases.record import record

HOURS_KEPT = timedelta(days=1)  # the console shows the last 24 hours by hour
REMOVED_AT_ONCE = 50  # without yielding: a few milliseconds
FORGOTTEN_AT_ONCE = 500  # in one transaction


def purge(tx: Tx, id: str) -> Done[None]:
    """Raises UnknownVerification, StillRunning."""
    if not require(tx, id).is_terminal:
        raise StillRunning("This verification is still running. Cancel it first.")
    remove_all(tx, [id])
    return Done(None)


@dataclass(frozen=True, slots=True)
class Purged:
    """How many were found, and removed: another process may have removed some at the same time."""

    found: int
    removed: int


def purge_many(tx: Tx, wanted: ListFilter) -> Done[Purged]:
    """Removes at most `wanted.limit` of those wanted that have finished."""
    stages = (wanted.stages or FINISHED) & FINISHED
    if not stages:
        return Done(Purged(0, 0))
    found = verification_list.find(tx, replace(wanted, stages=stages))
    removed = remove_all(tx, [verification.id for verification in found])
    return Done(Purged(len(found), removed))


def purge_all(store: Store, wanted: ListFilter) -> int:
    """Removes all finished verifications that match, `wanted.limit` in each transaction; without an
    end of the time, those that had begun by now: others begin and end meanwhile, and their callers
    have not read how. Returns how many. Raises StoreUnavailable, PartlyDone."""
    total = 0
    if wanted.created_to is None:
        wanted = replace(wanted, created_to=store.now())
    try:
        while (purged := store.write_within(REMOVING_SECONDS, purge_many, wanted)).found:
            total += purged.removed
    except StoreUnavailable as error:
        raise PartlyDone.after(total, error) from error
    return total


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was erased of a number."""

    verifications: int
    usage_rows: int
    was_pending: bool


def forget_number(
    store: Store, as_operator: Store, number: str, *, operator: str | None = None
) -> tuple[Forgotten, bool]:
    """Erases a number. Returns what was erased, and whether its bytes are gone from the disk. A
    number may have thousands of finished verifications, which are removed first, batch by batch, so
    that no other write waits for all of them. `as_operator`: the store that audits it. Raises
    InvalidNumber, StoreUnavailable, PartlyDone."""
    phones, removed = phone.known_as(number), 0
    try:
        while found := store.write_within(REMOVING_SECONDS, _remove_finished, phones):
            removed += found
        rest = as_operator.write_within(REMOVING_SECONDS, forget, phones, operator)
    except StoreUnavailable as error:
        raise PartlyDone.after(removed, error) from error
    return replace(rest, verifications=removed + rest.verifications), store.scrub()


def _remove_finished(tx: Tx, phones: Sequence[str]) -> Done[int]:
    """Removes a batch of one spelling, unreadable rows too, which a purge would leave. Returns how
    many were found."""
    for number in phones:
        if ids := verifications.finished_of(tx, number, limit=FORGOTTEN_AT_ONCE):
            remove_all(tx, ids)
            return Done(len(ids))
    return Done(0)


def forget(tx: Tx, phones: Sequence[str], operator: str | None) -> Done[Forgotten]:
    """Erases a number, under each of the spellings it was ever kept under. Its opt-out stays: a
    STOP holds whatever else is forgotten. A pending verification is canceled first, so that its
    text is withdrawn and callers who wait for it hear of its end."""
    removed = usage_rows = 0
    changes: list[Change] = []
    for number in phones:
        tx.lock_name(number)
        pending = verifications.pending_of(tx, number)
        if pending is not None:
            canceled = Canceled(Cause.TERMINATED, "forgotten", operator=operator)
            changes += record(tx, pending, decide(pending, canceled, tx.now))
        removed += remove_all(tx, verifications.ids_of(tx, number))
        usage_rows += usage.remove(tx, number)
        disowns.unmark(tx, number)
    return Done(Forgotten(removed, usage_rows, bool(changes)), changes=tuple(changes))


def drop_old(tx: Tx, *, kept: timedelta, limit: int) -> Done[int]:
    """Removes at most `limit` finished verifications older than `kept`, and as many rows of usage;
    the counts per day stay. Returns the larger number removed: if it is below `limit`, nothing old
    is left."""
    before = tx.now - kept
    wanted = ListFilter(limit=limit, created_to=before, stages=FINISHED)
    old = verification_list.find(tx, wanted)
    remove_all(tx, [verification.id for verification in old])
    dropped = usage.drop_old(tx, before=before, limit=limit)
    hourly_counts.fold_hours(tx, before=tx.now - HOURS_KEPT)
    hourly_counts.fold_old(tx, before=before)
    return Done(max(len(old), dropped))


def remove_all(tx: Tx, ids: list[str]) -> int:
    if ids:
        hourly_counts.count_removed(tx, ids)
    turns = yielding(ids, every=REMOVED_AT_ONCE)
    return sum(verifications.remove(tx, id) for id in turns)
