"""Phone numbers: read once at the edge, E.164 from there on."""

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

from bot.domain.errors import CannotReceiveTexts, InvalidNumber

_SPELLING = re.compile(r"\+[0-9 ().\-/]{6,40}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

# Types of phonenumbers that never get a text. FIXED_LINE_OR_MOBILE, VOIP and PERSONAL_NUMBER
# often do, so they pass, and Twilio has the last word.
_WITHOUT_TEXTS = {
    PhoneNumberType.FIXED_LINE: "a landline",
    PhoneNumberType.TOLL_FREE: "a toll-free number",
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.UAN: "a company-wide number",
    PhoneNumberType.VOICEMAIL: "a voicemail number",
}


@dataclass(frozen=True, slots=True)
class Phone:
    """A number in E.164, and the country that assigns it, as two letters; of a number range that
    several share, the one that leads it."""

    number: str
    country: str


def parse(text: str) -> Phone:
    """A number in international spelling, read once: reading takes half a millisecond.

    >>> parse("+1 (425) 555-0123")
    Phone(number='+14255550123', country='US')

    Raises InvalidNumber, or CannotReceiveTexts where the number is of a kind that has no texts.
    """
    spelled = _ascii(text.strip())
    if not spelled:
        raise InvalidNumber("A phone number input is required, such as +14255550123.")
    if not spelled.startswith("+"):
        raise InvalidNumber("The phone number must be in international form, starting with +.")
    if not _SPELLING.fullmatch(spelled):
        raise InvalidNumber(
            "The phone number may hold digits, spaces, dots, dashes, slashes and brackets after"
            " its +, no letters and no extension."
        )
    try:
        number = phonenumbers.parse(spelled)
    except NumberParseException:
        raise InvalidNumber("The phone number has no known country code.") from None
    region = phonenumbers.region_code_for_number(number)
    if region is None or not phonenumbers.is_valid_number_for_region(number, region):
        raise InvalidNumber("The phone number is not one that its country assigns.")
    kind = _WITHOUT_TEXTS.get(phonenumbers.number_type(number))
    if kind:
        raise CannotReceiveTexts(f"The phone number is {kind}, which cannot receive texts.")
    if not is_country(region):
        raise CannotReceiveTexts(
            "The phone number is of a satellite or a service, which cannot receive texts here."
        )
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), region)


def country(phone: str) -> str:
    """The country that assigns a number in E.164; ZZ where there is none.

    >>> country("+14255550123"), country("+18005551212")
    ('US', 'US')
    """
    number = phonenumbers.parse(phone)
    region = phonenumbers.region_code_for_number(number)
    return region or phonenumbers.region_code_for_country_code(number.country_code or 0)


def is_country(letters: str) -> bool:
    """Whether phonenumbers knows a country of these two letters."""
    return letters in phonenumbers.SUPPORTED_REGIONS


def is_e164(text: str) -> bool:
    """Whether a sender is a phone at all: not a short code, not whatsapp:+1425…, not a name."""
    return bool(_E164.fullmatch(text))


def masked(phone: str) -> str:
    """A number as logs and metrics may show it.

    >>> masked("+14255550123")
    '+1425*****23'
    """
    return phone[:5] + "*" * max(0, len(phone) - 7) + phone[-2:]


def _ascii(text: str) -> str:
    """Non-breaking spaces, fancy dashes and a full-width plus are typing, not meaning."""
    folded = {"\u00a0": " ", "\u202f": " ", "\u2010": "-", "\u2011": "-", "\u2013": "-", "＋": "+"}
    return "".join(folded.get(letter, letter) for letter in text if letter not in "\u202a\u202c")
