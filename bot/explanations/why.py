"""Explains why a verification has its status, and what the operator can do, in one or two
sentences."""

from collections.abc import Callable
from datetime import datetime

from bot.channels import sentences
from bot.channels.gateway import Conversation, Direction, ListedMessage
from bot.domain.delivery import Delivery
from bot.domain.verification import Cause, Stage, Status, Verification
from bot.explanations.words import (
    DELIVERIES,
    delivery_in_words,
    error_in_words,
    repeats_error_sentence,
)
from bot.store.texts import TextState
from bot.usecases.read import VerificationView


def explain(view: VerificationView, now: datetime) -> str:
    """One sentence or two: what happened, and what to do."""
    verification = view.verification
    if verification.outcome is None:
        return _why_pending(view, now)
    return _ENDED[verification.outcome.status](view)


def _why_pending(view: VerificationView, now: datetime) -> str:
    verification, text = view.verification, view.text
    if verification.stage is Stage.SUSPENDED:
        return (
            "A caller suspended it: its outcome is held back until the caller resumes it, or for an"
            " hour."
        )
    if now > verification.deadline_at:
        return "Its deadline has passed, but it has not ended: check that a dispatcher is running."
    if verification.stage is Stage.WAITING:
        if text.state == TextState.UNKNOWN:
            unclear = "Twilio gave no clear answer to the text, so its list is being asked."
            return unclear + error_in_words(text.error_code)
        return f"The text is on its way to Twilio.{error_in_words(text.error_code)}"
    return f"Waiting for the person to text the code back.{_delivered(view)}"


def _delivered(view: VerificationView) -> str:
    text = view.text
    if not text.delivery:
        return f" No delivery report has come yet.{error_in_words(text.error_code)}"
    return f" The text: {DELIVERIES[text.delivery]}{error_in_words(text.error_code)}"


def _approved(view: VerificationView) -> str:
    v = view.verification
    assert v.outcome is not None
    if v.accepted_at is None:
        return "The person sent the right code. There is nothing to do."
    seconds = (v.outcome.at - v.accepted_at).total_seconds()
    return (
        f"The person sent the right code {seconds:.0f} seconds after Twilio took the text. There"
        " is nothing to do."
    )


def _expired(view: VerificationView) -> str:
    v = view.verification
    if v.is_hinted and not v.attempts:
        return (
            f"The person replied, but without a code of {v.terms.code_length} digits. Start again,"
            " and ask the person to reply with just the digits of the newest text."
        )
    happened = f"{_wrong_codes(v)} came, but not the right one" if v.attempts else "No code came"
    reason = f"{happened} within {v.terms.window_seconds} seconds."
    if view.text.delivery in (Delivery.DELIVERED, Delivery.READ):
        return (
            f"{reason} The text was delivered: ask the person to look for the text with reference"
            f" {v.reference}, and start again. If the person says they replied, check Twilio below."
        )
    # Twilio's error says itself what to do, and is often not about the number.
    advice = "" if view.text.error_code else " Check the number with the person, and start again."
    return f"{reason}{_delivered(view)}{advice}"


def _out_of_tries(view: VerificationView) -> str:
    v = view.verification
    reason = f"{_wrong_codes(v)} came."
    if v.attempts < v.terms.max_attempts:
        reason += (
            " The number has now given as many wrong codes as LIMIT_WRONG_PER_NUMBER allows over"
            " all its verifications. A new start is refused until the limit has room again, or an"
            ' operator clears the limits under "Limits and state".'
        )
    return (
        f"{reason} If the person sent them, start again and have them reply to the newest text. If"
        " they did not, somebody else is guessing."
    )


def _wrong_codes(v: Verification) -> str:
    return "1 wrong code" if v.attempts == 1 else f"{v.attempts} wrong codes"


