"""The routes that Twilio posts to.

The signature is checked before anything is looked up or written. A text is answered in TwiML after
its transaction is committed. Ignored webhooks are counted by reason and logged; ignored texts are
remembered too, so that the console can show them to an operator whose user says that they replied.
"""

import logging
from collections.abc import Mapping

from flask import Blueprint, Request, Response, request

from bot.channels.gateway import NotForUs
from bot.channels.twilio.signature import Signature
from bot.channels.twilio.webhooks import EMPTY, Form, read_report, read_text, twiml
from bot.http import openapi
from bot.http.body import current_request, whole_body
from bot.http.errors import Forbidden
from bot.http.form_fields import fields_of, has_few_fields
from bot.http.openapi import Part
from bot.http.paths import safe_path
from bot.observability.logs import note
from bot.observability.metrics import UNKNOWN_TEXT, UNREADABLE_REPORT, RefusedWebhook
from bot.service import Service
from bot.store.tx import StoreUnavailable
from bot.usecases.answer import ignore_text, judge_text
from bot.usecases.inbound_text import InboundText, Judged
from bot.usecases.report import reported

log = logging.getLogger(__name__)


def blueprint(service: Service) -> Blueprint:
    webhooks = Webhooks(service)
    routes = Blueprint("twilio", __name__)
    # An operator types this address at Twilio, perhaps with a slash at its end.
    routes.add_url_rule(
        "/twilio/sms", "receive", webhooks.receive, methods=["POST"], strict_slashes=False
    )
    routes.add_url_rule("/twilio/status/<text_id>", "report", webhooks.report, methods=["POST"])
    return routes


class Webhooks:
    def __init__(self, service: Service) -> None:
        settings = service.settings
        self._service = service
        self._metrics = service.metrics
        self._store = service.store
        self._account_sid = settings.twilio_account_sid
        self._signature = Signature(
            settings.twilio_auth_token, public_base_url=settings.public_base_url
        )

    def _signed_form(self) -> Form:
        """The first value of each field, once the signature is checked: no route reads an unsigned
        form. Raises Forbidden."""
        fields = _signed_fields(current_request(), self._signature)
        if fields is None:
            sentence = "This request does not carry Twilio's signature for this address."
            raise self._refused(RefusedWebhook.SIGNATURE, "without a valid signature", sentence)
        form = {name: values[0] for name, values in fields.items()}
        if form.get("AccountSid", self._account_sid) != self._account_sid:
            sentence = "This request comes from another Twilio account."
            raise self._refused(RefusedWebhook.ACCOUNT, "of another account", sentence)
        return form

    def receive(self) -> Response:
        text = read_text(self._signed_form(), self._service.settings)
        note(sid=text.message_sid)
        if isinstance(text, NotForUs):
            if self._store.write(ignore_text, text):
                self._ignored(text.reason)
            return Response(EMPTY, mimetype="text/xml")
        judged = self._judged(text)
        if judged.is_repeat:
            self._metrics.webhook_refused(RefusedWebhook.REPEAT)
        if judged.ignored is not None:
            self._ignored(judged.ignored)
        return Response(twiml(judged.answer), mimetype="text/xml")

    def _judged(self, text: InboundText) -> Judged:
        """Raises StoreUnavailable, whatever the database says: Twilio has the reply, and its list
        is read again."""
        until = self._service.judged_until
        try:
            return self._store.write(
                judge_text, text, rules=self._service.rules, judged_until=until
            )
        except self._store.errors as error:
            self._store.outages.interrupted()
            raise StoreUnavailable("the database refused a reply") from error

    def report(self, text_id: str) -> tuple[str, int]:
        report = read_report(text_id, self._signed_form())
        if report is None:
            self._ignored(UNREADABLE_REPORT)
            return "", 204
        delivery, error_code = report.delivery.value, report.error_code
        note(text=text_id, sid=report.sid, delivery=delivery, error_code=error_code)
        result = self._store.write(reported, report, self._service.rules)
        if result.verification is None:
            self._ignored(UNKNOWN_TEXT)
            return "", 204
        note(origin=result.verification.request_id, verification=result.verification.id)
        if result.is_news:
            self._metrics.delivered(delivery, error_code)
        if result.waited is not None:
            delay = self._service.admission.delivery_delay
            delay.note(result.waited.delay, now=result.waited.at)
        return "", 204

    def _refused(self, reason: RefusedWebhook, how: str, sentence: str) -> Forbidden:
        self._metrics.webhook_refused(reason)
        log.warning("refused a webhook %s: %s", how, safe_path(request.path))
        return Forbidden(sentence)

    def _ignored(self, reason: str) -> None:
        self._metrics.webhook_ignored(reason)
        note(ignored=reason)


def part() -> Part:
    """The part of the OpenAPI description."""
    text = {"type": "string"}
    inbound = openapi.operation(
        "receiveText",
        "An inbound text, from Twilio",
        {
            200: openapi.Body("TwiML", "text/xml"),
            400: "Fault",
            403: "Fault",
            413: "Fault",
            503: "Fault",
        },
        requestBody=openapi.form("Inbound"),
        security=[{"twilio": []}],
    )
    report = openapi.operation(
        "receiveDeliveryReport",
        "A delivery report, from Twilio",
        {204: None, 403: "Fault", 404: None, 413: "Fault", 503: "Fault"},
        requestBody=openapi.form("Report"),
        parameters=[openapi.path("text")],
        security=[{"twilio": []}],
    )
    return Part(
        paths={"/twilio/sms": {"post": inbound}, "/twilio/status/{text}": {"post": report}},
        schemas={
            "TwiML": text,
            "Inbound": {"type": "object", "additionalProperties": text},
            "Report": {"type": "object", "additionalProperties": text},
        },
        security={"twilio": {"type": "apiKey", "in": "header", "name": "X-Twilio-Signature"}},
    )


def _signed_fields(webhook: Request, signature: Signature) -> Mapping[str, list[str]] | None:
    """The form's fields with all their values; None: its signature is missing or not valid."""
    headers = webhook.headers
    if not signature.is_plausible(headers):
        return None
    body = whole_body(webhook)
    if not has_few_fields(body):
        return None
    fields = fields_of(body)
    # The raw query, as it was on the wire: request.url is only for showing.
    query = webhook.environ.get("QUERY_STRING", "")
    path = webhook.path + (f"?{query}" if query else "")
    return fields if signature.is_valid(headers, fields, path=path) else None
