"""Logging: one line of JSON each, to standard error.

`request` is the current HTTP request, `origin` the one that started the verification. A search for
that id finds the start, the sends, the webhooks and the end. Code that logs must mask phone numbers
and never log a code or a key.
"""

import json
import logging
import random
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from threading import Event

from bot.domain.masking import safe
from bot.observability.redaction import redacted

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
# Further fields for the line of the current request or send; None outside of both.
_NOTED: ContextVar[dict[str, object] | None] = ContextVar("noted", default=None)

_are_access_lines_written = Event()

# The fields that a line may have. Code that logs passes them as `extra`.
FIELDS = (
    "origin",
    "verification",
    "phone",
    "events",
    "status",
    "cause",
    "attempt",
    "error_code",
    "text",
    "sid",
    "delivery",
    "event",
    "endpoint",
    "host",
    "try",
    "ignored",
    "client",
    "operator",
    "via",
    "detail",
    "method",
    "path",
    "milliseconds",
)

_REQUEST_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9._-]{8,64}")


class Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redacted(self.line(record))

    def line(self, record: logging.LogRecord) -> str:
        return super().format(record)


class JsonLines(Lines):
    def line(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **extra_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class TextLines(Lines):
    """The same lines as plain text, as `make run` shows them."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in extra_fields(record).items())
        return f"{super().formatMessage(record)}  {fields}".rstrip()


FORMATTERS = {"json": JsonLines, "text": TextLines}


class ConfiguredLines(logging.Formatter):
    """The one formatter of all handlers, gunicorn's too: a reload may bring another form."""

    lines: Lines

    def format(self, record: logging.LogRecord) -> str:
        return self.lines.format(record)


FORMATTER = ConfiguredLines()


def extra_fields(record: logging.LogRecord) -> dict[str, object]:
    """The fields of a line beside its message."""
    request_id = getattr(record, "request", None) or REQUEST_ID.get()
    held = record.__dict__.get
    shown = {name: value for name in FIELDS if (value := held(name)) is not None}
    if "verification" in shown:
        shown["verification"] = safe(redacted(str(shown["verification"])))  # callers may choose it
    return {"request": request_id, **shown} if request_id else shown


def begin_request(id: str) -> dict[str, object]:
    """Sets the id of the current request. Returns the fields of its access line: the id, and those
    that `note` adds later."""
    REQUEST_ID.set(id)
    noted: dict[str, object] = {"request": id}
    _NOTED.set(noted if _are_access_lines_written.is_set() else None)
    return noted


@contextmanager
def noting() -> Iterator[dict[str, object]]:
    """What is noted in this block belongs to a line that the caller writes with these fields."""
    noted: dict[str, object] = {}
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)


def note(**fields: object) -> None:
    """Adds to the line of the request or send at hand: one line is cheaper than two."""
    noted = _NOTED.get()
    if noted is not None:
        noted.update(fields)


def takes_change() -> bool:
    """Whether a change of a verification can be noted: a line will follow, and has no change
    yet."""
    noted = _NOTED.get()
    return noted is not None and "events" not in noted


def log_changes_apart() -> None:
    """Changes get lines of their own from here on: the access line of a request that waits is
    written late."""
    _NOTED.set(None)


def end_request() -> None:
    """The next line of this thread belongs to no request."""
    REQUEST_ID.set("")
    _NOTED.set(None)


def expect_access_lines() -> None:
    """Called by a server that writes an access line for every request, with what is noted."""
    _are_access_lines_written.set()


def configure(form: str) -> None:
    """`form`: json or text."""
    FORMATTER.lines = FORMATTERS[form]()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATTER)
    logging.basicConfig(level=logging.INFO, handlers=[handler])  # nothing, at a reload
    # Do not collect what no line shows: https://docs.python.org/3/howto/logging.html#optimization
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # The library writes addresses, queries and headers at this level.
    logging.getLogger("twilio.http_client").setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # addresses, of which a query is a secret


def request_id(sent: str | None) -> str:
    """Returns the request id that the caller sent, or a new one if there is none or it is unusable.

    An id that may hold a phone number or a secret is unusable.

    >>> request_id("order-4711-a"), len(request_id("tel-14255550123"))
    ('order-4711-a', 16)
    """
    is_usable = sent is not None and _REQUEST_ID.fullmatch(sent) and safe(redacted(sent)) == sent
    return sent if sent and is_usable else f"{random.getrandbits(64):016x}"
