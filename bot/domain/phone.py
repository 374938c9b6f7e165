"""Phone numbers: read once at the edge, E.164 from there on, one spelling for each line."""

import re
from dataclasses import dataclass, field

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult

from bot.domain.characters import ascii_digits, ascii_punctuation, visible
from bot.domain.errors import CannotReceiveTexts, InvalidNumber
from bot.domain.numbering import canonical, counted_as_one, other_spellings

LONGEST_SPELLING = 100  # characters, marks and separators included
FEWEST_DIGITS = 7

_SPELLING = re.compile(r"\+[0-9 ().\-/]*")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SEPARATORS = re.compile(r"[ ().\-/]")
_OPENING_BRACKET = re.compile(r"^\( *(?=\+)")  # (+1) 425 …

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
# Ranges where the metadata calls a landline whatever it does not know. Jamaica's regulator assigns
# mobile numbers under 658 since May 2023 (Our Today, 17 and 30 May 2023).
_LANDLINES_BY_DEFAULT = ("+1658",)


@dataclass(frozen=True, slots=True)
class Phone:
    """A number in E.164, and the country that assigns it, as two letters; if several
    countries share a number range, its main country. `others`: further countries that may assign
    it, if the metadata lacks the number."""

    number: str
    country: str
    others: frozenset[str] = field(default=frozenset(), repr=False)

    def country_among(self, allowed: frozenset[str]) -> str | None:
        """The country that assigns the number, or an allowed country that may assign it. None:
        neither is allowed. An empty `allowed` allows all countries."""
        if not allowed or self.country in allowed:
            return self.country
        return min(self.others & allowed, default=None)


def parse(text: str) -> Phone:
    """A number in international spelling, read once: reading takes half a millisecond.

    A number that the metadata of phonenumbers does not know is accepted: the metadata lacks the
    newest area codes, and Twilio refuses what is not a number.

    >>> parse("+1 (425) 555-0123")
    Phone(number='+14255550123', country='US')
    >>> parse("+52 1 55 1234 5678").number == parse("+52 55 1234 5678").number
    True

    Raises InvalidNumber, or CannotReceiveTexts where the number is of a kind that has no texts.
    """
    number = _read(_e164(text))
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise InvalidNumber("The phone number has too many or too few digits for its country.")
    kind = _kind_without_texts(number)
    if kind:
        raise CannotReceiveTexts(f"The phone number is {kind}, which cannot receive texts.")
    region, others = _regions(number)
    if not is_country(region):
        raise CannotReceiveTexts(
            "The phone number is of a satellite or a service, which cannot receive texts here."
        )
    return Phone(in_e164(number), region, others)


def _kind_without_texts(number: phonenumbers.PhoneNumber) -> str | None:
    kind = phonenumbers.number_type(number)
    is_default = in_e164(number).startswith(_LANDLINES_BY_DEFAULT)
    return None if is_default and kind == PhoneNumberType.FIXED_LINE else _WITHOUT_TEXTS.get(kind)


def known_as(text: str) -> tuple[str, ...]:
    """All spellings under which a line may be stored, the current one first. Forgetting a number
    and clearing its limits or its opt-out must find every number that was ever accepted.

    >>> known_as("+52 1 55 1234 5678")
    ('+525512345678', '+5215512345678')

    Raises InvalidNumber where it is not in international form.
    """
    digits = _e164(text)
    try:
        first = parse(digits).number
    except (InvalidNumber, CannotReceiveTexts):
        first = canonical(digits)
    return tuple(dict.fromkeys([first, *other_spellings(first), digits]))


def of_person(text: str) -> str | None:
    """The line that a text came from, in its canonical spelling; None: it is no phone (a short
    code, a name, whatsapp:+1425…)."""
    return canonical(text) if _E164.fullmatch(text) else None


def country(phone: str) -> str:
    """The country that assigns a number in E.164; ZZ where there is none.

    >>> country("+14255550123"), country("+18005551212")
    ('US', 'US')
    """
    return _regions(phonenumbers.parse(phone))[0]


def is_country(letters: str) -> bool:
    """Whether phonenumbers knows a country of these two letters."""
    return letters in phonenumbers.SUPPORTED_REGIONS


