"""The form in which logs and histories show what may hold a number, a key or a code: ids and paths
that callers chose, names of events."""

import re
from functools import lru_cache

from bot.domain.characters import ascii_digits, visible

MASK = "*****"
# Seven digits and more, whatever separates them, may be a number.
_NUMBER = re.compile(r"\+?[0-9](?:[\W_]*[0-9]){6,}")
# A key that was meant for the query, where "?" is missing or encoded (%3F; & is %26). It may hold
# slashes.
_KEY = re.compile(r"(?:(?<![^\W_])|(?<=3f)|(?<=26))(code(?:=|%(?:25)*3d))[^&]*", re.IGNORECASE)
# What signs a link, also beside blanks and the like. It hardly ever lacks capitals, small letters,
# or all that is no letter, as names do that a caller chooses.
_LINK_KEY = re.compile(
    r"(?:(?<![A-Za-z0-9_-])|(?<=%[0-9A-Fa-f]{2}))"
    r"(?=[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-]))"
    r"(?=[^A-Z]{0,42}[A-Z])(?=[^a-z]{0,42}[a-z])(?=[A-Za-z]{0,42}[0-9_-])[A-Za-z0-9_-]{43}"
)
_CODE = re.compile(r"[0-9](?:[\W_]*[0-9]){3,}")
# Our own ids and other random ids.
_DRAWN = re.compile(
    r"[0-9a-f]{16}|(?:[A-Z]{2})?[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE,
)


@lru_cache(maxsize=64)  # a request's method and path are mostly one of a few
def safe(text: str) -> str:
    """An id or a path as a log may show it: a caller can put a number, a key or a line break into
    one. `http/paths.py` knows where a path may hold a code.

    >>> safe("/phones/+1 (425) 555-0123"), safe("/a\\nb")
    ('/phones/*****', '/a\\\\nb')
    >>> safe("/instances/1&code=a-key/restart")
    '/instances/1&code=*****'
    """
    if is_drawn(text):
        return text
    masked = "/".join(_without_number(part) for part in _KEY.sub(rf"\1{MASK}", text).split("/"))
    return masked.encode("unicode_escape").decode()


def is_drawn(text: str) -> bool:
    """Whether it has the form of a random id, which may be all digits and yet hold no number."""
    return _DRAWN.fullmatch(text) is not None


def without_link_keys(text: str) -> str:
    """Masks what has the form of the key of a link."""
    return _LINK_KEY.sub(MASK, text)


def masked_event(name: str) -> str:
    """The name of an event as histories and logs may show it: it may be the code, or hold it.

    >>> masked_event("Code6180"), masked_event("1-2-3-4"), masked_event("Paid2")
    ('Code*****', '*****', 'Paid2')
    """
    plain = without_link_keys(ascii_digits(visible(name)))
    return _CODE.sub(MASK, plain) if re.search(r"[^\W\d_]", plain) else MASK


def _without_number(part: str) -> str:
    if is_drawn(part):
        return part
    return _NUMBER.sub(MASK, ascii_digits(visible(part)))
