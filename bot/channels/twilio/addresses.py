"""Addresses as Twilio writes them: ours, and the phones' that texts come from.

A phone texts by SMS, or by RCS if the Messaging Service has an RCS sender in its pool. Twilio then
prefixes the number, which is still that phone's. A WhatsApp or Messenger account proves no line.
"""

import re
from collections.abc import Mapping

from bot.domain import phone
from bot.domain.ignored import IgnoreReason
from bot.domain.numbering import canonical, other_spellings
from bot.settings import Settings

_RCS = "rcs:"
_SHORT_CODE = re.compile("[0-9]{5,6}")


def is_to_us(form: Mapping[str, str], settings: Settings) -> bool:
    """Whether a text was sent to our number or Messaging Service. The account may have others."""
    number, service = settings.twilio_phone_number, settings.twilio_messaging_service_sid
    if number is None:
        return form.get("MessagingServiceSid", service) == service
    return canonical(form.get("To", number)) == canonical(number)


def is_short_code(address: str) -> bool:
    """Whether an address of ours is a short code.

    >>> is_short_code("12345"), is_short_code("+14255550100")
    (True, False)
    """
    return bool(_SHORT_CODE.fullmatch(address))


def phone_of(theirs: str, *, is_of_service: bool) -> str | None:
    """The line in its canonical spelling. `is_of_service`: our own Messaging Service got it.

    >>> phone_of("+14255550123", is_of_service=False)
    '+14255550123'
    >>> phone_of("rcs:+14255550123", is_of_service=True)
    '+14255550123'
    >>> phone_of("whatsapp:+14255550123", is_of_service=True) is None
    True
    """
    if is_of_service and theirs.startswith(_RCS):
        theirs = theirs.removeprefix(_RCS)
    return phone.of_person(theirs)


def senders_of(number: str, *, is_of_service: bool) -> list[str]:
    """The addresses under which Twilio may list the texts of a line.

    >>> senders_of("+525512345678", is_of_service=True)
    ['+525512345678', '+5215512345678', 'rcs:+525512345678']
    """
    number, *rcs = receivers_of(number, is_of_service=is_of_service)
    return [number, *other_spellings(number), *rcs]


def receivers_of(number: str, *, is_of_service: bool) -> list[str]:
    """The addresses under which Twilio may list our texts to a number: by SMS, and by RCS.

    >>> receivers_of("+14255550123", is_of_service=True)
    ['+14255550123', 'rcs:+14255550123']
    """
    return [number, _RCS + number] if is_of_service else [number]


def reason_to_ignore(theirs: str) -> IgnoreReason:
    """Returns the reason why an address is not a phone's."""
    return IgnoreReason.OTHER_CHANNEL if ":" in theirs else IgnoreReason.UNREADABLE_SENDER


def masked(theirs: str) -> str:
    """An address of any kind as logs and pages may show it.

    >>> masked("whatsapp:+14255550123"), masked("Contoso"), masked("12345")
    ('whatsapp:+1425*****23', 'C***', '1***')
    """
    channel, colon, rest = theirs[:40].partition(":")
    if not colon:
        channel, rest = "", channel
    digits = re.match(r"\+[0-9]{7,15}", rest)
    shown = phone.masked(digits[0]) if digits else f"{rest[:1]}***"
    return f"{channel if channel.isalpha() else ''}{colon}{shown}"