def is_possible(number: str) -> bool:
    """Whether a number in E.164, in any spelling of its line, has as many digits as numbers of its
    country have."""
    try:
        read = phonenumbers.parse(canonical(number))
    except NumberParseException:
        return False
    reason = phonenumbers.is_possible_number_with_reason(read)
    return reason == ValidationResult.IS_POSSIBLE and is_country(_regions(read)[0])


def masked(phone: str) -> str:
    """A number as logs and metrics may show it, with at least four digits hidden. A short code
    stays as it is: no person has one.

    >>> masked("+14255550123"), masked("+6907290"), masked("12345")
    ('+1425*****23', '+6****90', '12345')
    """
    if not phone.startswith("+"):
        return phone
    shown = max(1, min(5, len(phone) - 6))
    return phone[:shown] + "*" * (len(phone) - 2 - shown) + phone[-2:]


def main_country(country: str) -> str:
    """The country that a territory counts as, where its numbers are in the same plan.

    >>> main_country("GG"), main_country("PR"), main_country("CA")
    ('GB', 'US', 'CA')
    """
    code = phonenumbers.country_code_for_region(country)
    main: str = phonenumbers.region_code_for_country_code(code)
    return main if main in counted_as_one(country) else country


def _read(digits: str) -> phonenumbers.PhoneNumber:
    """The line of a number, which may have a trunk prefix after its country code. Raises
    InvalidNumber."""
    number = _canonical(digits)
    code = f"+{number.country_code}"
    typed = digits.removeprefix(code)
    if typed.startswith("0") and not phonenumbers.is_valid_number(number):
        without = _canonical(code + typed[1:])
        number = without if phonenumbers.is_valid_number(without) else number
    read = phonenumbers.national_significant_number(number)
    dropped = typed.removesuffix(read) if typed.endswith(read) else ""
    # phonenumbers also drops carrier codes, which would turn a mistyped number into another one.
    if len(dropped) > 2 and not dropped.startswith("0"):
        raise InvalidNumber("The phone number has extra digits after its country code.")
    return number


def _canonical(digits: str) -> phonenumbers.PhoneNumber:
    """Reads a number in the one spelling of its line, before and after phonenumbers has dropped a
    trunk prefix."""
    try:
        number = phonenumbers.parse(canonical(digits))
    except NumberParseException:
        raise InvalidNumber("The phone number has no known country code.") from None
    read = in_e164(number)
    return number if canonical(read) == read else phonenumbers.parse(canonical(read))


def in_e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _regions(number: phonenumbers.PhoneNumber) -> tuple[str, frozenset[str]]:
    """The country of a number. If the metadata lacks the number, the main one of its country code,
    and all that have this code."""
    region = phonenumbers.region_code_for_number(number)
    if region:
        return region, frozenset()
    code = number.country_code or 0
    all_of_code = phonenumbers.region_codes_for_country_code(code)
    return phonenumbers.region_code_for_country_code(code), frozenset(all_of_code)


def _e164(text: str) -> str:
    """The typed number as a plus and digits. Raises InvalidNumber."""
    if len(text) > LONGEST_SPELLING:
        raise InvalidNumber(f"A phone number may have at most {LONGEST_SPELLING} characters.")
    typed = spelled(text)
    if not typed:
        raise InvalidNumber("A phone number input is required, such as +14255550123.")
    typed = _OPENING_BRACKET.sub("", typed)
    if not typed.startswith("+"):
        raise InvalidNumber("The phone number must be in international form, starting with +.")
    if not _SPELLING.fullmatch(typed):
        raise InvalidNumber(
            "The phone number may hold digits, spaces, dots, dashes, slashes and brackets after"
            " its +, no letters and no extension."
        )
    digits = _SEPARATORS.sub("", typed)
    if not _E164.fullmatch(digits):
        raise InvalidNumber("The phone number must have 7 to 15 digits after its +.")
    return digits


def spelled(text: str) -> str:
    """Removes invisible characters and converts digits, dashes, spaces and brackets to ASCII. None
    of these changes the meaning."""
    return "".join(_plain(letter) for letter in ascii_digits(visible(text))).strip()


def _plain(letter: str) -> str:
    if letter.isspace():
        return " "
    return _BRACKETS.get(letter) or ascii_punctuation(letter)


# Full-width, small, raised and square ones.
_BRACKETS = {
    **dict.fromkeys("[\uff08\uff3b\u207d\ufe59\u3010\u3014", "("),
    **dict.fromkeys("]\uff09\uff3d\u207e\ufe5a\u3011\u3015", ")"),
}
