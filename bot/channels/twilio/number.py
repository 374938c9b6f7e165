"""Reads, checks and sets the webhook of the sending number or Messaging Service at Twilio.

A number or a short code has its own webhook. A Messaging Service has one for its whole pool, unless
it defers to the webhook of each sender. `set_webhook` turns deferring off, so that a number that
joins the pool later needs no configuration.
"""

from dataclasses import dataclass
from typing import Any

from bot.channels.twilio.questions import Questions, Unanswered, Why
from bot.channels.twilio.senders import SenderPool, pool_of, sender, service_of, services_with
from bot.settings import Settings

# Twilio repeats a failed webhook only if the fragment of its address asks for that: twice more,
# after a 5xx, a failed connection or a timeout. The fragment is neither sent nor signed.
RETRIES = "#rc=2&rp=5xx,ct,rt"
OWN, SENDERS = "its own webhook", "the webhook of each sender (Defer to sender's webhook)"


class WebhookUnreadable(Exception):
    """The number or service cannot be read or set at Twilio; says why."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The webhook as set at Twilio, with its faults, warnings, and the changes that were made."""

    url: str
    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A field at Twilio that does not have the wanted value."""

    field: str
    value: Any  # what to set
    what: str
    has: str
    wants: str

    @property
    def fault(self) -> str:
        return f"{self.what} is {self.has}, it should be {self.wants}"

    @property
    def change(self) -> str:
        return f"{self.what}: from {self.has} to {self.wants}"


def wanted_url(settings: Settings) -> str:
    return f"{settings.public_base_url}/twilio/sms{RETRIES}"


def check(settings: Settings, questions: Questions | None = None) -> Webhook:
    """Compares the webhook at Twilio with this service's. Raises WebhookUnreadable."""
    questions = questions or Questions(settings)
    try:
        if settings.twilio_messaging_service_sid:
            return _look_at_service(questions)
        return _look_at_number(questions)
    except Unanswered as failed:
        raise WebhookUnreadable(_why(failed, settings)) from None


def set_webhook(settings: Settings) -> Webhook:
    """Sets what differs, then reads it back. Raises WebhookUnreadable."""
    questions = Questions(settings)
    try:
        if settings.twilio_messaging_service_sid:
            changes = _set_service(questions)
        else:
            found = sender(questions)
            changes, _, _ = _read_number(questions, found)
            values = {change.field: change.value for change in changes}
            if values:
                questions.ask(lambda: found.update(**values))
    except Unanswered as failed:
        raise WebhookUnreadable(_why(failed, settings)) from None
    webhook = check(settings, questions)
    changed = tuple(change.change for change in changes)
    return Webhook(webhook.url, webhook.faults, webhook.warnings, changed)


def differences_of_sender(number: Any, expected: str) -> list[Difference]:
    """Compares a number or a short code, which has no TwiML app, with the wanted settings."""
    differences = []
    if number.sms_url != expected:
        has = number.sms_url or "not set"
        differences.append(Difference("sms_url", expected, "the webhook", has, expected))
    if number.sms_method != "POST":
        has = number.sms_method or "not set"
        differences.append(Difference("sms_method", "POST", "the method", has, "POST"))
    app = getattr(number, "sms_application_sid", None)
    if app:
        what = "the TwiML app (it wins over the webhook)"
        differences.append(Difference("sms_application_sid", "", what, app, "not set"))
    return differences


def _look_at_number(questions: Questions) -> Webhook:
    number = sender(questions)
    differences, elsewhere, unread = _read_number(questions, number)
    faults = [difference.fault for difference in differences] + list(map(diverted, elsewhere))
    url = number.sms_url if differences else wanted_url(questions.settings)
    return Webhook(url or "", tuple(faults), unread)


def _read_number(
    questions: Questions, number: Any
) -> tuple[list[Difference], list[Any], tuple[str, ...]]:
    """Returns what `of_number` does, and warnings where it could not be read."""
    try:
        return *of_number(questions, number), ()
    except Unanswered as failed:
        unread = f"whether a Messaging Service decides cannot be read: {failed.sentence}"
        return differences_of_sender(number, wanted_url(questions.settings)), [], (unread,)


