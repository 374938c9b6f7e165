"""Ids of verifications."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable


def new_id(clock: Callable[[], int] = time.time_ns) -> str:
    """32 lower-case hex digits: a UUID of version 7 (RFC 9562) without its dashes.

    It begins with the time, so new rows go to the end of every index, which costs the same after
    ten million rows as after ten.
    """
    milliseconds = clock() // 1_000_000 & (1 << 48) - 1
    value = milliseconds << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return f"{value:032x}"


def hex_id(id: str) -> str:
    """The same in 32 hex digits, for APIs whose ids have that form: an id of ours as it is, one
    that a caller chose by its hash.

    >>> hex_id("019c0f1e6b7c7000a000000000000000"), len(hex_id("my id"))
    ('019c0f1e6b7c7000a000000000000000', 32)
    """
    is_ours = re.fullmatch(r"[0-9a-f]{32}", id) is not None
    return id if is_ours else hashlib.sha256(id.encode()).hexdigest()[:32]
