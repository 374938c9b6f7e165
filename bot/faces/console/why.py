"""What happened, in plain words, and why: one sentence on it and what to do."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.channels.gateway import Conversation, Sighting
from bot.channels.twilio import errors
from bot.domain.verification import Cause, Stage, Status, Verification
from bot.store.history import Line
from bot.store.inbound import Ignored
from bot.usecases.read import VerificationView

Detail = Mapping[str, Any]

DELIVERIES = {
    "accepted": "Twilio has it.",
    "scheduled": "Twilio has it and sends it later.",
    "queued": "It waits at Twilio.",
    "sending": "Twilio is handing it to the carrier.",
    "sent": "The carrier has it.",
    "delivered": "It was delivered to the phone.",
    "read": "It was read.",
    "undelivered": "The carrier did not deliver it.",
    "failed": "Twilio could not send it.",
    "canceled": "It was canceled at Twilio.",
}

STATUSES = {
    Stage.WAITING: "pending, not sent yet",
    Stage.RUNNING: "pending",
    Stage.SUSPENDED: "suspended",
    Stage.APPROVED: "approved",
    Stage.EXPIRED: "expired",
    Stage.MAX_ATTEMPTS_REACHED: "out of tries",
    Stage.CANCELED: "canceled",
    Stage.FAILED: "failed",
}


def _face(detail: Detail) -> str:
    return "by text" if detail.get("by_text", True) else "over HTTP"


def _reason(detail: Detail) -> str:
    return f": {detail['reason']}" if detail.get("reason") else "."


def _trouble(code: int | None) -> str:
    if code is None:
        return ""
    return f" Twilio's error {code}: {errors.told(code)}"


_WORDS: dict[str, Callable[[Detail], str]] = {
    "started": lambda d: "Asked for; the text was put into the outbox.",
    "text_tried": lambda d: "The text was handed to Twilio.",
    "text_accepted": lambda d: "Twilio took the text: the window to answer opened.",
    "text_unknown": lambda d: "Twilio gave no clear answer, so its list is asked for the text.",
    "text_postponed": lambda d: (
        "Twilio did not take the text; it is tried again." + _trouble(d.get("error_code"))
    ),
    "delivery": lambda d: (
        f"Delivery report: {d['delivery']}. {DELIVERIES.get(d['delivery'], '')}"
        + _trouble(d.get("error_code"))
    ),
    "right_answer": lambda d: f"The right code was sent {_face(d)}.",
    "wrong_answer": lambda d: f"A wrong code was sent {_face(d)}: attempt {d['attempt']}.",
    "reply_while_held": lambda d: "A code came while an outcome was held back; it changed nothing.",
    "quoted_text": lambda d: "Our own text was sent back, by a reaction or a quote: no attempt.",
    "unread_reply": lambda d: "A reply came that held no code: no attempt.",
    "unread_event": lambda d: "An answer over HTTP held no code: no attempt.",
    "event_raised": lambda d: f"A caller raised the event {d['name']}, which nobody waits for.",
    "repeated_answer": lambda d: (
        f"The same wrong code was sent once more {_face(d)}: no further attempt."
    ),
    "late_reply": lambda d: "A reply came after the end and was answered once.",
    "suspended": lambda d: f"A caller suspended it{_reason(d)}",
    "resumed": lambda d: f"It goes on{_reason(d)}",
    "held": lambda d: f"Decided as {d['status']}, held back until it is resumed.",
    "approved": lambda d: "Approved.",
    "expired": lambda d: "The window closed without the right code.",
    "max_attempts_reached": lambda d: "Out of tries.",
    "canceled": lambda d: f"Canceled{_reason(d)}",
    "failed": lambda d: f"Failed{_reason(d)}{_trouble(d.get('error_code'))}",
}
EVENTS = frozenset(_WORDS)

IGNORED = {
    Ignored.OTHER_CHANNEL: "It came over a channel that is no proof of a phone line.",
    Ignored.UNREADABLE_SENDER: "Its sender is no phone number.",
    Ignored.OTHER_RECIPIENT: "It was sent to another number or Messaging Service of the account.",
    Ignored.NO_VERIFICATION: "No verification of this number is known.",
    Ignored.BEFORE_ITS_START: "It is older than the verification of this number.",
    Ignored.TOO_LONG: "It is longer than a text can be.",
}


def words(line: Line) -> str:
    """A line of the history. Textback has written it, so its event is one that is known."""
    return _WORDS[line.event](line.detail)


def why(view: VerificationView, now: datetime) -> str:
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
        return "Its time is over, but nobody ends it: see whether a dispatcher runs."
    if verification.stage is Stage.WAITING:
        if text.state == "unknown":
            return "Twilio gave no clear answer to the text, so its list is being asked."
        return f"The text is on its way to Twilio.{_trouble(text.error_code)}"
    return f"Waiting for the person to text the code back.{_delivered(view)}"


def _delivered(view: VerificationView) -> str:
    text = view.text
    said = DELIVERIES.get(text.delivery or "", "No delivery report has come yet.")
    return f" Of the text: {said}{_trouble(text.error_code)}"


def _approved(view: VerificationView) -> str:
    v = view.verification
    assert v.outcome is not None
    if v.accepted_at is None:
        return "The person sent the right code. Nothing is to be done."
    seconds = (v.outcome.at - v.accepted_at).total_seconds()
    return (
        f"The person sent the right code {seconds:.0f} seconds after Twilio took the text. Nothing"
        " is to be done."
    )


def _expired(view: VerificationView) -> str:
    v = view.verification
    happened = f"{_wrong_codes(v)} came, but not" if v.attempts else "Nobody sent"
    said = f"{happened} the right one within {v.terms.window_seconds} seconds."
    if view.text.delivery in ("delivered", "read"):
        return (
            f"{said} The text was delivered: ask the person for the text with reference"
            f" {v.reference}, and start again. Who says that they replied: ask Twilio below."
        )
    return f"{said}{_delivered(view)} Check the number with the person, and start again."


def _out_of_tries(view: VerificationView) -> str:
    v = view.verification
    said = f"{_wrong_codes(v)} came."
    if v.attempts < v.terms.max_attempts:
        said += (
            " That used up what this number may guess in a day over all its verifications"
            " (LIMIT_WRONG_PER_NUMBER), so a new start is refused until then, or until somebody"
            ' lifts it under "Limits and state".'
        )
    return (
        f"{said} If it was the person, let them read the newest text of the next start; if they"
        " know nothing of it, somebody else is guessing."
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
    reason = outcome.reason or ""
    return f"Somebody canceled it{f': {reason}' if reason else ', without giving a reason.'}"


def _failed(view: VerificationView) -> str:
    outcome = view.verification.outcome
    assert outcome is not None
    if outcome.cause is Cause.KEY_RETIRED:
        return (
            "Its secret key is listed no more, so its code cannot be told. Start again; next time"
            " keep the old key in SECRET_KEY_FALLBACKS for a few minutes."
        )
    said = outcome.reason or "The text could not be sent."
    if outcome.error_code is None:
        return f"{said} Start again when that is mended."
    if errors.sentence(outcome.error_code) != said:
        return said + _trouble(outcome.error_code)
    return f"{errors.told(outcome.error_code)} (Twilio's error {outcome.error_code})"


_ENDED: dict[Status, Callable[[VerificationView], str]] = {
    Status.APPROVED: _approved,
    Status.EXPIRED: _expired,
    Status.MAX_ATTEMPTS_REACHED: _out_of_tries,
    Status.CANCELED: _canceled,
    Status.FAILED: _failed,
}


def sighted(sighting: Sighting, known: frozenset[str]) -> str:
    """A message as Twilio's list shows it. `known`: sids of replies that have reached us."""
    if sighting.is_inbound:
        return f"{_arrival(sighting, known)}{_trouble(sighting.error_code)}"
    said = DELIVERIES.get(sighting.status, sighting.status)
    what = "An answer" if sighting.direction == "outbound-reply" else "A text"
    return f"{what} to the phone. {said}{_trouble(sighting.error_code)}"


