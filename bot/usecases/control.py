"""Cancels, suspends, resumes and expires verifications."""

from collections.abc import Callable, Sequence

from bot.concurrency.blocking import in_turns
from bot.domain.inputs import Canceled, Input, Resumed, Suspended, TimePassed
from bot.domain.transitions import decide
from bot.domain.verification import Cause
from bot.store import verifications
from bot.store.tx import Change, Done, Tx
from bot.usecases.record import record
from bot.usecases.running import always, require_running, require_time, retire_key

ENDED_AT_ONCE = 20  # in one go: a few milliseconds


def cancel(
    tx: Tx,
    id: str,
    *,
    reason: str | None,
    operator: str | None = None,
) -> Done[None]:
    """Cancels a verification, even if its time is over and it was not ended yet. Raises
    UnknownVerification, AlreadyFinished."""
    return _order(tx, id, Canceled(Cause.TERMINATED, reason, operator), always)


def suspend(tx: Tx, id: str, *, reason: str | None, may_expire: Callable[[], bool]) -> Done[None]:
    """Raises UnknownVerification, AlreadyFinished, StoreUnavailable."""
    return _order(tx, id, Suspended(reason), may_expire)


def resume(tx: Tx, id: str, *, reason: str | None, may_expire: Callable[[], bool]) -> Done[None]:
    """Raises UnknownVerification, AlreadyFinished, StoreUnavailable."""
    return _order(tx, id, Resumed(reason), may_expire)


def due_ids(tx: Tx, *, limit: int) -> list[str]:
    """Ids of verifications that are due, the longest due first."""
    return verifications.due_ids(tx, limit=limit)


def expire(tx: Tx, *, ids: Sequence[str], may_expire: Callable[[], bool]) -> Done[int]:
    """Lets time pass for these; each is looked at again, since it may have ended meanwhile. One
    that another transaction holds is being decided; if not, it is still due the next time.
    Returns how many were not held.

    `may_expire` is asked once the lock is held: where the store was out of reach until then,
    replies that were missed come first.
    """
    if not may_expire():
        return Done(0)
    changes: list[Change] = []
    free = verifications.load_free(tx, ids)
    for verification in in_turns(free, at_once=ENDED_AT_ONCE):
        changes += record(tx, verification, decide(verification, TimePassed(), tx.now))
    return Done(len(free), changes=tuple(changes))


def set_aside(tx: Tx, id: str) -> Done[None]:
    """A verification that cannot be expired must not hold up the others."""
    verifications.set_aside(tx, id)
    return Done(None)


def retire_keys(tx: Tx, key_ids: Sequence[str], *, limit: int) -> Done[int]:
    """Ends pending verifications whose secret key is not one of these. Returns how many."""
    stranded = verifications.under_other_keys(tx, key_ids, limit=limit)
    changes = [change for verification in stranded for change in retire_key(tx, verification)]
    return Done(sum(change.has_ended for change in changes), changes=tuple(changes))


def _order(tx: Tx, id: str, what: Input, may_expire: Callable[[], bool]) -> Done[None]:
    verification = require_running(tx, id)
    require_time(tx, verification, may_expire)
    return Done(None, changes=record(tx, verification, decide(verification, what, tx.now)))
