"""Ids of verifications, and the form in which logs show ids that callers chose."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable

from bot.domain.characters import ascii_digits, visible

MASK = "*****"
# Seven digits and more, whatever separates them, may be a number.
_NUMBER = re.compile(r"\+?[0-9](?:[\W_]*[0-9]){6,}")
# A key that was meant for the query, where "?" is missing or encoded (%3F; & is %26). It may hold
# slashes.
_KEY = re.compile(r"(?:(?<![^\W_])|(?<=3f)|(?<=26))(code(?:=|%(?:25)*3d))[^&]*", re.IGNORECASE)
_CODE = re.compile(r"[0-9](?:[\W_]*[0-9]){3,}")
# Our own ids and other random ids.
_DRAWN = re.compile(
    r"[0-9a-f]{16}|(?:[A-Z]{2})?[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE,
)


def new_id(clock: Callable[[], int] = time.time_ns) -> str:
    """32 lower-case hex digits: a UUID of version 7 (RFC 9562) without its dashes.

    It begins with the time, so new rows go to the end of every index, which costs the same after
    ten million rows as after ten. Twelve bits are a fraction of the millisecond (section 6.2,
    method 3): ids of one process that are 245 ns apart are in the order of time.
    """
    milliseconds, nanoseconds = divmod(clock(), 1_000_000)
    value = milliseconds & (1 << 48) - 1
    value = value << 4 | 7
    value = value << 12 | nanoseconds * 4096 // 1_000_000
    value = value << 2 | 0b10
    value = value << 62 | secrets.randbits(62)
    return f"{value:032x}"


def hex_id(id: str) -> str:
    """An id as 32 hex digits, for APIs whose ids have that form: our own ids unchanged, ids that
    callers chose hashed.

    >>> hex_id("019c0f1e6b7c7000a000000000000000"), len(hex_id("my id"))
    ('019c0f1e6b7c7000a000000000000000', 32)
    """
    return id if is_ours(id) else hashlib.sha256(id.encode()).hexdigest()[:32]


def run_id(nonce: str) -> str:
    """A permanent name of one verification, a hash of its nonce: after a removal a caller may use
    its id again.

    >>> len(run_id("a nonce"))
    32
    """
    return hashlib.sha256(nonce.encode()).hexdigest()[:32]


def is_ours(id: str) -> bool:
    """Whether it has the form of our ids, which are random and identify no person."""
    return re.fullmatch(r"[0-9a-f]{32}", id) is not None


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


def masked_event(name: str) -> str:
    """The name of an event as histories and logs may show it: it may be the code, or hold it.

    >>> masked_event("Code6180"), masked_event("1-2-3-4"), masked_event("Paid2")
    ('Code*****', '*****', 'Paid2')
    """
    plain = ascii_digits(visible(name))
    return _CODE.sub(MASK, plain) if re.search(r"[^\W\d_]", plain) else MASK


def _without_number(part: str) -> str:
    if is_drawn(part):
        return part
    return _NUMBER.sub(MASK, ascii_digits(visible(part)))
