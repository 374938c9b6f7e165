"""The exceptions of the twilio library: their meaning, and descriptions without private data."""

import json

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from urllib3 import exceptions as urllib3_errors

# An answer of the API with an error; the second one for application/problem+json.
REFUSALS = (TwilioRestException, TwilioServiceException)
# JSON that is no message, or is nested too deeply.
NO_MESSAGE = (ValueError, TypeError, AttributeError, RecursionError)
# A list can end in Twilio's refusal, a broken connection, or an unreadable answer.
UNREADABLE = (TwilioException, urllib3_errors.HTTPError, *NO_MESSAGE)


def http_status(error: Exception) -> int | None:
    answer = error.args[1] if len(error.args) > 1 else None
    status = getattr(error, "status", None) or getattr(answer, "status_code", None)
    return status if isinstance(status, int) else None  # the library takes some from the body


def twilio_code(error: Exception) -> int | None:
    """Twilio's own code. None if a proxy answered instead: without a code in the answer, the
    library puts the HTTP status in its place."""
    code = getattr(error, "code", None)
    if code is None and isinstance(error, TwilioException) and len(error.args) > 1:
        # Reading a list raises an error that holds the answer in place of a code.
        code = _code_in(str(getattr(error.args[1], "text", "")))
    return code if isinstance(code, int) and 10_000 <= code < 1_000_000 else None


def _code_in(body: str) -> object:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):  # a proxy's page
        return None
    return answer.get("code") if isinstance(answer, dict) else None


def describe(error: Exception) -> str:
    """An error without its message: that may hold a number or a key."""
    code = twilio_code(error) or http_status(error)
    return f"Twilio answered with error {code}" if code else f"no answer: {type(error).__name__}"
