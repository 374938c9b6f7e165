"""Checks which rights an API key has, with requests that change nothing: Twilio checks the right
before it looks at the rest of the request."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.channels.gateway import Finding, Level
from bot.channels.twilio.questions import Questions, Unanswered, Why
from bot.channels.twilio.readiness.findings import FindingKind, good

_NO_MESSAGE = "SM" + "0" * 32


@dataclass(frozen=True, slots=True)
class Permission:
    """A right that Textback needs the API key to have."""

    what: str
    level: Level  # where it is lacking
    lacking: str
    question: Callable[[Any], Any]


# Without a recipient and a body Twilio can send nothing.
_SEND = Permission(
    "send texts",
    Level.FAULT,
    "No text goes out. Add the right to create messages.",
    lambda client: client.messages.create(to="", body=""),
)
_READ = Permission(
    "read messages",
    Level.FAULT,
    "A text whose answer was lost cannot be looked up, nor a reply that arrived during a restart."
    " Add the right to read messages.",
    lambda client: client.messages.list(limit=1, page_size=1),
)
_ERASE = Permission(
    "erase messages",
    Level.FAULT,
    "ERASE_AT_TWILIO=yes cannot be carried out. Add the right to update messages.",
    lambda client: client.messages(_NO_MESSAGE).update(body=""),
)
_NUMBERS = Permission(
    "read phone numbers",
    Level.WARNING,
    "`flask number` and this command cannot see the webhook. Add the right to read and update"
    " incoming phone numbers, or run both with the auth token alone.",
    lambda client: client.incoming_phone_numbers.list(limit=1, page_size=1),
)
_SERVICES = Permission(
    "read Messaging Services",
    Level.WARNING,
    "Whether a Messaging Service decides about replies cannot be seen. Add the right to read"
    " Messaging Services, or run this command with the auth token alone.",
    lambda client: client.messaging.v1.services.list(limit=1, page_size=1),
)


def findings(questions: Questions) -> Iterator[Finding]:
    """Raises Unanswered."""
    if questions.settings.twilio_api_key_sid is None:
        return
    erases = [_ERASE] if questions.settings.erase_at_twilio == "yes" else []
    has = []
    for right in (_SEND, _READ, *erases, _NUMBERS, _SERVICES):
        if _is_given(questions, right):
            has.append(right.what)
        else:
            sentence = f"The API key may not {right.what}. {right.lacking}"
            yield Finding(FindingKind.API_KEY, right.level, sentence)
    if has:
        yield good(
            FindingKind.API_KEY,
            f"The API key may {', '.join(has)}. No text was sent to find this out.",
        )


def _is_given(questions: Questions, right: Permission) -> bool:
    try:
        questions.ask(lambda: right.question(questions.client))
    except Unanswered as failed:
        if failed.why is Why.NOT_PERMITTED:
            return False
        if failed.why not in (Why.REFUSED, Why.NOT_FOUND):
            raise
    return True
