"""The settings that decisions on verifications depend on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.code import Keyring
from bot.domain.limits import Limit
from bot.domain.verification import Terms


@dataclass(frozen=True, slots=True)
class Languages:
    """BCP 47 tags. A challenge template is in the default language."""

    offered: tuple[str, ...] = ("en",)
    default: str = "en"
    by_country: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    keyring: Keyring
    terms: Terms
    from_address: str  # what texts are sent from: our number or our Messaging Service
    languages: Languages = Languages()
    most_segments: int = 1  # of a text
    service_name: str | None = None
    challenge_template: str | None = None  # None: the default text
    allowed_countries: frozenset[str] = frozenset()  # empty: all
    wrong_per_number: tuple[Limit, ...] = ()  # bounds on wrong answers
    erases_at_twilio: bool = False
