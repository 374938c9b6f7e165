"""Normalizes typed characters: invisible marks, digits of other scripts, other dashes.

Phone numbers and replies are read with the same functions, so both ignore the same characters.
"""

import unicodedata
from functools import lru_cache

# The mark that turns a digit into an emoji. It is in none of the categories below.
_ENCLOSING_KEYCAP = "\u20e3"
# Characters that show nothing though Unicode classes them as letters or accents.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
# Dashes that Unicode does not class as dashes: minus, hyphen bullet, the long vowel of kana.
_MORE_DASHES = "\u2212\u2043\u30fc\uff70\u223c\u301c\uff5e"


def visible(text: str) -> str:
    """Removes characters of Unicode class Cf, variation selectors and key caps.

    >>> visible("\\u202d+1 425\\u202c"), visible("4\\ufe0f\\u20e3")
    ('+1 425', '4')
    """
    if text.isascii():
        return text
    return "".join(letter for letter in text if letter.isascii() or not _is_mark(letter))


def ascii_digits(text: str) -> str:
    """Decimal digits of every script as ASCII. Characters that only look like digits (², ①) stay.

    >>> ascii_digits("٢１६8 ²")
    '2168 ²'
    """
    if text.isascii():
        return text
    return "".join(_ascii_digit(letter) for letter in text)


def is_dash(letter: str) -> bool:
    return unicodedata.category(letter) == "Pd" or letter in _MORE_DASHES


def _is_mark(letter: str) -> bool:
    return (
        unicodedata.category(letter) == "Cf"
        or "\ufe00" <= letter <= "\ufe0f"
        or "\U000e0100" <= letter <= "\U000e01ef"
        or letter == _ENCLOSING_KEYCAP
        or letter in _BLANK
    )


def _ascii_digit(letter: str) -> str:
    value = unicodedata.decimal(letter, None)
    return letter if value is None else str(value)


@lru_cache(maxsize=4096)
def is_latin(letter: str) -> bool:
    """Whether a letter is of the Latin script, with or without marks.

    >>> is_latin("e"), is_latin("é"), is_latin("я"), is_latin("語")
    (True, True, False, False)
    """
    return letter.isascii() or unicodedata.name(letter, "").startswith("LATIN")
