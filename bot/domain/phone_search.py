"""Which numbers a typed text may mean, for searching."""

import re
from contextlib import suppress

import phonenumbers
from phonenumbers import NumberParseException

from bot.domain import phone
from bot.domain.errors import InvalidNumber


def may_be(text: str, *, home: str) -> list[str]:
    """Returns the numbers that a text may mean, in every E.164 spelling they may be stored under.
    The text may have a country code, with or without +, or be dialled as in the country `home`.
    For searching: nothing is refused, and a text that is not a number gives an empty list.

    >>> may_be("425.555.0123", home="US")
    ['+14255550123', '+4255550123']
    """
    typed = text.removeprefix("tel:") if len(text) <= phone.LONGEST_SPELLING else ""
    if re.search("[A-Za-z]", typed):
        return []
    digits = re.sub("[^0-9]", "", phone.spelled(typed))
    tried = [phone.spelled(typed), _at_home(digits, home), f"+{digits.removeprefix('00')}"]
    found: dict[str, None] = {}
    for spelled in tried if len(digits) >= phone.FEWEST_DIGITS else []:
        with suppress(InvalidNumber):
            found.update(dict.fromkeys(phone.known_as(spelled)))
    return list(found)


def _at_home(digits: str, home: str) -> str:
    """Empty where it cannot be a number of that country."""
    try:
        number = phonenumbers.parse(digits, home)
    except NumberParseException:
        return ""
    return phone.in_e164(number)
