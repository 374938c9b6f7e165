"""What Twilio posts to us: texts from phones, and reports on how far our own have come.

The signature of both is checked before anything is looked up or written. A text is answered in
TwiML after its transaction has been committed. Ignored webhooks are counted by their reason and
logged; ignored texts are remembered too, for the console to show to an operator whose user says
that they replied.
"""

import logging
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from flask import Blueprint, Response, request
from twilio.twiml.messaging_response import MessagingResponse

from bot.channels.twilio import addresses, errors
from bot.channels.twilio.errors import Kind
from bot.channels.twilio.signature import Signature
from bot.domain.errors import Forbidden, InvalidWebhook
from bot.domain.reply import Keyword
from bot.observability.logs import note, safe
from bot.settings import Settings
from bot.store.inbound import Ignored
from bot.store.outbox import DELIVERIES
from bot.usecases.answer import InboundText
from bot.usecases.delivery import Report
from bot.usecases.verifications import Verifications

_SHORT_CODE = re.compile("[0-9]{5,6}")
_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
_OPT_OUT_TYPES = {"STOP": Keyword.STOP, "START": Keyword.START, "HELP": Keyword.HELP}
_EMPTY = str(MessagingResponse())

log = logging.getLogger(__name__)


class Counters(Protocol):
    def webhook_refused(self, reason: str) -> None: ...

    def webhook_ignored(self, reason: str) -> None: ...

    def delivered(self, delivery: str, error_code: int | None) -> None: ...


def blueprint(verifications: Verifications, settings: Settings, counters: Counters) -> Blueprint:
    routes = Blueprint("twilio", __name__)
    signature = Signature(settings.twilio_auth_tokens, public_base_url=settings.public_base_url)

    @routes.before_request
    def check_signature() -> None:
        if not signature.is_valid(request):
            counters.webhook_refused("signature")
            log.warning("refused a webhook without a valid signature: %s", safe(request.path))
            raise Forbidden("This request does not carry Twilio's signature for this address.")
        if request.form.get("AccountSid", settings.twilio_account_sid) != (
            settings.twilio_account_sid
        ):
            counters.webhook_refused("account")
            log.warning("refused a webhook of another account: %s", safe(request.path))
            raise Forbidden("This request is of another Twilio account.")

    def ignored(reason: str) -> None:
        counters.webhook_ignored(reason)
        note(ignored=reason)

    @routes.post("/twilio/sms")
    def receive() -> Response:
        text = _inbound_text(settings)
        note(sid=text.message_sid)
        if isinstance(text, NotForUs):
            if verifications.ignore_text(text.message_sid, text.reason, text.sender):
                ignored(text.reason)
            return Response(_EMPTY, mimetype="text/xml")
        judged = verifications.judge_text(text)
        if judged.is_repeat:
            counters.webhook_refused("repeat")
        if judged.ignored is not None:
            ignored(judged.ignored)
        return Response(_twiml(judged.answer), mimetype="text/xml")

    @routes.post("/twilio/status/<text_id>")
    def report(text_id: str) -> tuple[str, int]:
        delivery = _report(text_id, settings)
        if delivery is None:
            ignored("unreadable_report")
        else:
            counters.delivered(delivery.delivery, delivery.error_code)
            note(
                text=text_id,
                sid=delivery.sid,
                delivery=delivery.delivery,
                error_code=delivery.error_code,
            )
            verifications.report(delivery)
        return "", 204

    return routes


@dataclass(frozen=True, slots=True)
class NotForUs:
    """A text whose sender is no phone, or that was not sent to us."""

    message_sid: str
    reason: Ignored
    sender: str  # masked


def _inbound_text(settings: Settings) -> InboundText | NotForUs:
    """Raises InvalidWebhook."""
    message_sid = request.form.get("MessageSid", "")
    if not _SID.fullmatch(message_sid):
        raise InvalidWebhook("MessageSid must be SM or MM and 32 hexadecimal digits.")
    if "From" not in request.form:
        raise InvalidWebhook("From is missing.")
    sender, service = request.form["From"], request.form.get("MessagingServiceSid", "")
    is_of_service = service == settings.twilio_messaging_service_sid
    number = addresses.phone_of(sender, is_of_service=is_of_service)
    if number is None:
        reason = addresses.reason_to_ignore(sender)
        return NotForUs(message_sid, reason, addresses.masked(sender))
    if not _is_for_us(settings):
        return NotForUs(message_sid, Ignored.OTHER_RECIPIENT, addresses.masked(sender))
    return InboundText(
        message_sid=message_sid,
        phone=number,
        sender=settings.sender,
        body=request.form.get("Body", ""),
        keyword=_OPT_OUT_TYPES.get(request.form.get("OptOutType", "").upper()),
        is_to_short_code=bool(_SHORT_CODE.fullmatch(request.form.get("To", settings.sender))),
    )


def _is_for_us(settings: Settings) -> bool:
    if settings.twilio_phone_number:
        return request.form.get("To", settings.sender) == settings.sender
    return request.form.get("MessagingServiceSid", settings.sender) == settings.sender


def _report(text_id: str, settings: Settings) -> Report | None:
    sid = request.form.get("MessageSid", "")
    delivery = request.form.get("MessageStatus", "").lower()
    if not _SID.fullmatch(sid) or delivery not in DELIVERIES:
        return None
    code = request.form.get("ErrorCode", "")
    error_code = int(code) if re.fullmatch(r"[0-9]{1,6}", code) else None
    trouble = errors.in_report(error_code)
    return Report(
        text_id=text_id,
        sid=sid,
        delivery=delivery,
        error_code=error_code,
        # Carriers say `undelivered` of texts that arrived, so that alone ends nothing.
        is_final=delivery == "failed" and trouble.is_permanent,
        is_of_number=trouble.kind is Kind.NUMBER,
        sentence=trouble.sentence,
        sender=settings.sender,
        is_to_erase=settings.erase_at_twilio == "yes",
    )


@lru_cache(maxsize=128)  # the sentences are few, and building XML takes longer than judging
def _twiml(answer: str | None) -> str:
    if answer is None:
        return _EMPTY
    response = MessagingResponse()
    response.message(answer)
    return str(response)
