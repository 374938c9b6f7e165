"""`flask check --twilio`: is the account at Twilio ready? Nothing is sent or changed."""

from collections.abc import Callable, Iterator

from bot.channels.gateway import Finding, Level
from bot.channels.twilio.questions import Questions, Unanswered, Why
from bot.channels.twilio.readiness import (
    account,
    address,
    api_key,
    countries,
    number,
    registration,
    replies,
    service,
)
from bot.channels.twilio.readiness.findings import FindingKind, fault, warning
from bot.settings import Settings

Probe = Callable[[Questions], Iterator[Finding]]
_NEEDED = (FindingKind.ACCOUNT, FindingKind.NUMBER)  # unanswered, nothing is known to be ready
_STOPS = (FindingKind.CONNECTION, FindingKind.CREDENTIALS)


def findings(settings: Settings) -> Iterator[Finding]:
    """Yields each finding as soon as it is known. If Twilio cannot be reached, or does not accept
    the credentials, the remaining questions to Twilio are skipped."""
    questions = Questions(settings)
    sender = service.findings if settings.twilio_messaging_service_sid else number.findings
    probes: list[tuple[FindingKind, Probe]] = [
        (FindingKind.ACCOUNT, account.findings),
        (FindingKind.API_KEY, api_key.findings),
        (FindingKind.NUMBER, sender),
        (FindingKind.REGISTRATION, registration.findings),
        (FindingKind.COUNTRIES, countries.findings),
        (FindingKind.REPLIES, replies.findings),
    ]
    for kind, probe in probes:
        found = list(_guarded(questions, kind, probe))
        yield from found
        # A wrong auth token stops nothing if an API key is set: the key asks the other questions.
        is_over = any(one.level is Level.FAULT and one.kind in _STOPS for one in found)
        if is_over and not (kind is FindingKind.ACCOUNT and _goes_on(found, settings)):
            break
    yield from address.findings(settings)


def _goes_on(found: list[Finding], settings: Settings) -> bool:
    is_reached = all(one.kind != FindingKind.CONNECTION for one in found)
    return is_reached and settings.twilio_api_key_sid is not None


def _guarded(questions: Questions, kind: FindingKind, probe: Probe) -> Iterator[Finding]:
    try:
        yield from probe(questions)
    except Unanswered as failed:
        if failed.why is Why.CONNECTION:
            yield fault(FindingKind.CONNECTION, failed.sentence)
        elif failed.why is Why.NOT_PERMITTED:
            yield warning(kind, f"This could not be checked. {failed.sentence}")
        elif failed.why in (Why.CREDENTIALS, Why.TEST_CREDENTIALS):
            yield fault(FindingKind.CREDENTIALS, failed.sentence)
        elif failed.why is Why.TEMPORARY and kind in _NEEDED:
            yield fault(kind, failed.sentence)
        else:
            yield warning(kind, failed.sentence)
