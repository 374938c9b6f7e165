"""Reads ids, event names, reasons, queries and headers of a request."""

import re
from urllib.parse import unquote

from flask import request

from bot.domain.placeholders import is_placeholder
from bot.faces.durable.errors import InvalidEventName, InvalidId, InvalidReason
from bot.faces.durable.query import Query
from bot.http.errors import InvalidIdempotencyKey
from bot.usecases.control import LONGEST_REASON

LONGEST_EVENT_NAME = 100  # characters

INTERVALS = ("pollingInterval", "retryInterval")
# U+FFFD stands for each byte of an address that is not UTF-8, so different ids would become one.
_FORBIDDEN_IN_IDS = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")


def valid_id(id: str) -> str:
    """Returns the id unchanged. Raises InvalidId."""
    # A browser resolves /. and /.. in an address, so no page could show these two.
    if id in (".", "..") or id.startswith("@") or _FORBIDDEN_IN_IDS.search(id) or len(id) > 256:
        raise InvalidId(
            "An instance id has at most 256 characters in UTF-8, does not begin with @, is not . or"
            " .., and holds no / \\ # ? and no control character."
        )
    if is_placeholder(id):
        raise InvalidId("The instance id is still a placeholder: put an id in its place.")
    return id


def refuse_escaped_slash() -> None:
    """Raises InvalidId. The path has its escapes undone by now: the part behind the slash would be
    taken for another word of the route."""
    address: str = request.environ.get("RAW_URI", "")
    if "%2f" in address.partition("?")[0].lower():
        raise InvalidId("No slash may be escaped in the address of an instance.")


def require_event_name(event: str) -> None:
    """Raises InvalidEventName. A name without a letter is the code, which is kept nowhere."""
    letters = re.sub(r"[\W_]", "", event).lower()
    # Also where the name was put beside the placeholder, not in its place.
    holds_ours = letters == "eventname" or "{eventname}" in unquote(event).lower()
    is_left_over = is_placeholder(event, in_prose=True) or holds_ours
    if len(event) > LONGEST_EVENT_NAME or is_left_over or not re.search(r"[^\W\d_]", event):
        raise InvalidEventName(
            f"The name of an event has at most {LONGEST_EVENT_NAME} characters, at least one of"
            " them a letter. It replaces {eventName} in the link: use SmsChallengeResponse."
        )


def reason(text: str | None) -> str | None:
    """Raises InvalidReason."""
    if text is None:
        return None
    if is_placeholder(text, in_prose=True):
        raise InvalidReason(
            "The reason is still the placeholder of the link: put a text in place of {text}, or"
            " leave the parameter out."
        )
    if len(text) > LONGEST_REASON:
        raise InvalidReason(f"A reason has at most {LONGEST_REASON} characters.")
    return text


def query() -> Query:
    return Query(request.args)


def idempotency_key() -> str | None:
    """The header Idempotency-Key; None: it was not sent. Raises InvalidIdempotencyKey."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= 200:
        raise InvalidIdempotencyKey("An Idempotency-Key has 1 to 200 characters.")
    if key is not None and is_placeholder(key):  # every start would get the first one's answer
        raise InvalidIdempotencyKey("The Idempotency-Key is still the placeholder of a template.")
    return key
