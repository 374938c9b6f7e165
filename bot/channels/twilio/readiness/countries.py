"""Whether texts may go to the countries of ALLOWED_COUNTRIES (Messaging Geo Permissions)."""

from collections.abc import Iterator
from typing import Any

from bot.channels.gateway import Finding
from bot.channels.twilio.questions import Questions, Unanswered, Why
from bot.channels.twilio.readiness.findings import FindingKind, fault, good, look

WHERE = "Twilio's console, Messaging > Settings > Geo permissions"


def findings(questions: Questions) -> Iterator[Finding]:
    """Raises Unanswered."""
    countries = questions.settings.countries
    try:
        states = _states(questions)
    except Unanswered as failed:
        if failed.why is Why.CONNECTION:
            raise
        states = {}
    if not states:
        shown = ", ".join(sorted(countries)) or "those whose numbers you verify"
        yield look(
            FindingKind.COUNTRIES,
            f"Twilio does not say which countries texts may go to. In {WHERE}, these must be on,"
            f" and others should be off: {shown}.",
        )
        return
    is_on = {country for country, is_open in states.items() if is_open}
    off = sorted(countries & states.keys() - is_on)
    if off:
        yield fault(
            FindingKind.COUNTRIES,
            f"Texts to {', '.join(off)} are switched off (error 21408). Switch them on in {WHERE}.",
        )
    elif not countries:
        yield look(
            FindingKind.COUNTRIES,
            f"ALLOWED_COUNTRIES names all, and Twilio lets texts go to {len(is_on)} countries."
            f" Switch off those without users, to prevent SMS pumping: {WHERE}.",
        )
    else:
        yield good(FindingKind.COUNTRIES, "Texts may go to the countries of ALLOWED_COUNTRIES.")


def _states(questions: Questions) -> dict[str, bool]:
    """Maps each country to whether texts may go there."""
    permissions = questions.client.accounts.v1.messaging_geopermissions
    found: Any = questions.ask(permissions.fetch)
    return {
        str(one["country_code"]): bool(one["enabled"])
        for one in found.permissions or ()
        if one.get("type") == "country" and "enabled" in one
    }