def diverted(service: Any) -> str:
    """The fault of a Messaging Service that does not use the number's webhook."""
    return (
        f"the number is in the pool of the Messaging Service {service.sid}, which posts replies to"
        f" {target(service)}. In Twilio's console set its Integration to Defer to sender's webhook,"
        " or set TWILIO_MESSAGING_SERVICE_SID in place of the number"
    )


def of_number(questions: Questions, number: Any) -> tuple[list[Difference], list[Any]]:
    """Returns the differences of a number's own webhook (none if a Messaging Service posts to ours
    instead), and the services that post its replies elsewhere. Raises Unanswered."""
    expected = wanted_url(questions.settings)
    services = [
        service
        for service in services_with(questions, number.sid)
        if not service.use_inbound_webhook_on_number
    ]
    elsewhere = [service for service in services if _differences_of_service(service, expected)]
    is_unused = len(services) > len(elsewhere)
    return [] if is_unused else differences_of_sender(number, expected), elsewhere


def target(service: Any) -> str:
    """Where a service sends replies, for people."""
    method = "" if service.inbound_method == "POST" else f" by {service.inbound_method}"
    return f"{service.inbound_request_url or 'no address'}{method}"


def _look_at_service(questions: Questions) -> Webhook:
    service = service_of(questions)
    expected = wanted_url(questions.settings)
    if service.use_inbound_webhook_on_number:
        return _look_at_senders(questions, pool_of(questions, service.sid), expected)
    faults = [found.fault for found in _differences_of_service(service, expected)]
    return Webhook(
        service.inbound_request_url or "",
        tuple(faults),
        _unrepeated(service.inbound_request_url, expected),
    )


def _look_at_senders(questions: Questions, pool: SenderPool, expected: str) -> Webhook:
    """The service defers to each sender of its pool."""
    faults = [
        f"the service uses the webhook of each sender, and that of {pool.shown(found)}:"
        f" {difference.fault}"
        for found in pool.receivers(questions)
        for difference in differences_of_sender(found, expected)
    ]
    return Webhook(expected, tuple(faults), ())


def _differences_of_service(service: Any, expected: str) -> list[Difference]:
    differences = []
    if not _is_same(service.inbound_request_url, expected):
        has = service.inbound_request_url or "not set"
        differences.append(
            Difference("inbound_request_url", expected, "the service's webhook", has, expected)
        )
    if service.inbound_method != "POST":
        has = service.inbound_method or "not set"
        differences.append(
            Difference("inbound_method", "POST", "the service's method", has, "POST")
        )
    return differences


def _set_service(questions: Questions) -> list[Difference]:
    service = service_of(questions)
    expected = wanted_url(questions.settings)
    changes = _differences_of_service(service, expected)
    if service.use_inbound_webhook_on_number:
        field = "use_inbound_webhook_on_number"
        changes.append(Difference(field, False, "what the service uses", SENDERS, OWN))
    values = {change.field: change.value for change in changes}
    if not values:
        return []
    try:
        questions.ask(lambda: service.update(**values))
    except Unanswered as failed:
        if failed.why is not Why.REFUSED or "inbound_request_url" not in values:
            raise
        # It was not tested whether Twilio accepts the part after # for a service. Without it,
        # Twilio repeats fewer webhooks; replies lost that way are read from Twilio's list.
        plain = {**values, "inbound_request_url": expected.removesuffix(RETRIES)}
        questions.ask(lambda: service.update(**plain))
    return changes


def _is_same(url: str | None, wanted: str) -> bool:
    return url in (wanted, wanted.removesuffix(RETRIES))


def _unrepeated(url: str | None, wanted: str) -> tuple[str, ...]:
    if url != wanted.removesuffix(RETRIES):
        return ()
    return (
        f"the webhook lacks {RETRIES}, so Twilio does not repeat a reply that fails during a"
        " restart; Textback reads it from Twilio's list afterwards",
    )


def _why(failed: Unanswered, settings: Settings) -> str:
    what = "Messaging Service" if settings.twilio_messaging_service_sid else "number"
    if failed.why is Why.NOT_FOUND and failed.code is not None:
        return f"This account has no such {what}. Check {_variable(settings)}."
    return failed.sentence


def _variable(settings: Settings) -> str:
    of_service = settings.twilio_messaging_service_sid
    return "TWILIO_MESSAGING_SERVICE_SID" if of_service else "TWILIO_PHONE_NUMBER"
