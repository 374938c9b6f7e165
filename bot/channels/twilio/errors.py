"""Looks up Twilio's error codes (`error_codes.py`): the consequence for a text, and what to tell
the operator. Decide on the code, never on Twilio's message, which contains the phone number.
"""

from bot.channels.gateway import Blame
from bot.channels.twilio.error_codes import ADVICE, ERROR_CODES, ErrorCode, Kind
from bot.channels.twilio.reply_errors import LOST_REPLIES, WITHHELD

OPTED_OUT, CREDENTIALS, NOT_FOUND = 21610, 20003, 20404


def blame(code: int, error: ErrorCode) -> Blame:
    """The consequence of an error, beyond its sentence."""
    if code == OPTED_OUT:
        return Blame.OPTED_OUT
    if code == CREDENTIALS:
        return Blame.CREDENTIALS
    return Blame.NUMBER if error.kind is Kind.NUMBER else Blame.OURS


UNKNOWN_PERMANENT = ErrorCode(
    Kind.OURS, "Twilio refused the text.", "Look the error up in Twilio's console."
)
UNKNOWN_PASSING = ErrorCode(
    Kind.PASSING,
    "Twilio or a carrier had an unknown problem.",
    "Look the error up in Twilio's console.",
)


def at_send(code: int, http_status: int) -> ErrorCode:
    """The meaning of a refusal by the API. An unknown code is temporary with status 429 or 5xx and
    permanent with any other 4xx.

    >>> at_send(21211, 400).is_permanent, at_send(99999, 400).is_permanent
    (True, True)
    >>> at_send(99999, 429).kind
    <Kind.LIMIT: 'limit'>
    """
    if http_status == 429:
        return ERROR_CODES.get(code, ErrorCode(Kind.LIMIT, "Twilio is busy.", ADVICE[Kind.LIMIT]))
    return ERROR_CODES.get(code, UNKNOWN_PASSING if http_status >= 500 else UNKNOWN_PERMANENT)


def in_report(code: int | None) -> ErrorCode:
    """The meaning of an error in a delivery report. An unknown one is only shown."""
    return ERROR_CODES.get(code or 0, UNKNOWN_PASSING)


def sentence(code: int | None) -> str | None:
    """The meaning of a code; None: it is not known."""
    error = ERROR_CODES.get(code or 0)
    return error.sentence if error else of_reply(code or 0)


def with_advice(code: int) -> str:
    """The meaning of a code, and what to do."""
    error = ERROR_CODES.get(code)
    unknown = "not one that Textback knows. Look it up in Twilio's console."
    return error.with_advice if error else of_reply(code) or unknown


def of_reply(code: int) -> str | None:
    """Why Twilio withheld or lost a reply; None: no such code."""
    return WITHHELD.get(code) or LOST_REPLIES.get(code)
