"""Checks the optional fields of a start: the caller's tag and the language of the texts."""

import re
import unicodedata
from typing import Any

from bot.domain.errors import InvalidStart
from bot.domain.placeholders import is_placeholder

LONGEST_TAG = 128  # characters
LONGEST_LOCALE = 4000  # characters of an Accept-Language value; a browser sends some 120
KEPT_OF_LOCALE = 250  # of its first languages

# A language tag of BCP 47, or one of a list of them with weights as the header Accept-Language has.
_RANGE = re.compile(
    r"(\*|[A-Z]{1,8}(-[A-Z0-9]{1,8})*)(\s*;\s*q=[01](\.[0-9]*)?)?", re.IGNORECASE | re.ASCII
)

_DECIMAL_COMMA = re.compile(r"(q=[01]),(?=[0-9])", re.IGNORECASE)  # q=0,9: no language has digits
_OF_POSIX = re.compile(  # de_DE.UTF-8@euro
    r"([A-Z]{2,3}(?:-[A-Z0-9]{2,8})*)(?:\.[A-Z0-9-]+)?(?:@[A-Z0-9=;-]+)?",
    re.IGNORECASE | re.ASCII,
)


def tag(value: Any) -> str | None:
    """Any text without control characters; empty and null give None. Raises InvalidStart."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_TAG:
        raise InvalidStart(f"tag must be a text of at most {LONGEST_TAG} characters.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise InvalidStart("tag must not contain control characters or unpaired surrogates.")
    if is_placeholder(value):
        raise InvalidStart(
            "tag is a template placeholder that was not replaced. Send the value itself."
        )
    return value


def locale(value: Any) -> str | None:
    """A BCP 47 tag or an Accept-Language value; empty and null give None. `en_US` and
    `en_US.UTF-8`, as many platforms write it, are `en-US`. What cannot be read in a list is left
    out, since a list only tells what is preferred. Raises InvalidStart.

    >>> locale("es"), locale("de_CH, de;q=0.9"), locale("de_DE.UTF-8@euro"), locale("")
    ('es', 'de-CH, de;q=0.9', 'de-DE', None)
    >>> locale("de-DE,de;q=0,9,en;q=0.8")
    'de-DE, de;q=0.9, en;q=0.8'
    """
    if value is None or value == "":
        return None
    is_text = isinstance(value, str) and len(value) <= LONGEST_LOCALE
    text = str(value).strip().replace("_", "-")
    if posix := _OF_POSIX.fullmatch(text):
        text = posix[1]
    text = _DECIMAL_COMMA.sub(r"\1.", text)
    # Lists may have empty elements (RFC 9110, section 5.6.1).
    ranges = [part.strip() for part in text.split(",") if _RANGE.fullmatch(part.strip())]
    kept = ", ".join(ranges)[: KEPT_OF_LOCALE + 1]
    if len(kept) > KEPT_OF_LOCALE:
        kept = kept.rpartition(",")[0]
    if not is_text or not kept:
        raise InvalidStart(
            "locale must be a language such as es or pt-BR, or an Accept-Language value, of at"
            f" most {LONGEST_LOCALE} characters."
        )
    return kept
