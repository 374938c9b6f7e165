"""Messages in Twilio's list: what can be read of them, and which of them may be a text of ours."""

from datetime import UTC, datetime
from typing import Any

from bot.domain.characters import comparable, letters_of_words
from bot.domain.reply import LONGEST_TEXT
from bot.store.steady import UNCOUNTED

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def is_readable(message: Any) -> bool:
    """Whether a received message has what the API describes, and has arrived."""
    return (
        isinstance(message.date_sent, datetime)
        and isinstance(message.sid, str)
        and isinstance(message.body or "", str)
        and isinstance(message.from_ or "", str)
    )


def created_at(message: Any, otherwise: datetime) -> datetime:
    """When a message was created; `otherwise` if that cannot be read."""
    created = message.date_created
    return created if isinstance(created, datetime) else otherwise


def may_be_ours(message: Any, wanted: str, since: datetime) -> bool:
    """`wanted`: the letters and digits of our text, made comparable. A message whose date cannot be
    read is ours if its body is: otherwise a text could be sent twice."""
    body = message.body if isinstance(message.body, str) else ""
    # A body identifies the text, except for an old text that happens to have the same code. So a
    # text with a body may be older by UNCOUNTED: `tried_ago` can be too short by that much, and a
    # text that is overlooked here is sent twice. Redacted texts are compared by age alone.
    earliest = since - UNCOUNTED if body else since
    latest = LAST if body else FIRST
    is_sent = message.direction == "outbound-api" and isinstance(message.sid, str)
    if not is_sent or created_at(message, latest) < earliest:
        return False
    # Twilio's Smart Encoding replaces quotation marks, dashes, bullets, fractions and more.
    return not body or wanted in letters_of_words(comparable(body[:LONGEST_TEXT]))
