"""Reads what Twilio posts: texts from phones, and delivery reports. Pure functions of a form, which
`routes.py` calls once its signature is checked."""

import re
from collections.abc import Mapping
from functools import lru_cache

from twilio.twiml.messaging_response import MessagingResponse

from bot.channels.gateway import Blame, NotForUs, Report
from bot.channels.twilio import addresses, errors
from bot.domain.delivery import Delivery
from bot.domain.ignored import IgnoreReason
from bot.domain.keywords import Keyword
from bot.http.errors import InvalidWebhook
from bot.settings import Settings
from bot.usecases.inbound_text import InboundText

_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
_OPT_OUT_TYPES = {"STOP": Keyword.STOP, "START": Keyword.START, "HELP": Keyword.HELP}
_STATES = frozenset(Delivery)
EMPTY = str(MessagingResponse())

Form = Mapping[str, str]


def read_text(form: Form, settings: Settings) -> InboundText | NotForUs:
    """Reads an inbound text. NotForUs: no phone sent it, or it was sent to another address of the
    account. Raises InvalidWebhook."""
    message_sid = form.get("MessageSid", "")
    if not _SID.fullmatch(message_sid):
        raise InvalidWebhook("MessageSid must be SM or MM and 32 hexadecimal digits.")
    if "From" not in form:
        raise InvalidWebhook("From is missing.")
    theirs = form["From"]
    is_of_service = form.get("MessagingServiceSid", "") == settings.twilio_messaging_service_sid
    number = addresses.phone_of(theirs, is_of_service=is_of_service)
    if number is None:
        reason = addresses.reason_to_ignore(theirs)
        return NotForUs(message_sid, reason, addresses.masked(theirs))
    if not addresses.is_to_us(form, settings):
        return NotForUs(message_sid, IgnoreReason.OTHER_RECIPIENT, addresses.masked(theirs))
    return InboundText(
        message_sid=message_sid,
        phone=number,
        from_address=settings.from_address,
        body=form.get("Body", ""),
        keyword=_OPT_OUT_TYPES.get(form.get("OptOutType", "").upper()),
        is_to_short_code=addresses.is_short_code(form.get("To", settings.from_address)),
    )


def read_report(text_id: str, form: Form) -> Report | None:
    """Parses a delivery report. Returns None if it cannot be read."""
    sid = form.get("MessageSid", "")
    status = form.get("MessageStatus", "").lower()
    if not _SID.fullmatch(sid) or status not in _STATES:
        return None
    delivery = Delivery(status)
    code = form.get("ErrorCode", "")
    error_code = int(code) or None if re.fullmatch(r"[0-9]{1,6}", code) else None
    known = errors.in_report(error_code)
    blame = errors.blame(error_code or 0, known)
    is_refused = blame is Blame.OPTED_OUT and delivery in (Delivery.FAILED, Delivery.UNDELIVERED)
    return Report(
        text_id=text_id,
        sid=sid,
        delivery=delivery,
        error_code=error_code,
        # Carriers say `undelivered` of texts that arrived, so that alone ends nothing. But Twilio
        # itself refuses texts to a number that has opted out.
        is_final=(delivery is Delivery.FAILED and known.is_permanent) or is_refused,
        blame=blame,
        sentence=known.sentence,
    )


@lru_cache(maxsize=128)  # the sentences are few, and building XML takes longer than judging
def twiml(answer: str | None) -> str:
    if answer is None:
        return EMPTY
    response = MessagingResponse()
    response.message(answer)
    return str(response)
