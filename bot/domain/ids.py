"""Ids of verifications, and the form in which logs show ids that callers chose."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable

from bot.domain.characters import ascii_digits, visible

# Seven digits and more, whatever separates them, may be a number.
_NUMBER = re.compile(r"\+?[0-9](?:[\W_]*[0-9]){6,}")
# What follows may be the code: in place of an event's name, or of a verification in Verify's API.
_BEFORE_CODE = re.compile(
    r"(/(?:raiseevent|verifications|verificationcheck)/+)(.*)", re.IGNORECASE | re.DOTALL
)
# A key that was meant for the query, where "?" is missing or encoded (%3F; & is %26). It may hold
# slashes.
_KEY = re.compile(r"(?:(?<![^\W_])|(?<=3f)|(?<=26))(code(?:=|%(?:25)*3d))[^&]*", re.IGNORECASE)
_CODE = re.compile(r"[0-9](?:[\W_]*[0-9]){3,}")
# Our own ids and other random ids, which may be all digits and yet hold no number.
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
    """Names one verification for good, by a hash of its nonce: after a removal a caller may use its
    id again.

    >>> len(run_id("a nonce"))
    32
    """
    return hashlib.sha256(nonce.encode()).hexdigest()[:32]


def is_ours(id: str) -> bool:
    """Whether it has the form of our ids, which are random and identify no person."""
    return re.fullmatch(r"[0-9a-f]{32}", id) is not None


def safe(path: str) -> str:
    """A path or an id as a log may show it: a caller can put a number or a line break into one, the
    code in place of an event's name, or a key.

    >>> safe("/phones/+1 (425) 555-0123"), safe("/a\\nb"), safe("/raiseEvent/１２３４")
    ('/phones/*****', '/a\\\\nb', '/raiseEvent/*****')
    >>> safe("/instances/1&code=a-key/restart"), safe("/Verifications/0109")
    ('/instances/1&code=*****', '/Verifications/*****')
    """
    if _DRAWN.fullmatch(path):
        return path
    shown = _BEFORE_CODE.sub(lambda found: found[1] + _masked_events(found[2]), _decoded(path))
    shown = _KEY.sub(r"\1*****", shown)
    masked = "/".join(_without_number(part) for part in shown.split("/"))
    return masked.encode("unicode_escape").decode()


def masked_event(name: str) -> str:
    """The name of an event as histories and logs may show it: it may be the code, or hold it.

    >>> masked_event("Code6180"), masked_event("1-2-3-4"), masked_event("Paid2")
    ('Code*****', '*****', 'Paid2')
    """
    plain = ascii_digits(visible(name))
    return _CODE.sub("*****", plain) if re.search(r"[^\W\d_]", plain) else "*****"


def _masked_events(names: str) -> str:
    """A code may stand in further parts of the path too."""
    return "/".join(
        name if not name or _DRAWN.fullmatch(name) else masked_event(name)
        for name in names.split("/")
    )


def _without_number(part: str) -> str:
    if _DRAWN.fullmatch(part):
        return part
    return _NUMBER.sub("*****", ascii_digits(visible(part)))


def _decoded(path: str) -> str:
    """WSGI has the bytes of a path as Latin-1."""
    try:
        return path.encode("latin-1").decode()
    except UnicodeError:
        return path
