"""Normalizes typed characters: invisible marks, digits of other scripts, other dashes.

Phone numbers and replies are read with the same functions, so both ignore the same characters.
"""

import html
import re
import unicodedata
from functools import lru_cache

# Some gateways and phones escape a character: I&#8217;m. Its number is no code.
_ESCAPED = re.compile("&(?:amp;)*(#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6});)")
# The mark that turns a digit into an emoji. It is in none of the categories below.
_ENCLOSING_KEYCAP = "\u20e3"
# Characters that show nothing, or only stretch a word of Arabic or N'Ko, though Unicode classes
# them as letters or accents.
_BLANK = frozenset(
    "\u0640\u07fa\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
)
# Dashes that Unicode does not class as dashes: minus signs, hyphen bullet, tildes, the horizontal
# lines of boxes, the long vowel of kana.
_MORE_DASHES = frozenset(
    "~\u02d7\u2043\u2053\u207b\u208b\u2212\u223c\u2500\u2501\u2796\u301c\u30fc\uff5e\uff70"
)
# Full-width, small, raised and Arabic forms of the punctuation that joins digits.
_PUNCTUATION = {
    **dict.fromkeys("\uff0b\ufe62\u207a\u208a\u2795", "+"),
    **dict.fromkeys(
        "\uff0e\u3002\uff61\u00b7\u2022\u2024\u2027\ufe52\u30fb\uff65\u2219\u22c5\u06d4", "."
    ),
    **dict.fromkeys("\uff0f\u2044\u2215", "/"),
    **dict.fromkeys("\uff1a\ufe55\ufe13\u2236\ua789", ":"),
    **dict.fromkeys("\uff0c\u3001\uff64\ufe50\ufe51\u060c\u066b\u066c", ","),
}

# Quotation marks and dashes that Twilio's Smart Encoding, phones and carriers swap for ASCII
# (https://www.twilio.com/docs/messaging/services/smart-encoding-char-list).
_TYPOGRAPHIC = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bb\u02bc\u02bd\u02c8`\u00b4\uff07", "'"),
        **dict.fromkeys("\u02b9\u02ca\u02cb\u05f3\u275b\u275c", "'"),
        **dict.fromkeys("\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033\u02ba\u275d\u275e\uff02", '"'),
        **dict.fromkeys("\u02ee\u05f4\u301d\u301e", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
    }
)

# Scripts, as the names of their characters begin.
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


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


def comparable(text: str) -> str:
    """A text as quotes and keywords are compared: one form of each character, lower case, single
    blanks.

    >>> print(comparable("Joe’s  code – “1234”"))
    joe's code - "1234"
    """
    plain = visible(text).translate(_TYPOGRAPHIC)
    folded = unicodedata.normalize("NFKC", plain).casefold()
    return " ".join(folded.replace("i\u0307", "i").split())  # what Turkish \u0130 becomes


def letters_of_words(text: str) -> str:
    """Keeps letters, digits, and the vowel and tone marks that distinguish words in Thai and Hindi.
    Drops the marks of Hebrew and Arabic, which are optional there.

    >>> letters_of_words("No!") == "No", letters_of_words("ไม่") == letters_of_words("ไม้")
    (True, False)
    """
    return "".join(letter for letter in text if letter.isalnum() or _is_needed_mark(letter))


def words_of(text: str) -> list[str]:
    """What `letters_of_words` keeps, word by word.

    >>> words_of("no,no - it's 5!")
    ['no', 'no', 'it', 's', '5']
    """
    return "".join(letters_of_words(letter) or " " for letter in text).split()


def is_dash(letter: str) -> bool:
    return unicodedata.category(letter) == "Pd" or letter in _MORE_DASHES


def ascii_punctuation(letter: str) -> str:
    """A dash or a joiner of digits as ASCII; any other character stays.

    >>> ascii_punctuation("－"), ascii_punctuation("／"), ascii_punctuation("x")
    ('-', '/', 'x')
    """
    return "-" if is_dash(letter) else _PUNCTUATION.get(letter, letter)


def _is_needed_mark(letter: str) -> bool:
    is_mark = unicodedata.category(letter).startswith("M")
    return is_mark and not unicodedata.name(letter, "").startswith(("HEBREW", "ARABIC"))


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
def is_unspaced(letter: str) -> bool:
    """Whether a letter is of a script that writes no blanks between words.

    >>> is_unspaced("語"), is_unspaced("ร"), is_unspaced("я"), is_unspaced("한")
    (True, True, False, False)
    """
    return unicodedata.name(letter, "").startswith(_UNSPACED)


@lru_cache(maxsize=4096)
def is_latin(letter: str) -> bool:
    """Whether a letter is of the Latin script, with or without marks.

    >>> is_latin("e"), is_latin("é"), is_latin("я"), is_latin("語")
    (True, True, False, False)
    """
    return letter.isascii() or unicodedata.name(letter, "").startswith("LATIN")


def without_escapes(text: str) -> str:
    """
    >>> without_escapes("I&#8217;m &amp; 12&amp;#x33;4")
    'I’m &amp; 1234'
    """
    return _ESCAPED.sub(lambda found: html.unescape(f"&{found[1]}"), text)
