"""The webhook of our number at Twilio: read it, compare it, set it."""

from dataclasses import dataclass
from typing import Any

from twilio.base.exceptions import TwilioException
from urllib3.exceptions import HTTPError

from bot.channels.twilio.client import client, describe
from bot.settings import Settings

# Twilio repeats nothing that met a dying server unless the address asks for it in its fragment,
# which is neither sent nor signed: twice more, after a 5xx, a failed connection or a timeout.
RETRIES = "#rc=2&rp=5xx,ct,rt"


class NumberUnknown(Exception):
    """The number cannot be read at Twilio; says why."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The webhook as it is set: its faults, and other settings that decide."""

    url: str
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


def wanted_url(settings: Settings) -> str:
    return f"{settings.public_base_url}/twilio/sms{RETRIES}"


def check(settings: Settings) -> Webhook:
    """Raises NumberUnknown."""
    return _compare(settings, _number(settings))


def set_webhook(settings: Settings) -> Webhook:
    """Sets address and method, then reads them back. Raises NumberUnknown."""
    number = _number(settings)
    try:
        number.update(sms_url=wanted_url(settings), sms_method="POST")
    except (TwilioException, HTTPError) as error:
        raise NumberUnknown(f"The number cannot be read at Twilio ({describe(error)}).") from None
    return check(settings)


def _number(settings: Settings) -> Any:
    if settings.twilio_phone_number is None:
        raise NumberUnknown(
            "Texts go through a Messaging Service, so its own integration setting decides. In"
            f" Twilio's console set its incoming webhook to {wanted_url(settings)} (HTTP POST), or"
            " let it use the webhook of each number."
        )
    try:
        found = client(settings).incoming_phone_numbers.list(
            phone_number=settings.twilio_phone_number, limit=1
        )
    except (TwilioException, HTTPError) as error:
        raise NumberUnknown(f"The number cannot be read at Twilio ({describe(error)}).") from None
    if not found:
        raise NumberUnknown("This account has no such number. Check TWILIO_PHONE_NUMBER.")
    return found[0]


def _compare(settings: Settings, number: Any) -> Webhook:
    wanted = wanted_url(settings)
    faults = []
    if number.sms_url != wanted:
        faults.append(f"the webhook is {number.sms_url or 'not set'}, it should be {wanted}")
    if number.sms_method != "POST":
        faults.append(f"the method is {number.sms_method}, it should be POST")
    if number.sms_application_sid:
        faults.append("a TwiML app is set, and it wins over the webhook: take it out")
    return Webhook(number.sms_url or "", tuple(faults), _service_warnings(settings, number.sid))


def _service_warnings(settings: Settings, number_sid: str) -> tuple[str, ...]:
    """In a Messaging Service, the service decides whether the number's webhook is used at all."""
    twilio = client(settings)
    warnings = []
    try:
        for service in twilio.messaging.v1.services.list(limit=50):
            pool = twilio.messaging.v1.services(service.sid).phone_numbers.list(limit=400)
            is_member = any(member.sid == number_sid for member in pool)
            if is_member and not service.use_inbound_webhook_on_number:
                warnings.append(
                    f"the number belongs to the Messaging Service {service.sid}, which does not"
                    " use the number's webhook: replies go to"
                    f" {service.inbound_request_url or 'nobody'}"
                )
    except (TwilioException, HTTPError) as error:
        warnings.append(f"whether a Messaging Service decides cannot be read ({describe(error)})")
    return tuple(warnings)
