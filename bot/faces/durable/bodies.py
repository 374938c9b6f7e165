"""Reads request bodies: any bytes at all become a phone number, an answer, or a refusal.

The Python client of Durable Functions encodes twice (`"\\"+14255550123\\""`), so strings that hold
JSON strings are unwrapped.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from bot.domain import start_fields
from bot.domain.errors import InvalidNumber, InvalidStart
from bot.faces.durable.errors import InvalidAnswer, InvalidJson

# Deeper than any client nests, shallow enough to bound the unwrapping.
UNWRAPPED = 4
LONGEST_START_BYTES = 2048  # a tag of 128 characters, each as \uXXXX\uXXXX, has 1536

_BARE_DIGITS = re.compile(r"[ \t\r\n]*[0-9]{1,20}[ \t\r\n]*")
# Clients that encode twice send them as strings.
_CONSTANTS = {"null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class StartInput:
    number: str  # in any spelling
    json: str  # as it came
    locale: str | None = None
    tag: str | None = None


def start_input(body: bytes) -> StartInput:
    """A number as a JSON string, or an object with phoneNumber and perhaps locale and tag.

    Raises InvalidJson, InvalidNumber, InvalidStart.
    """
    text = _text(body)
    if not text.strip():
        raise InvalidNumber("A phone number input is required, as a JSON string in the body.")
    # Microsoft's client for Python sends an object as a string that contains JSON.
    value = _unwrapped(_parsed(text), openings=('"', "{"))
    if len(body) > LONGEST_START_BYTES:  # it is stored, and every status shows it
        raise InvalidNumber(f"A start may have at most {LONGEST_START_BYTES} bytes.")
    if isinstance(value, dict):
        return _start_object(value, text.strip())
    if not isinstance(value, str):
        raise InvalidNumber(
            'The body must be a JSON string such as "+14255550123", or an object with phoneNumber,'
            f" not {_kind(value)}."
        )
    return StartInput(value, text.strip())


def _start_object(value: dict[str, Any], text: str) -> StartInput:
    unknown = sorted(set(value) - {"phoneNumber", "locale", "tag"})
    if unknown:
        raise InvalidStart(
            f"A start has no field {unknown[0][:40]!r}. Its fields are phoneNumber, locale and tag."
        )
    number = value.get("phoneNumber")
    if not isinstance(number, str):
        raise InvalidNumber('phoneNumber must be a JSON string such as "+14255550123".')
    locale, tag = value.get("locale"), value.get("tag")
    return StartInput(number, text, locale=start_fields.locale(locale), tag=start_fields.tag(tag))


def answer(body: bytes, *, code_length: int) -> str:
    """The answer of a SmsChallengeResponse. `2168`, `"2168"`, `"\\"2168\\""` and the bare `0042`,
    which is no JSON, all mean those digits; an integer is padded to the code's length.

    Raises InvalidJson, InvalidAnswer.
    """
    text = _text(body)
    if _BARE_DIGITS.fullmatch(text):
        return text.strip().zfill(code_length)
    value = _unwrapped(_parsed(text), openings=('"', "{", "["))
    value = _CONSTANTS.get(value, value) if isinstance(value, str) else value
    if isinstance(value, str):
        return value
    if type(value) is not int or not 0 <= value < 10**20:  # a boolean is an int too
        raise InvalidAnswer(f"The answer must be the digits of the code, not {_kind(value)}.")
    return str(value).zfill(code_length)


def any_json(body: bytes) -> None:
    """Raises InvalidJson."""
    _parsed(_text(body))


def _text(body: bytes) -> str:
    """The body as text, without the byte order mark that .NET, Delphi and 1C put before it. UTF-16
    and UTF-32 are known by their mark or by their zero bytes."""
    try:
        return body.decode(json.detect_encoding(body)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise InvalidJson("The body is not UTF-8.") from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidJson("The body is not JSON.") from None


def _unwrapped(value: Any, *, openings: tuple[str, ...]) -> Any:
    """The value inside JSON that was written as a JSON string once more, as some clients do, with
    a byte order mark or without."""
    for _ in range(UNWRAPPED):
        inner = value.removeprefix("\ufeff") if isinstance(value, str) else ""
        if not inner.startswith(openings):
            return value
        try:
            value = json.loads(inner)
        except (ValueError, RecursionError):
            return value
    return value


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
