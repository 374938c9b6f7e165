"""Ends verifications whose text cannot be sent, did not arrive, or is not wanted, unless another of
their texts may still arrive."""

from dataclasses import replace

from bot.domain.inputs import Canceled, TextImpossible
from bot.domain.transitions import decide
from bot.domain.verification import Cause, Verification
from bot.store import opt_outs, outbox, verifications
from bot.store.rows import UnreadableRow
from bot.store.texts import Text, TextState
from bot.store.tx import Change, Tx
from bot.usecases.record import record, withdraw_queued

# Twilio has the text, or may have it.
_TAKEN = frozenset([TextState.ACCEPTED, TextState.UNKNOWN, TextState.SENDING])


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


def mark_opted_out(
    tx: Tx, phone: str, from_address: str, *, verification_id: str, is_current: bool
) -> tuple[Change, ...]:
    """Marks a number to which Twilio sends no text since a STOP, which may have been missed.
    Cancels a verification that began since the one whose text was refused, unless Twilio has taken
    a text of it: then the number has texted START. `is_current`: Twilio has said so just now, not
    in a report, which may be older than that START and then marks nothing."""
    newer = _pending_but(tx, phone, verification_id)  # its lock first, as for a reply
    texts = [text for text in _texts_of(tx, newer) or () if text.from_address == from_address]
    is_taken = any(text.state in _TAKEN for text in texts)
    if is_taken and not is_current:
        return ()
    opt_outs.mark(tx, phone=phone, from_address=from_address)
    # People stop the texts from one address of ours, which may have been changed since.
    if newer is None or is_taken or not texts:
        return ()
    return cancel(tx, newer, Cause.OPTED_OUT)


def cancel(tx: Tx, verification: Verification, cause: Cause) -> tuple[Change, ...]:
    """Ends a pending verification whose person wants no texts."""
    return record(tx, verification, decide(verification, Canceled(cause, cause.value), tx.now))


def _pending_but(tx: Tx, phone: str, verification_id: str) -> Verification | None:
    try:
        pending = verifications.pending_of(tx, phone)
    except UnreadableRow:
        return None
    return pending if pending is not None and pending.id != verification_id else None


def _texts_of(tx: Tx, verification: Verification | None) -> list[Text] | None:
    """None: one of them cannot be read."""
    try:
        return outbox.of(tx, verification.id) if verification is not None else []
    except UnreadableRow:
        return None


def is_unsent(tx: Tx, verification: Verification) -> bool:
    """Whether a text was tried and Twilio has none; if so, the start does not count."""
    if verification.first_try_at is None:
        return False
    texts = _texts_of(tx, verification)
    return texts is not None and all(text.state is TextState.QUEUED for text in texts)


def retire_key(tx: Tx, verification: Verification) -> tuple[Change, ...]:
    """Fails a verification whose secret key was removed."""
    impossible = TextImpossible(Cause.KEY_RETIRED, Cause.KEY_RETIRED.value)
    return record(tx, verification, decide(verification, impossible, tx.now))


def _is_last(tx: Tx, verification: Verification, text_id: str) -> bool:
    if verification.sends == 1:
        return True
    others = [text for text in outbox.of(tx, verification.id) if text.id != text_id]
    return not any(text.may_arrive for text in others)


def withdraw_after_no(tx: Tx, newest: Verification) -> tuple[Change, ...]:
    """Withdraws the queued texts of a number whose holder has replied NO. If no other text of the
    verification may arrive, cancels it."""
    if newest.is_terminal:
        return ()
    if not _is_any_out(tx, newest):
        return cancel(tx, newest, Cause.DISOWNED)
    withdraw_queued(tx, newest)
    return ()


def _is_any_out(tx: Tx, verification: Verification) -> bool:
    """Whether a text of it may arrive that is no longer ours to keep."""
    texts = _texts_of(tx, verification)
    if texts is None:
        return True
    return any(text.may_arrive and text.state is not TextState.QUEUED for text in texts)