def _arrival(sighting: Sighting, known: frozenset[str]) -> str:
    if sighting.sid in known:
        return "A reply, which reached Textback."
    if sighting.error_code in errors.WITHHELD:
        return "A reply that Twilio withheld."
    return "A reply that has not reached Textback."


def conclusion(seen: Conversation, known: frozenset[str]) -> str:
    """What the list says of a verification."""
    replies = [sighting for sighting in seen.sightings if sighting.is_inbound]
    withheld = [sighting for sighting in replies if sighting.error_code in errors.WITHHELD]
    missed = [s for s in replies if s.sid not in known and s not in withheld]
    if withheld:
        return (
            f"Twilio withheld {_replies(withheld)}, so Textback never saw it. Ask Twilio's support"
            " to let replies to this number pass, and let the person answer over your form"
            " meanwhile."
        )
    if missed:
        return (
            f"Twilio has {_replies(missed)} that did not reach Textback: see whether"
            " PUBLIC_BASE_URL is reachable, and run `flask number check`."
        )
    if replies:
        return f"Textback has {_replies(replies)} that Twilio has. Its list holds nothing unusual."
    if not seen.is_whole:
        return "Twilio's list does not reach back so far: it shows the newest fifty of a number."
    return "Twilio has seen no reply of this number meanwhile."


def _replies(found: list[Sighting]) -> str:
    return "the reply" if len(found) == 1 else f"the {len(found)} replies"
