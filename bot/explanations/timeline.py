"""A sentence for each line of a verification's history."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from bot.domain.events import EventName
from bot.domain.verification import Cause
from bot.explanations.words import (
    CAUSES,
    delivery_in_words,
    error_in_words,
    repeats_error_sentence,
)
from bot.store.history import HistoryLine

Detail = Mapping[str, Any]


def _way(detail: Detail) -> str:
    return "by text" if detail.get("by_text", True) else "over HTTP"


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


_SENTENCES: dict[EventName, Callable[[Detail], str]] = {
    EventName.STARTED: lambda d: f"Started{_by(d)}; the text{_language(d)} was queued.",
    EventName.TEXT_TRIED: lambda d: "The text was handed to Twilio.",
    EventName.TEXT_ACCEPTED: lambda d: "Twilio took the text: the window to answer opened.",
    EventName.TEXT_UNKNOWN: lambda d: (
        "Twilio gave no clear answer, so its list is asked for the text."
    ),
    EventName.TEXT_POSTPONED: lambda d: "Twilio did not take the text; it is tried again.",
    EventName.RESEND_ASKED: lambda d: (
        f"The text was requested again{_by(d)}: text {d.get('send', '')}."
    ),
    EventName.FURTHER_TEXT_FAILED: lambda d: (
        f"One of its texts failed, and another may still be answered{_reason(d)}"
    ),
    EventName.DELIVERY: lambda d: (
        f"Delivery report: {d['delivery']}. {delivery_in_words(d['delivery'])}"
    ),
    EventName.RIGHT_ANSWER: lambda d: f"The right code was sent {_way(d)}.",
    EventName.WRONG_ANSWER: lambda d: f"A wrong code was sent {_way(d)}: attempt {d['attempt']}.",
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
        f"The same wrong code was sent once more {_way(d)}: no further attempt."
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


def sentence_of(line: HistoryLine, explained: Collection[int] = ()) -> str:
    """Describes a line of the history. Textback wrote the line, so its event is known."""
    said = _SENTENCES[line.event](line.detail)
    return said + error_in_words(line.detail.get("error_code"), explained)


def timeline(
    lines: Iterable[HistoryLine], explained: Collection[int] = ()
) -> list[tuple[HistoryLine, str]]:
    """Describes each line. Only the first line with an error has its sentence."""
    known, described = set(explained), []
    for line in lines:
        described.append((line, sentence_of(line, known)))
        known |= {line.detail["error_code"]} if line.detail.get("error_code") else set()
    return described
