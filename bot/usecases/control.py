"""Cancels, suspends, resumes and expires verifications."""

from collections.abc import Callable, Sequence

from bot.concurrency.blocking import yielding
from bot.domain.inputs import Canceled, Input, Resumed, Suspended, TimePassed
from bot.domain.transitions import decide
from bot.domain.verification import Cause
from bot.store import verifications
from bot.store.tx import Change, Done, Tx
from bot.usecases.failing import is_unsent, retire_key
from bot.usecases.heartbeat import JudgedUntil
from bot.usecases.preconditions import require_caught_up, require_running
from bot.usecases.record import record

LONGEST_REASON = 4000  # characters: a reason is stored, and returned with each status
ENDED_AT_ONCE = 20  # without yielding: a few milliseconds


def cancel(
    tx: Tx,
    id: str,
    *,
    reason: str | None,
    operator: str | None = None,
) -> Done[None]:
    """Cancels a verification, even one past its deadline that the timer has not ended yet. Raises
    UnknownVerification, AlreadyFinished."""
    verification = require_running(tx, id)
    canceled = Canceled(
        Cause.TERMINATED, reason, operator=operator, is_unsent=is_unsent(tx, verification)
    )
    return Done(None, changes=record(tx, verification, decide(verification, canceled, tx.now)))


def suspend(tx: Tx, id: str, *, reason: str | None, judged_until: JudgedUntil) -> Done[None]:
    """Raises UnknownVerification, AlreadyFinished, StoreUnavailable."""
    return _apply(tx, id, Suspended(reason), judged_until)


def resume(tx: Tx, id: str, *, reason: str | None, judged_until: JudgedUntil) -> Done[None]:
    """Raises UnknownVerification, AlreadyFinished, StoreUnavailable."""
    return _apply(tx, id, Resumed(reason), judged_until)


def due_ids(tx: Tx, *, limit: int) -> list[str]:
    """Ids of verifications that are due, the longest due first."""
    return verifications.due_ids(tx, limit=limit)


def expire(
    tx: Tx,
    *,
    ids: Sequence[str],
    judged_until: JudgedUntil,
    is_waited_for: Callable[[str], bool],
) -> Done[int]:
    """Expires these verifications if they are still due, and publishes held outcomes. It leaves out
    those that another transaction holds, which stay due unless that transaction ends them, and
    those whose replies are not judged yet; `is_waited_for`: of these numbers a reply is known.
    Returns how many it looked at.
    """
    free = verifications.load_skip_locked(tx, ids)
    until = judged_until(tx)  # after the locks are held: an outage may have lasted until then
    judged = [one for one in free if not is_waited_for(one.phone)]
    due = [one for one in judged if one.due_at is None or one.due_at <= until]
    changes: list[Change] = []
    for verification in yielding(due, every=ENDED_AT_ONCE):
        changes += record(tx, verification, decide(verification, TimePassed(), tx.now))
    return Done(len(due), changes=tuple(changes))


def set_aside(tx: Tx, id: str) -> Done[None]:
    """Sets a verification aside that cannot be expired, so that it does not hold up the others."""
    verifications.set_aside(tx, id)
    return Done(None)


def retire_keys(tx: Tx, key_ids: Sequence[str], *, limit: int) -> Done[int]:
    """Ends pending verifications whose secret key is not one of these. Returns how many."""
    stranded = verifications.under_other_keys(tx, key_ids, limit=limit)
    changes = [change for verification in stranded for change in retire_key(tx, verification)]
    return Done(sum(change.has_ended for change in changes), changes=tuple(changes))


def _apply(tx: Tx, id: str, what: Input, judged_until: JudgedUntil) -> Done[None]:
    verification = require_running(tx, id)
    require_caught_up(tx, verification, judged_until)
    return Done(None, changes=record(tx, verification, decide(verification, what, tx.now)))
