"""Ids of verifications."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable


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
