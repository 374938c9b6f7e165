"""Texts that are impossible: their verifications fail unless another text may arrive."""

from dataclasses import dataclass, replace

from bot.domain.inputs import Canceled, TextImpossible
from bot.domain.transitions import decide
from bot.domain.verification import Cause, Verification
from bot.store import opt_outs, outbox, verifications
from bot.store.rows import UnreadableRow
from bot.store.texts import TextState
from bot.store.tx import Change, Tx
from bot.usecases.record import record


def fail(
    tx: Tx,
    verification_id: str,
    text_id: str,
    impossible: TextImpossible,
    *,
    ends_all: bool = False,
) -> tuple[Change, ...]:
    """Records that a text is impossible; the verification fails unless another text may arrive.
    `ends_all`: it fails even then, since the person has stopped all texts."""
    verification = verifications.load(tx, verification_id)
    if verification is None:
        return ()
    impossible = replace(impossible, is_last=ends_all or _is_last(tx, verification, text_id))
    return record(tx, verification, decide(verification, impossible, tx.now))


def stop_texts(
    tx: Tx, phone: str, from_address: str, *, verification_id: str, is_current: bool
) -> tuple[Change, ...]:
    """Marks a number to which Twilio sends no text since a STOP, which may have been missed.
    Cancels a verification that began since the one whose text was refused, unless Twilio has taken
    a text of it: then the number has texted START. `is_current`: Twilio has said so just now, not
    in a report, which may be older than that START and then marks nothing."""
    newer = _newer(tx, phone, from_address, verification_id)  # its lock first, as for a reply
    is_taken = newer is not None and newer.has_taken
    if is_taken and not is_current:
        return ()
    opt_outs.mark(tx, phone=phone, from_address=from_address)
    if newer is None or is_taken:
        return ()
    canceled = Canceled(Cause.OPTED_OUT, Cause.OPTED_OUT.value)
    verification = newer.verification
    return record(tx, verification, decide(verification, canceled, tx.now))


@dataclass(frozen=True, slots=True)
class _Newer:
    verification: Verification
    has_taken: bool  # whether Twilio has a text of it, or may have one


def _newer(tx: Tx, phone: str, from_address: str, verification_id: str) -> _Newer | None:
    """Another pending verification, if its texts go out from this address of ours: people stop the
    texts from one address, which may have been changed since."""
    try:
        pending = verifications.pending_of(tx, phone)
        texts = outbox.of(tx, pending.id) if pending else []
    except UnreadableRow:
        return None
    ours = [text for text in texts if text.from_address == from_address]
    if pending is None or pending.id == verification_id or not ours:
        return None
    taken = (TextState.ACCEPTED, TextState.UNKNOWN, TextState.SENDING)
    return _Newer(pending, any(text.state in taken for text in ours))


def is_unsent(tx: Tx, verification: Verification) -> bool:
    """Whether a text was tried and Twilio has none; if so, the start does not count."""
    if verification.first_try_at is None:
        return False
    try:
        texts = outbox.of(tx, verification.id)
    except UnreadableRow:
        return False
    return all(text.state is TextState.QUEUED for text in texts)


def retire_key(tx: Tx, verification: Verification) -> tuple[Change, ...]:
    """Fails a verification whose secret key was removed."""
    impossible = TextImpossible(Cause.KEY_RETIRED, Cause.KEY_RETIRED.value)
    return record(tx, verification, decide(verification, impossible, tx.now))


def _is_last(tx: Tx, verification: Verification, text_id: str) -> bool:
    if verification.sends == 1:
        return True
    others = [text for text in outbox.of(tx, verification.id) if text.id != text_id]
    return not any(text.may_arrive for text in others)


def stop_texts_of_blocked(tx: Tx, newest: Verification) -> tuple[Change, ...]:
    """Nothing more is texted to a number that is blocked: withdraws what is queued. If that is all,
    the verification ends."""
    if newest.is_terminal:
        return ()
    if not _is_any_out(tx, newest):
        canceled = Canceled(Cause.DISOWNED, Cause.DISOWNED.value)
        return record(tx, newest, decide(newest, canceled, tx.now))
    outbox.withdraw(tx, newest.id, looks_on=True)
    return ()


def _is_any_out(tx: Tx, verification: Verification) -> bool:
    """Whether a text of it may arrive that is no longer ours to keep."""
    try:
        texts = outbox.of(tx, verification.id)
    except UnreadableRow:
        return True
    return any(text.may_arrive and text.state is not TextState.QUEUED for text in texts)
