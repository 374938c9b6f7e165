"""Writing a decision down: the row, its history, and what its end means for an unsent text."""

from bot.domain.transitions import Decision
from bot.domain.verification import Status, Verification
from bot.store import erasures, history, outbox, usage, verifications
from bot.store.tx import Change, Tx


def record(tx: Tx, before: Verification | None, decision: Decision) -> tuple[Change, ...]:
    """Writes what `decide` said, and returns it as the one change that it is, or as none.

    An input that changed nothing costs nothing.
    """
    after = decision.verification
    if before is None:
        verifications.insert(tx, after)
    elif after is not before:
        verifications.update(tx, before, after)
    history.append(tx, after.id, decision.events)
    # What Twilio has taken is settled: most that end cost no statement here.
    is_settled = before is not None and before.accepted_at is not None
    if before is not None and after.is_decided and not before.is_decided and not is_settled:
        outbox.settle(tx, after.id)
    change = Change(before, after, decision.events)
    was_taken_late = before is not None and before.accepted_at != after.accepted_at
    is_over = change.has_ended or (after.is_terminal and was_taken_late)
    if is_over and after.is_to_erase:
        erasures.add(tx, after.id)
    _tally(tx, before, after, decision.is_excused)
    return (change,) if after is not before or decision.events else ()


def _tally(tx: Tx, before: Verification | None, after: Verification, is_excused: bool) -> None:
    """A start and a wrong answer count against their number; an approval takes its start back, and
    so does a failure that is Twilio's or ours."""
    if before is None:
        _add(tx, usage.START, after)
    elif after.attempts > before.attempts:
        _add(tx, usage.WRONG, after)
    if after.status is Status.APPROVED and not (before and before.is_terminal):
        _add(tx, usage.APPROVAL, after)
    # Not where somebody guessed meanwhile, or failures would buy guesses.
    if is_excused and after.attempts == 0:
        _add(tx, usage.UNSENT, after)


def _add(tx: Tx, kind: str, verification: Verification) -> None:
    usage.add(
        tx,
        kind,
        phone=verification.phone,
        country=verification.country,
        started_by=verification.started_by,
        verification_id=verification.id,
    )
