"""Spells numbers as Textback does, so that each phone here is the line that Textback texts.

The simulator uses nothing else of `bot`. With rules of its own, a phone that was added
as +52 1 55 … would wait for texts that go to +52 55 …
"""

import json
from functools import lru_cache
from typing import Any

from bot.domain.errors import InvalidNumber
from bot.domain.phone import known_as

__all__ = ["InvalidNumber", "line", "line_of_input", "read"]


def read(text: str) -> str:
    """A typed number in E.164. Numbers that Textback refuses are read too: phones may have them.

    >>> read("+1 (425) 555-0123")
    '+14255550123'

    Raises InvalidNumber where it is not in international form.
    """
    return known_as(text)[0]


@lru_cache(4096)  # reading takes half a millisecond, and the page asks of each phone twice a second
def line(text: str) -> str:
    """The number in international form; a text that is no number comes back unchanged."""
    try:
        return read(text)
    except InvalidNumber:
        return text


def line_of_input(value: Any) -> str:
    """Returns the phone in the input of a start, in any form that a start accepts.

    >>> line_of_input({"phoneNumber": "+1 425 555 0123", "tag": "order-1"})
    '+14255550123'
    >>> line_of_input('"+14255550123"')
    '+14255550123'
    """
    while isinstance(value, str) and value.startswith('"'):
        try:
            value = json.loads(value)
        except ValueError:
            break
    if isinstance(value, dict):
        value = value.get("phoneNumber")
    return line(value) if isinstance(value, str) else ""
