"""Describes invalid values in our own words, one line per variable. Only a number outside its range
is repeated: any other value may be a secret, and a library's message may contain it."""

from collections.abc import Mapping
from typing import Any

from bot.settings.types import Unusable

# As keyboards, word processors and web pages write them.
QUOTES = "\"'`´‘’‚‛“”„‟«»‹›＂＇"

_WORDS = {
    "greater_than_equal": "it is less than {ge} ({value:.20})",
    "less_than_equal": "it is more than {le} ({value:.20})",
    "int_parsing": "it is not a whole number",
    "int_parsing_size": "the number is too large",
    "int_from_float": "it is not a whole number",
    "float_parsing": "it is not a number",
    "finite_number": "it is not a number",
    "literal_error": "it is not one of the values that can be chosen",
    "string_too_long": "it is longer than {max_length} characters",
}
_UNREAD = "it has another form"


def line(name: str, fault: Mapping[str, Any], *, looks_like: str, value: str) -> str:
    """Describes one of pydantic's faults in a line."""
    # A missing part of a value is reported as missing too, one level down.
    if fault["type"] == "missing" and len(fault["loc"]) == 1:
        return f"{name} is not set. It should be {looks_like}."
    return f"{name} cannot be used: {_reason(fault, value)}. It should be {looks_like}."


def _reason(fault: Mapping[str, Any], value: str) -> str:
    if is_quoted(value):
        return "it is in quotes, which would be part of the value"
    details = fault.get("ctx", {})
    error = details.get("error")
    if isinstance(error, Unusable):
        return str(error)
    return _WORDS.get(fault["type"], _UNREAD).format(**details, value=value.strip())


def is_quoted(value: str) -> bool:
    """Docker's --env-file, for one, leaves quotes in place.

    >>> is_quoted("'quoted'"), is_quoted("it's"), is_quoted('"')
    (True, False, False)
    """
    kept = value.strip()
    return len(kept) > 1 and kept[0] in QUOTES and kept[-1] in QUOTES
