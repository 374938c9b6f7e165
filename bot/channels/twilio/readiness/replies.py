"""Checks whether Twilio withholds replies. It does not post a reply that looks like a one-time
passcode of another service."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.channels.gateway import Finding
from bot.channels.twilio import errors
from bot.channels.twilio.questions import Questions
from bot.channels.twilio.readiness.findings import FindingKind, good, look, warning

DAYS = 7
MOST = 10_000  # newest messages that are read, texts of ours among them
PAGE = 1000
_PASSCODE = 30038


def findings(questions: Questions) -> Iterator[Finding]:
    """Raises Unanswered."""
    replies, is_whole = _newest(questions)
    newest = f"the newest {MOST:,} messages"
    time = f"the last {DAYS} days" if is_whole else newest
    if not replies:
        none = (
            f"No reply has come in for {DAYS} days" if is_whole else f"No reply is among {newest}"
        )
        yield look(
            FindingKind.REPLIES,
            f"{none}, so it is not known whether Twilio withholds"
            " replies that hold a code (error 30038). Verify a number of your own with `flask"
            " start`, then run this check again.",
        )
        return
    codes = Counter(int(one.error_code) for one in replies if one.error_code)
    lost = {code: count for code, count in codes.items() if errors.of_reply(code)}
    for code, count in sorted(lost.items()):
        yield warning(
            FindingKind.REPLIES,
            f"Replies of {time}: {count} of {len(replies)} did not reach us, with"
            f" error {code}. {errors.of_reply(code)}{_HOW_TO_ASK if code == _PASSCODE else ''}",
        )
    if not lost:
        yield good(
            FindingKind.REPLIES,
            f"Replies of {time}: Twilio withheld none of {len(replies)}.",
        )


_HOW_TO_ASK = (
    " Send it the SIDs of some of them, from Twilio's message log; until then people can type the"
    " code into your form."
)


def _newest(questions: Questions) -> tuple[list[Any], bool]:
    """Returns replies, and whether all of these days were read: a Messaging Service has no filter,
    so that all messages of the account are read."""
    number = questions.settings.twilio_phone_number
    service = questions.settings.twilio_messaging_service_sid
    since = (questions.client.http_client.date or datetime.now(UTC)) - timedelta(days=DAYS)
    to_us = {"to": number} if number else {}
    messages = questions.ask(
        lambda: questions.client.messages.list(
            date_sent_after=since, limit=MOST, page_size=PAGE, **to_us
        )
    )
    replies = [
        one
        for one in messages
        if one.direction == "inbound" and service in (None, one.messaging_service_sid)
    ]
    return replies, len(messages) < MOST
