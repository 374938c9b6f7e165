"""What Twilio posts to us: texts from phones, and reports on how far our own have come.

Both are signed, and nothing is looked up or written before that is checked. A text is answered in
TwiML, after its transaction: what is committed is what is said.
"""

import logging
import re
from functools import lru_cache
from typing import Protocol

from flask import Blueprint, Response, abort, request
from twilio.twiml.messaging_response import MessagingResponse

from bot.domain import phone
from bot.domain.errors import InvalidWebhook
from bot.domain.reply import Keyword
from bot.logs import note, safe
from bot.settings import Settings
from bot.sms import errors
from bot.sms.signature import Signature
from bot.store.outbox import DELIVERIES
from bot.usecases.delivery import Report
from bot.usecases.reply import InboundText
from bot.usecases.verifications import Verifications

_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
_OPT_OUT_TYPES = {"STOP": Keyword.STOP, "START": Keyword.START, "HELP": Keyword.HELP}
_EMPTY = str(MessagingResponse())

log = logging.getLogger(__name__)


class Counters(Protocol):
    def webhook_refused(self, reason: str) -> None: ...

    def delivered(self, delivery: str, error_code: int | None) -> None: ...


def blueprint(verifications: Verifications, settings: Settings, counters: Counters) -> Blueprint:
    routes = Blueprint("twilio", __name__)
    signature = Signature(settings.twilio_auth_tokens, public_base_url=settings.public_base_url)

    @routes.before_request
    def check_signature() -> None:
        if not signature.is_valid(request):
            counters.webhook_refused("signature")
            log.warning("refused a webhook without a valid signature: %s", safe(request.path))
            abort(403)
        if request.form.get("AccountSid", settings.twilio_account_sid) != (
            settings.twilio_account_sid
        ):
            counters.webhook_refused("account")
            log.warning("refused a webhook of another account: %s", safe(request.path))
            abort(403)

    @routes.post("/twilio/sms")
    def receive() -> Response:
        text = _inbound_text(settings)
        if text is None:
            return Response(_EMPTY, mimetype="text/xml")
        note(sid=text.message_sid)
        judged = verifications.judge_text(text)
        if judged.is_repeat:
            counters.webhook_refused("repeat")
        return Response(_twiml(judged.answer), mimetype="text/xml")

    @routes.post("/twilio/status/<text_id>")
    def report(text_id: str) -> tuple[str, int]:
        delivery = _report(text_id, settings)
        if delivery is not None:
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


def _inbound_text(settings: Settings) -> InboundText | None:
    """The text posted, or None where its sender is no phone or it is not to our sender.

    Raises InvalidWebhook.
    """
    message_sid = request.form.get("MessageSid", "")
    if not _SID.fullmatch(message_sid):
        raise InvalidWebhook("MessageSid must be SM or MM and 32 hexadecimal digits.")
    if "From" not in request.form:
        raise InvalidWebhook("From is missing.")
    number = request.form["From"]
    if not phone.is_e164(number) or not _is_for_us(settings):
        return None
    return InboundText(
        message_sid=message_sid,
        phone=number,
        sender=settings.sender,
        body=request.form.get("Body", ""),
        keyword=_OPT_OUT_TYPES.get(request.form.get("OptOutType", "")),
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
        is_final=delivery in ("failed", "undelivered") and trouble.is_permanent,
        sentence=trouble.sentence,
        sender=settings.sender,
    )


@lru_cache(maxsize=128)  # the sentences are few, and building XML takes longer than judging
def _twiml(answer: str | None) -> str:
    if answer is None:
        return _EMPTY
    response = MessagingResponse()
    response.message(answer)
    return str(response)
