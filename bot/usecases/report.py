"""Delivery reports: in any order, repeated, perhaps of unknown texts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.channels.gateway import Blame, Report
from bot.domain.delivery import Delivery
from bot.domain.events import Detail, Event, EventName
from bot.domain.inputs import TextImpossible
from bot.domain.verification import Cause, Verification
from bot.store import delivery_reports, outbox, verifications
from bot.store.texts import Text
from bot.store.tx import Change, Done, Tx
from bot.usecases.failing import fail, mark_opted_out
from bot.usecases.record import erase_message, erase_texts, note
from bot.usecases.rules import Rules


@dataclass(frozen=True, slots=True)
class TimeAtTwilio:
    """How long a text was at Twilio before a carrier had it, and when that was."""

    delay: timedelta
    at: datetime


@dataclass(frozen=True, slots=True)
class Reported:
    """The verification, if the report is of a text of ours, and whether it says anything new; and
    how long Twilio had the text, if a carrier has taken it now."""

    verification: Verification | None
    is_news: bool = True
    waited: TimeAtTwilio | None = None


def reported(tx: Tx, report: Report, rules: Rules) -> Done[Reported]:
    """Applies a report."""
    verification = verifications.of_text(tx, report.text_id)
    text = outbox.load(tx, report.text_id)
    if verification is None and rules.erases_at_twilio:
        erase_message(tx, report.sid)  # taken, then forgotten
    if verification is None or text is None or text.sid not in (None, report.sid):
        return Done(Reported(None))
    is_named = text.sid is not None
    if not is_named and not _name(tx, text, verification, report.sid):
        return Done(Reported(None))
    if not delivery_reports.report(
        tx, text, delivery=report.delivery, error_code=report.error_code
    ):
        return Done(Reported(verification, is_news=False), has_work=not is_named)
    detail: Detail = {"delivery": report.delivery.value, "error_code": report.error_code}
    note(tx, text.verification_id, Event(EventName.DELIVERY, detail))
    waited = None
    is_only = verification.sends == 1  # when Twilio took a further text is not stored
    if report.delivery is Delivery.SENT and verification.accepted_at is not None and is_only:
        waited = TimeAtTwilio(tx.now - verification.accepted_at, tx.now)
    changes = _did_not_arrive(tx, verification, report) if report.is_final else ()
    if report.blame is Blame.OPTED_OUT and report.is_final:
        from_address = text.from_address or rules.from_address
        phone, id = verification.phone, verification.id
        changes += mark_opted_out(tx, phone, from_address, verification_id=id, is_current=False)
    return Done(Reported(verification, waited=waited), has_work=not is_named, changes=changes)


def _name(tx: Tx, text: Text, verification: Verification, sid: str) -> bool:
    """Stores the sid that a report brought. Returns False if the sid is another text's."""
    if outbox.is_known_sid(tx, sid):
        return False
    delivery_reports.set_sid(tx, text, sid=sid)
    if verification.is_terminal and verification.is_to_erase:
        erase_texts(tx, verification.id)
    return True


def _did_not_arrive(tx: Tx, verification: Verification, report: Report) -> tuple[Change, ...]:
    if tx.now >= verification.deadline_at:
        return ()
    sentence = report.sentence or "The text did not arrive."
    is_of_number = report.blame is not None and report.blame.is_of_number
    impossible = TextImpossible(Cause.NOT_DELIVERED, sentence, report.error_code, is_of_number)
    has_stopped = report.blame is Blame.OPTED_OUT
    return fail(tx, verification.id, report.text_id, impossible, ends_all=has_stopped)
