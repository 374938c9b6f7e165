"""Ids of verifications."""

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
