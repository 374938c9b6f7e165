"""Remedies for refusals on the console: a sentence, and a link to the page to go to."""

from dataclasses import dataclass

from flask import url_for

from bot.domain.errors import (
    BreakerOpen,
    CountryNotAllowed,
    Disowned,
    LimitReached,
    NumberBusy,
    OptedOut,
    QueueTooLong,
    Refusal,
    SenderUnavailable,
)
from bot.domain.limits import LimitName

_OF_NUMBER = frozenset([LimitName.PER_NUMBER, LimitName.WRONG_PER_NUMBER])


@dataclass(frozen=True, slots=True)
class Remedy:
    sentence: str
    link: str = ""
    address: str = ""


def remedy(refusal: Refusal, number: str) -> Remedy | None:
    """Finds the remedy for a refusal; None if the refusal itself says all. `number`: as typed."""
    match refusal:
        case OptedOut():
            return Remedy(
                "Twilio refuses texts until the person texts START. If Textback missed one:",
                "Clear its opt-out",
                url_for("console.opt_outs", number=number),
            )
        case Disowned():
            return Remedy(
                "If the person asks for a code after all:",
                "Clear its limits",
                url_for("console.limits", number=number),
            )
        case LimitReached() if refusal.limit_name in _OF_NUMBER:
            return Remedy(
                "If you know the person:",
                "Clear its limits",
                url_for("console.limits", number=number),
            )
        case LimitReached():
            return Remedy(
                f"It counts starts of all numbers. If it is too low, raise {refusal.limit_name} and"
                " restart:",
                "Show its usage",
                url_for("console.limits"),
            )
        case BreakerOpen() | SenderUnavailable() | QueueTooLong():
            return Remedy("To find the cause:", "See the state", url_for("console.limits"))
        case NumberBusy():
            return Remedy(
                "Another caller began it:",
                "See the pending one",
                url_for("console.listing", q=number, status="pending"),
            )
        case CountryNotAllowed():
            return Remedy("Add the country to ALLOWED_COUNTRIES and restart.")
    return None
