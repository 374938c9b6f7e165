"""The settings that decisions on verifications depend on."""

from dataclasses import dataclass

from bot.domain.code import Keyring
from bot.domain.limits import Limit
from bot.domain.verification import Terms


@dataclass(frozen=True, slots=True)
class Rules:
    keyring: Keyring
    terms: Terms
    from_address: str  # what texts are sent from: our number or our Messaging Service
    locale: str = "en"  # BCP 47 tag of what is texted
    service_name: str | None = None
    challenge_template: str | None = None  # None: the default text
    allowed_countries: frozenset[str] = frozenset()  # empty: all
    wrong_per_number: tuple[Limit, ...] = ()  # bounds on wrong answers
    erases_at_twilio: bool = False
