"""The history in plain words: statuses, deliveries and each line of the history."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.channels import sentences
from bot.domain.delivery import Delivery
from bot.domain.events import EventName
from bot.domain.verification import Stage
from bot.store.history import Line
from bot.store.inbound import Ignored

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


def _language(detail: Detail) -> str:
    return f" in {detail['locale']}" if detail.get("locale") else ""


def _by(detail: Detail) -> str:
    return f" by {detail['operator']}" if detail.get("operator") else ""


def delivery_in_words(word: str) -> str:
    return DELIVERIES[Delivery(word)] if word in frozenset(Delivery) else ""


def trouble(code: int | None) -> str:
    if code is None:
        return ""
    return f" Twilio's error {code}: {sentences.told(code)}"


_WORDS: dict[EventName, Callable[[Detail], str]] = {
    EventName.STARTED: lambda d: (
        f"Asked for{_by(d)}; the text{_language(d)} was put into the outbox."
    ),
    EventName.TEXT_TRIED: lambda d: "The text was handed to Twilio.",
    EventName.TEXT_ACCEPTED: lambda d: "Twilio took the text: the window to answer opened.",
    EventName.TEXT_UNKNOWN: lambda d: (
        "Twilio gave no clear answer, so its list is asked for the text."
    ),
    EventName.TEXT_POSTPONED: lambda d: (
        "Twilio did not take the text; it is tried again." + trouble(d.get("error_code"))
    ),
    EventName.RESEND_ASKED: lambda d: (
        f"The same text was asked for again{_by(d)}: text {d.get('send', '')}."
    ),
    EventName.FURTHER_TEXT_FAILED: lambda d: (
        f"One of its texts failed, and another may still be answered{_reason(d)}"
        + trouble(d.get("error_code"))
    ),
    EventName.DELIVERY: lambda d: (
        f"Delivery report: {d['delivery']}. {delivery_in_words(d['delivery'])}"
        + trouble(d.get("error_code"))
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
    EventName.UNREAD_EVENT: lambda d: "An answer over HTTP held no code: no attempt.",
    EventName.EVENT_RAISED: lambda d: (
        f"A caller raised the event {d['name']}, which has no effect."
    ),
    EventName.REPEATED_ANSWER: lambda d: (
        f"The same wrong code was sent once more {_face(d)}: no further attempt."
    ),
    EventName.LATE_REPLY: lambda d: "A reply came after the end and was answered once.",
    EventName.SUSPENDED: lambda d: f"A caller suspended it{_reason(d)}",
    EventName.RESUMED: lambda d: f"It goes on{_reason(d)}",
    EventName.HELD: lambda d: f"Decided as {d['status']}, held back until it is resumed.",
    EventName.APPROVED: lambda d: "Approved.",
    EventName.EXPIRED: lambda d: "The window closed without the right code.",
    EventName.MAX_ATTEMPTS_REACHED: lambda d: "Out of tries.",
    EventName.CANCELED: lambda d: f"Canceled{_by(d)}{_reason(d)}",
    EventName.FAILED: lambda d: f"Failed{_reason(d)}{trouble(d.get('error_code'))}",
}


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
