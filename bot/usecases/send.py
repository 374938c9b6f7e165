"""Results of sending: claimed in one transaction (`claim.py`), sent in none, written down here.

Each use case begins by loading the text's verification, whose lock is the text's too.
"""

from datetime import timedelta

from bot.channels.gateway import Blame, Refused
from bot.domain.events import Event, EventName
from bot.domain.inputs import TextAccepted, TextImpossible
from bot.domain.transitions import decide
from bot.domain.verification import Cause
from bot.store import circuits, outbox, verifications
from bot.store.texts import Text, TextState
from bot.store.tx import Done, Tx
from bot.usecases.claim import Step, TextClaim
from bot.usecases.failing import fail, mark_opted_out
from bot.usecases.record import erase_message, note, record


def hand_back(tx: Tx, claim: TextClaim) -> Done[None]:
    """Returns a claim that was not begun. Another process may claim the text at once."""
    verifications.load(tx, claim.verification_id)
    if claim.step is Step.SEND:
        outbox.hand_back(tx, claim.text_id, claim=claim.number)
    else:
        outbox.schedule_look_up(
            tx, claim.text_id, claim=claim.number, due_at=tx.now, looks=claim.looks
        )
    return Done(None, has_work=True)


def accepted(tx: Tx, claim: TextClaim, sid: str, *, age: timedelta = timedelta(0)) -> Done[None]:
    """Records that Twilio took the text, `age` ago if that is learned late."""
    verification = verifications.load(tx, claim.verification_id)
    if verification is None:  # forgotten or purged meanwhile
        if claim.is_to_erase:
            erase_message(tx, sid)
        return Done(None)
    if not outbox.accept(tx, claim.text_id, sid=sid):
        return Done(None)
    decision = decide(verification, TextAccepted(tx.now - age), tx.now)
    return Done(None, changes=record(tx, verification, decision))


def refused(tx: Tx, claim: TextClaim, result: Refused) -> Done[None]:
    """Records that Twilio will never take the text; if it does not accept our credentials, keeps
    the text and pauses all sending instead."""
    text = still_ours(tx, claim)
    if text is None:
        return Done(None)
    if text.sid is not None:  # a report says that it did: look again
        return unknown(tx, claim)
    if result.blame is Blame.CREDENTIALS:
        probe_at = circuits.open_or_keep(tx, claim.from_address, error_code=result.code or 0)
        return postponed(tx, claim, delay=probe_at - tx.now, code=result.code)
    outbox.refuse(tx, text.id, error_code=result.code)
    impossible = TextImpossible(
        Cause.SEND_REFUSED, result.sentence, result.code, result.blame.is_of_number
    )
    has_stopped = result.blame is Blame.OPTED_OUT
    id = claim.verification_id
    changes = fail(tx, id, text.id, impossible, ends_all=has_stopped)
    if has_stopped:
        changes += mark_opted_out(
            tx, claim.phone, claim.from_address, verification_id=id, is_current=True
        )
    return Done(None, changes=changes)


def postponed(tx: Tx, claim: TextClaim, *, delay: timedelta, code: int | None) -> Done[None]:
    """Schedules a text that Twilio may accept later, or gives it up if that is too late."""
    verifications.load(tx, claim.verification_id)
    due_at = min(tx.now + delay, claim.give_up_at)
    is_ours = outbox.put_back(
        tx, claim.text_id, claim=claim.number, due_at=max(due_at, tx.now), error_code=code
    )
    if is_ours:
        note(tx, claim.verification_id, Event(EventName.TEXT_POSTPONED, {"error_code": code}))
    return Done(None, has_work=True)


def unknown(tx: Tx, claim: TextClaim, code: int | None = None) -> Done[None]:
    """Records that it is not known whether Twilio has the text, which will be looked up."""
    verifications.load(tx, claim.verification_id)
    is_ours = outbox.schedule_look_up(
        tx, claim.text_id, claim=claim.number, due_at=tx.now, looks=0, error_code=code
    )
    if is_ours:
        note(tx, claim.verification_id, Event(EventName.TEXT_UNKNOWN, {"error_code": code}))
    return Done(None, has_work=True)


def still_ours(tx: Tx, claim: TextClaim) -> Text | None:
    verifications.load(tx, claim.verification_id)
    text = outbox.load(tx, claim.text_id)
    is_ours = text is not None and text.state is TextState.SENDING and text.claims == claim.number
    return text if is_ours else None
