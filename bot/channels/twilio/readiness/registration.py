"""Registrations that US carriers require: a campaign for long codes (10DLC), a verification of
toll-free numbers."""

from collections.abc import Iterator
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberType

from bot.channels.gateway import Finding
from bot.channels.twilio.questions import Questions
from bot.channels.twilio.readiness.findings import FindingKind, fault, good
from bot.channels.twilio.senders import pool_of, sender, service_of, services_with
from bot.settings import Settings

_MOST = 20
_APPROVED = "TWILIO_APPROVED"


def findings(questions: Questions) -> Iterator[Finding]:
    """Raises Unanswered."""
    settings = questions.settings
    if settings.twilio_messaging_service_sid:
        services = [service_of(questions)]
        numbers = pool_of(questions, services[0].sid).numbers
    elif (settings.twilio_phone_number or "").startswith("+1"):
        found = sender(questions)
        numbers, services = [found], list(services_with(questions, found.sid))
    else:
        return
    long_codes = [one for one in numbers if _is_long_code(one.phone_number)]
    if long_codes and _texts_to(settings, "US"):
        yield _campaign(questions, services)
    if _texts_to(settings, "US") or _texts_to(settings, "CA"):
        for number in numbers:
            if _is_toll_free(number.phone_number):
                yield _verification(questions, number)


def _texts_to(settings: Settings, country: str) -> bool:
    return not settings.countries or country in settings.countries


def _is_toll_free(number: str) -> bool:
    kind = phonenumbers.number_type(phonenumbers.parse(number))
    return number.startswith("+1") and kind == PhoneNumberType.TOLL_FREE


def _is_long_code(number: str) -> bool:
    return number.startswith("+1") and not _is_toll_free(number)


def _campaign(questions: Questions, services: list[Any]) -> Finding:
    campaigns = [one for service in services for one in _campaigns(questions, service.sid)]
    verified = [one for one in campaigns if one.campaign_status == "VERIFIED"]
    if verified:
        case = verified[0].us_app_to_person_usecase
        return good(
            FindingKind.REGISTRATION,
            f"The US campaign (10DLC) is verified, for the use case {case}.",
        )
    if not campaigns:
        return fault(
            FindingKind.REGISTRATION,
            "The number is in no Messaging Service with a US campaign (10DLC), so US carriers"
            " deliver nothing (error 30034). Register one, which takes weeks: docs/twilio.md.",
        )
    return _unverified(questions, campaigns[0])


def _campaigns(questions: Questions, service_sid: str) -> list[Any]:
    listing = questions.client.messaging.v1.services(service_sid).us_app_to_person.list
    found: list[Any] = questions.ask(lambda: listing(limit=_MOST, page_size=_MOST))
    return found


def _unverified(questions: Questions, campaign: Any) -> Finding:
    brands = questions.client.messaging.v1.brand_registrations
    brand = questions.ask(brands(campaign.brand_registration_sid).fetch)
    return fault(
        FindingKind.REGISTRATION,
        f"The US campaign (10DLC) is {_word(campaign.campaign_status)} and its brand"
        f" {_word(brand.status)}: until both are accepted US carriers deliver nothing (error"
        " 30034). Twilio's console says what is missing.",
    )


def _verification(questions: Questions, number: Any) -> Finding:
    listing = questions.client.messaging.v1.tollfree_verifications.list
    found = questions.ask(
        lambda: listing(tollfree_phone_number_sid=number.sid, limit=_MOST, page_size=_MOST)
    )
    states = [one.status for one in found]
    if _APPROVED in states:
        return good(FindingKind.TOLL_FREE, "The toll-free number is verified.")
    state = f"its verification is {_word(states[0])}" if states else "it was not submitted"
    return fault(
        FindingKind.TOLL_FREE,
        f"The toll-free number is not verified ({state}), so nothing is delivered to the US and"
        " Canada (error 30032). Twilio's console has the form under the number.",
    )


def _word(state: str | None) -> str:
    """Formats a status constant for people: IN_REVIEW becomes `in review`."""
    return (state or "of unknown state").removeprefix("TWILIO_").replace("_", " ").lower()
