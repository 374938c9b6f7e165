"""The number or short code that texts are sent from, and where its replies go."""

from collections.abc import Iterator
from typing import Any

from bot.channels.gateway import Finding
from bot.channels.twilio.number import diverted, of_number, wanted_url
from bot.channels.twilio.questions import Questions, Unanswered, Why
from bot.channels.twilio.readiness.findings import (
    FindingKind,
    capitalized,
    fault,
    good,
    warning,
)
from bot.channels.twilio.senders import sender
from bot.domain import phone

SET = "`flask number set` sets it."


def findings(questions: Questions) -> Iterator[Finding]:
    """Raises Unanswered."""
    masked = phone.masked(questions.settings.twilio_phone_number or "")
    try:
        number = sender(questions)
    except Unanswered as failed:
        if failed.why is not Why.NOT_FOUND:
            raise
        yield fault(
            FindingKind.NUMBER,
            f"The account has no number {masked}. Check TWILIO_PHONE_NUMBER, and whether the number"
            " belongs to another account or subaccount.",
        )
        return
    if can_text(number):
        yield good(
            FindingKind.NUMBER, f"The number {masked} belongs to the account and can send texts."
        )
    else:
        yield fault(
            FindingKind.NUMBER,
            f"The number {masked} can neither send nor receive texts: use another number.",
        )
    yield from _webhook(questions, number)


def can_text(found: Any) -> bool:
    """Whether it can text. A short code always can, and has no list of capabilities."""
    capabilities = getattr(found, "capabilities", None)
    if not capabilities:
        return True
    if isinstance(capabilities, dict):
        return any(capabilities.get(name) for name in ("sms", "SMS"))
    return "SMS" in capabilities  # of a number in a pool


def _webhook(questions: Questions, number: Any) -> Iterator[Finding]:
    differences, elsewhere = of_number(questions, number)
    for difference in differences:
        yield fault(FindingKind.WEBHOOK, f"The number: {difference.fault}. {SET}")
    for service in elsewhere:
        sentence = diverted(service)
        yield fault(FindingKind.WEBHOOK, f"{capitalized(sentence)}.")
    if not differences and not elsewhere:
        yield good(FindingKind.WEBHOOK, f"Replies are posted to {wanted_url(questions.settings)}.")
    yield from fallback(number.sms_fallback_url, "number")


def fallback(url: str | None, what: str) -> Iterator[Finding]:
    if url:
        yield warning(
            FindingKind.WEBHOOK,
            f"The {what} has a fallback webhook. When our webhook does not answer, the person gets"
            " the fallback's answer, and the reply counts only once Textback has read it from"
            " Twilio's list.",
        )