def _canceled(view: VerificationView) -> str:
    outcome = view.verification.outcome
    assert outcome is not None
    if outcome.cause is Cause.SUPERSEDED:
        return "A newer start for the same number took its place: look at that one."
    if outcome.cause is Cause.OPTED_OUT:
        return (
            "The person texted STOP. Nothing is sent to this number until its holder texts START."
        )
    if outcome.cause is Cause.DISOWNED:
        return (
            "The person replied NO: they did not ask for the code. Nothing is sent to this number"
            ' for 24 hours, unless they text START or an operator clears the limits under "Limits'
            ' and state". Find out who entered this number.'
        )
    reason = outcome.reason or ""
    return f"It was canceled{f': {reason}' if reason else ', without a reason.'}"


def _failed(view: VerificationView) -> str:
    outcome = view.verification.outcome
    assert outcome is not None
    if outcome.cause is Cause.KEY_RETIRED:
        return (
            "Its secret key was removed, so its code cannot be derived. Start again; next time"
            " keep the old key in SECRET_KEY_FALLBACKS for a few minutes."
        )
    sentence = outcome.reason or "The text could not be sent."
    if outcome.error_code is None:
        return f"{sentence} Start again when that is fixed."
    if not repeats_error_sentence(outcome.cause, outcome.error_code):
        return sentence + error_in_words(outcome.error_code)
    return f"{sentences.with_advice(outcome.error_code)} (Twilio's error {outcome.error_code})"


_ENDED: dict[Status, Callable[[VerificationView], str]] = {
    Status.APPROVED: _approved,
    Status.EXPIRED: _expired,
    Status.MAX_ATTEMPTS_REACHED: _out_of_tries,
    Status.CANCELED: _canceled,
    Status.FAILED: _failed,
}


def explained_codes(view: VerificationView) -> frozenset[int]:
    """Twilio's errors whose sentence `why` has."""
    outcome, code = view.verification.outcome, view.text.error_code
    if outcome is not None and outcome.status is Status.FAILED:
        code = outcome.error_code
    elif outcome is not None and outcome.status is not Status.EXPIRED:
        code = None
    return frozenset() if code is None else frozenset([code])


def message_in_words(
    message: ListedMessage, known: frozenset[str], explained: frozenset[int] = frozenset()
) -> str:
    """A message as Twilio's list shows it. `known`: sids of replies that have reached us.
    `explained`: errors whose sentence stands on the page already."""
    if message.is_inbound:
        return f"{_arrival(message, known)}{error_in_words(message.error_code, explained)}"
    sentence = delivery_in_words(message.status) or message.status
    what = "An answer" if message.direction is Direction.ANSWER else "A text"
    return f"{what} to the phone. {sentence}{error_in_words(message.error_code, explained)}"


def _arrival(message: ListedMessage, known: frozenset[str]) -> str:
    if message.sid in known:
        return "A reply, which reached Textback."
    if message.error_code in sentences.WITHHELD:
        return "A reply that Twilio withheld."
    return "A reply that has not reached Textback."


def conclusion(conversation: Conversation, known: frozenset[str]) -> str:
    """A conclusion from Twilio's list."""
    replies = [message for message in conversation.messages if message.is_inbound]
    withheld = [message for message in replies if message.error_code in sentences.WITHHELD]
    missed = [s for s in replies if s.sid not in known and s not in withheld]
    if withheld:
        return (
            f"Twilio withheld {_replies(withheld)}, so Textback never saw it. Its error below says"
            " what to do; meanwhile, let the person enter the code in your form."
        )
    if any(message.error_code is not None for message in missed):
        return (
            f"Twilio has {_replies(missed)} that did not reach Textback. Its error below says what"
            " to do."
        )
    if missed:
        return (
            f"Twilio has {_replies(missed)} that did not reach Textback: see whether"
            " PUBLIC_BASE_URL is reachable, and run `flask number check`."
        )
    if replies:
        return (
            f"Textback has received {_replies(replies)} in Twilio's list. Nothing in it is unusual."
        )
    if not conversation.is_whole:
        return "Twilio's list does not reach back that far: it shows a number's newest fifty texts."
    return "Twilio has seen no reply from this number in that time."


def _replies(found: list[ListedMessage]) -> str:
    return "the reply" if len(found) == 1 else f"the {len(found)} replies"
