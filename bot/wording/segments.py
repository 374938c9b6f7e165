"""How a text is sent: its encoding, its units, its segments. Each segment is billed.

Source: 3GPP TS 23.038 (the GSM-7 alphabet and its extension) and TS 23.040 (segments); Twilio picks
the tightest encoding by itself.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

# GSM 03.38: characters of one septet, and those that take two.
GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_TWICE = frozenset("^{}\\[~]|€\f")
_GSM7_ALL = GSM7 | GSM7_TWICE
# Units of a text that is one segment, and of each segment of a longer one, which has a header.
_SINGLE = {"GSM-7": 160, "UCS-2": 70}
_OF_MANY = {"GSM-7": 153, "UCS-2": 67}


@dataclass(frozen=True, slots=True)
class Segments:
    encoding: str  # GSM-7 or UCS-2
    units: int  # septets, or 16-bit units
    count: int


def segments(text: str) -> Segments:
    """
    >>> segments("0042 €"), segments("0042 …")
    (Segments(encoding='GSM-7', units=7, count=1), Segments(encoding='UCS-2', units=6, count=1))
    """
    is_gsm7 = _GSM7_ALL.issuperset(text)
    encoding, size_of = ("GSM-7", _septets) if is_gsm7 else ("UCS-2", _utf16_units)
    units = size_of(text)
    if units <= _SINGLE[encoding]:
        return Segments(encoding, units, 1)
    room = _OF_MANY[encoding]
    if units == len(text):  # each character takes one
        return Segments(encoding, units, math.ceil(units / room))
    return Segments(encoding, units, _count(map(size_of, text), room))


def _septets(text: str) -> int:
    return len(text) + sum(map(text.count, GSM7_TWICE))


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _count(sizes: Iterable[int], room: int) -> int:
    """The number of segments. A character of two units is never split between two segments."""
    count, used = 1, 0
    for size in sizes:
        if used + size > room:
            count, used = count + 1, 0
        used += size
    return count
