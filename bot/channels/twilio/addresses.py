"""Which phone a message of Twilio's came from.

A line texts by SMS, or by RCS where a Messaging Service has an RCS sender in its pool: its number
is prefixed then, and it is the same phone. WhatsApp and Messenger accounts are no proof of a line.
"""

import re

from bot.domain import phone
from bot.store.inbound import Ignored

_RCS = "rcs:"


def phone_of(sender: str, *, is_of_service: bool) -> str | None:
    """The line in its canonical spelling. `is_of_service`: our own Messaging Service got it.

    >>> phone_of("+14255550123", is_of_service=False)
    '+14255550123'
    >>> phone_of("rcs:+14255550123", is_of_service=True)
    '+14255550123'
    >>> phone_of("whatsapp:+14255550123", is_of_service=True) is None
    True
    """
    if is_of_service and sender.startswith(_RCS):
        sender = sender.removeprefix(_RCS)
    return phone.of_sender(sender)


def reason_to_ignore(sender: str) -> Ignored:
    """Why a sender is no phone."""
    return Ignored.OTHER_CHANNEL if ":" in sender else Ignored.UNREADABLE_SENDER


def masked(sender: str) -> str:
    """A sender of any kind as logs and pages may show it.

    >>> masked("whatsapp:+14255550123"), masked("Contoso"), masked("12345")
    ('whatsapp:+1425*****23', 'C***', '1***')
    """
    channel, colon, rest = sender[:40].partition(":")
    if not colon:
        channel, rest = "", channel
    digits = re.match(r"\+[0-9]{7,15}", rest)
    shown = phone.masked(digits[0]) if digits else f"{rest[:1]}***"
    return f"{channel if channel.isalpha() else ''}{colon}{shown}"
