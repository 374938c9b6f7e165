"""The history in plain words: statuses, deliveries and each line of the history."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from bot.channels import sentences
from bot.domain.delivery import Delivery
from bot.domain.events import EventName
from bot.domain.ignored import IgnoreReason
from bot.domain.limits import LimitName
from bot.domain.operators import Action
from bot.domain.verification import FINISHED, Cause, Stage, Status
from bot.store.history import HistoryLine
from bot.usecases.overview import Period
from bot.usecases.search import By

Detail = Mapping[str, Any]


DELIVERIES = {
    Delivery.ACCEPTED: "Twilio has it.",
    Delivery.SCHEDULED: "Twilio has it and sends it later.",
    Delivery.QUEUED: "It waits at Twilio.",
    Delivery.SENDING: "Twilio is handing it to the carrier.",
    Delivery.SENT: "The carrier has it.",
    Delivery.DELIVERED: "It was delivered to the phone.",
    Delivery.READ: "It was read.",
    Delivery.UNDELIVERED: "The carrier did not deliver it.",
    Delivery.FAILED: "Twilio could not send it.",
    Delivery.CANCELED: "It was canceled at Twilio.",
}


# One word for each status: of lists, filters and counts.
STATUS_WORDS = {
    Status.PENDING: "pending",
    Status.APPROVED: "approved",
    Status.EXPIRED: "expired",
    Status.MAX_ATTEMPTS_REACHED: "out of tries",
    Status.CANCELED: "canceled",
    Status.FAILED: "failed",
}

CAUSES = {
    Cause.ANSWERED: "answered",
    Cause.WINDOW_OVER: "not answered in time",
    Cause.ATTEMPTS_USED: "wrong codes",
    Cause.SUPERSEDED: "started anew",
    Cause.TERMINATED: "canceled by a caller or operator",
    Cause.OPTED_OUT: "texted STOP",
    Cause.DISOWNED: "replied NO",
    Cause.SEND_REFUSED: "Twilio refused the text",
    Cause.SEND_GIVEN_UP: "Twilio did not take the text in time",
    Cause.SEND_UNKNOWN: "unknown whether Twilio took the text",
    Cause.NOT_DELIVERED: "text not delivered",
    Cause.KEY_RETIRED: "secret key removed",
}

_CAUSED_BY_ERROR = frozenset([Cause.SEND_REFUSED, Cause.NOT_DELIVERED])

PERIODS = {
    Period.TODAY: "Today",
    Period.LAST_24_HOURS: "24 hours",
    Period.LAST_7_DAYS: "7 days",
    Period.LAST_30_DAYS: "30 days",
}

# What each count means.
COUNT_MEANINGS = {
    EventName.STARTED: "Verifications begun in this time.",
    EventName.APPROVED: "Right codes that came in this time, whenever the verification began.",
    EventName.EXPIRED: "Ended in this time without the right code.",
    EventName.MAX_ATTEMPTS_REACHED: "Ended in this time by wrong codes.",
    EventName.CANCELED: "Ended in this time by a newer start, a caller, an operator, STOP or NO.",
    EventName.FAILED: "Ended in this time: the text could not be sent or delivered, or its secret"
    " key was removed.",
    "approval_rate": "Approved, of all that ended in this time and were not canceled.",
    "median": "Half of the right codes came no later than this after Twilio took the text.",
    "slow": "95 of 100 right codes came no later than this.",
    "texts_per_approval": "Texts requested in this time, resends included, for each approval.",
}

# The starts that each limit counts.
LIMITS = {
    LimitName.PER_NUMBER: "Starts of a number",
    LimitName.WRONG_PER_NUMBER: "Wrong codes of a number",
    LimitName.PER_COUNTRY: "Starts in a country",
    LimitName.PER_KEY: "Starts of a caller",
    LimitName.TOTAL: "All starts",
}

FOUND_BY = {
    By.NUMBER: "number",
    By.LAST_FOUR: "last four digits of the number",
    By.ERROR_CODE: "Twilio's error",
    By.REFERENCE: "reference",
    By.TAG: "tag",
    By.ID: "beginning of the id",
}

ACTIONS = {
    Action.SIGNED_IN: "signed in",
    Action.SIGN_IN_REFUSED: "sign-in refused: wrong key",
    Action.SIGNED_OUT: "signed out",
    Action.STARTED: "started a verification",
    Action.RESENT: "sent the text again",
    Action.CANCELED: "canceled a verification",
    Action.FORGOTTEN: "erased a number",
    Action.LIMITS_CLEARED: "cleared the limits of a number",
    Action.OPT_OUT_CLEARED: "cleared the opt-out of a number",
    Action.ENDPOINT_ENABLED: "enabled a webhook endpoint",
    Action.EVENT_REPLAYED: "sent a webhook event again",
    Action.FAILED_EVENTS_REPLAYED: "sent failed webhook events again",
    Action.WEBHOOKS_TESTED: "sent a test event to the webhooks",
    Action.CLOCK_RESET: "reset the stored time",
}


STAGE_WORDS = {
    Stage.WAITING: "pending, not sent yet",
    Stage.RUNNING: "pending",
    Stage.SUSPENDED: "suspended",
    **{stage: STATUS_WORDS[Status(stage.value)] for stage in FINISHED},
}


def _face(detail: Detail) -> str:
    return "by text" if detail.get("by_text", True) else "over HTTP"


def repeats_error_sentence(cause: str | None, error_code: int | None) -> bool:
    """Whether the stored reason only repeats the sentence of the error code. `cause` None: an entry
    of an earlier version, for which this holds."""
    is_caused_by_error = cause is None or cause in _CAUSED_BY_ERROR
    return is_caused_by_error and sentences.sentence(error_code) is not None


def _reason(detail: Detail) -> str:
    """The stored reason; none if it is the sentence of the error code, which is printed anyway."""
    reason = detail.get("reason")
    is_repeated = repeats_error_sentence(detail.get("cause"), detail.get("error_code"))
    return f": {reason}" if reason and not is_repeated else "."


def _language(detail: Detail) -> str:
    return f" in {detail['locale']}" if detail.get("locale") else ""


def _by(detail: Detail) -> str:
    return f" by {detail['operator']}" if detail.get("operator") else ""


def _canceled(detail: Detail) -> str:
    cause = detail.get("cause")
    if cause in (Cause.OPTED_OUT, Cause.DISOWNED):  # an entry of another version may have none
        return f"Canceled: {CAUSES[Cause(cause)]}."
    return f"Canceled{_by(detail)}{_reason(detail)}"


def delivery_in_words(word: str) -> str:
    return DELIVERIES[Delivery(word)] if word in frozenset(Delivery) else ""


def error_in_words(code: int | None, explained: Collection[int] = ()) -> str:
    """`explained`: codes whose sentence stands on the page already."""
    if code is None:
        return ""
    if code in explained:
        return f" Twilio's error {code}."
    return f" Twilio's error {code}: {sentences.with_advice(code)}"


_WORDS: dict[EventName, Callable[[Detail], str]] = {
    EventName.STARTED: lambda d: f"Started{_by(d)}; the text{_language(d)} was queued.",
    EventName.TEXT_TRIED: lambda d: "The text was handed to Twilio.",
    EventName.TEXT_ACCEPTED: lambda d: "Twilio took the text: the window to answer opened.",
    EventName.TEXT_UNKNOWN: lambda d: (
        "Twilio gave no clear answer, so its list is asked for the text."
    ),
    EventName.TEXT_POSTPONED: lambda d: "Twilio did not take the text; it is tried again.",
    EventName.RESEND_ASKED: lambda d: (
        f"The same text was asked for again{_by(d)}: text {d.get('send', '')}."
    ),
    EventName.FURTHER_TEXT_FAILED: lambda d: (
        f"One of its texts failed, and another may still be answered{_reason(d)}"
    ),
    EventName.DELIVERY: lambda d: (
        f"Delivery report: {d['delivery']}. {delivery_in_words(d['delivery'])}"
    ),
    EventName.RIGHT_ANSWER: lambda d: f"The right code was sent {_face(d)}.",
    EventName.WRONG_ANSWER: lambda d: f"A wrong code was sent {_face(d)}: attempt {d['attempt']}.",
    EventName.REPLY_WHILE_HELD: lambda d: (
        "A code came while an outcome was held back; it changed nothing."
    ),
    EventName.QUOTED_TEXT: lambda d: (
        "Our own text was sent back, by a reaction or a quote: no attempt."
    ),
    EventName.UNREAD_REPLY: lambda d: "A reply came that held no code: no attempt.",
    EventName.UNREAD_EVENT: lambda d: (
        "An answer over HTTP held no code, or that of an older text: no attempt."
    ),
    EventName.EVENT_RAISED: lambda d: (
        f"A caller raised the event {d['name']}, which has no effect."
    ),
    EventName.REPEATED_ANSWER: lambda d: (
        f"The same wrong code was sent once more {_face(d)}: no further attempt."
    ),
    EventName.LATE_REPLY: lambda d: "A reply came after the end and was answered once.",
    EventName.DISOWNED: lambda d: (
        "The person replied that they had not asked for a code. The number gets none for a day."
    ),
    EventName.WEBHOOK_REPLAYED: lambda d: f"The outcome was sent to the application again{_by(d)}.",
    EventName.SUSPENDED: lambda d: f"A caller suspended it{_reason(d)}",
    EventName.RESUMED: lambda d: f"It was resumed{_reason(d)}",
    EventName.HELD: lambda d: f"Decided as {d['status']}, held back until it is resumed.",
    EventName.APPROVED: lambda d: "Approved.",
    EventName.EXPIRED: lambda d: "The window closed without the right code.",
    EventName.MAX_ATTEMPTS_REACHED: lambda d: "Out of tries.",
    EventName.CANCELED: _canceled,
    EventName.FAILED: lambda d: f"Failed{_reason(d)}",
}


IGNORED = {
    IgnoreReason.OTHER_CHANNEL: "It came over a channel that does not prove a phone line.",
    IgnoreReason.UNREADABLE_SENDER: "Its sender is not a phone number.",
    IgnoreReason.OTHER_RECIPIENT: (
        "It was sent to another number or Messaging Service of the account."
    ),
    IgnoreReason.NO_VERIFICATION: "No verification of this number waited for it.",
    IgnoreReason.BEFORE_ITS_START: "It was read late, and something newer of this number counts.",
    IgnoreReason.TOO_LONG: "It is longer than a text can be.",
}


def words(line: HistoryLine, explained: Collection[int] = ()) -> str:
    """Describes a line of the history. Textback wrote the line, so its event is known."""
    said = _WORDS[line.event](line.detail)
    return said + error_in_words(line.detail.get("error_code"), explained)


def timeline(
    lines: Iterable[HistoryLine], explained: Collection[int] = ()
) -> list[tuple[HistoryLine, str]]:
    """Describes each line. Only the first line with an error has its sentence."""
    known, described = set(explained), []
    for line in lines:
        described.append((line, words(line, known)))
        known |= {line.detail["error_code"]} if line.detail.get("error_code") else set()
    return described
