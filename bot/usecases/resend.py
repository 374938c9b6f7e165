"""Sending the text of a pending verification once more, with the same code."""

import secrets
from dataclasses import replace

from bot.admission.admission import Admission, AdmissionRequest
from bot.domain.effects import SendText
from bot.domain.errors import SendsUsed, TooLateToResend, retry_after
from bot.domain.inputs import ResendAsked
from bot.domain.resending import LEAST_TIME_LEFT, Resending, resending
from bot.domain.transitions import decide
from bot.domain.verification import Verification
from bot.store import outbox, verifications
from bot.store.tx import Done, Store, Tx
from bot.usecases.preconditions import require_running
from bot.usecases.record import record
from bot.usecases.rules import Rules


def begin_resend(
    store: Store, id: str, *, rules: Rules, admission: Admission, operator: str | None = None
) -> Verification:
    """Raises UnknownVerification, AlreadyFinished, StillCounting, and what `resend` raises."""
    admission.require_counted()
    # Its id is drawn outside the use case, which may run twice. `resend` sets its language.
    text = SendText(secrets.token_urlsafe(18), rules.from_address, rules.languages.default)
    return store.write(resend_by_id, id, text, admission, operator)


def resend_by_id(
    tx: Tx, id: str, text: SendText, admission: Admission, operator: str | None
) -> Done[Verification]:
    """Raises UnknownVerification, AlreadyFinished, and what `resend` raises."""
    phone = verifications.phone_of(tx, id)
    if phone is not None:
        tx.lock_name(phone)  # limits of the number are counted under its lock, which comes first
    return resend(tx, require_running(tx, id), text, admission, operator)


def resend(
    tx: Tx,
    verification: Verification,
    text: SendText,
    admission: Admission,
    operator: str | None = None,
) -> Done[Verification]:
    """Sends the text again. Within 15 seconds of the last one, or while it is not known whether
    Twilio took one, it sends nothing and answers as if it had.

    Raises TooLateToResend, SendsUsed, OptedOut, Disowned, LimitReached, BreakerOpen,
    SenderUnavailable, QueueTooLong.
    """
    is_unsettled = any(one.is_unsettled for one in outbox.of(tx, verification.id))
    # While it is suspended, it is due at the end of the suspension.
    seconds = retry_after((verification.due_at or verification.deadline_at) - tx.now)
    match resending(verification, tx.now, is_unsettled=is_unsettled):
        case Resending.ON_ITS_WAY:
            return Done(verification)
        case Resending.USED:
            raise SendsUsed(
                f"All {verification.terms.max_sends} texts of this verification have been used."
                " Start a new verification when this one has ended.",
                retry_after_seconds=seconds,
            )
        case Resending.TOO_LATE:
            raise TooLateToResend(
                f"Less than {LEAST_TIME_LEFT.total_seconds():.0f} seconds are left to answer, or"
                " the outcome is decided. Start a new verification when this one has ended.",
                retry_after_seconds=seconds,
            )
    text = replace(text, locale=verification.locale or text.locale)
    send = verification.sends + 1
    admission_request = AdmissionRequest.of(verification, text.from_address, send=send)
    tests_opt_out = admission.check(tx, admission_request)
    is_probe = admission.pass_circuit_breaker(tx, admission_request, tests_opt_out=tests_opt_out)
    asked = ResendAsked(text, is_unsettled=is_unsettled, is_probe=is_probe, operator=operator)
    decision = decide(verification, asked, tx.now)
    changes = record(tx, verification, decision)
    return Done(decision.verification, has_work=True, changes=changes)
