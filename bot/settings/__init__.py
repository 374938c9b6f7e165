"""The environment, read once into one frozen value. What is missing or senseless stops the start
with one line that names the variable and says what it should look like. Each setting stands beside
its validator, in the file of its group.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from dotenv import dotenv_values
from pydantic import ValidationError, model_validator

from bot.domain import numbering, phone
from bot.settings.keys import KeySettings
from bot.settings.limits import LimitSettings
from bot.settings.server import ServerSettings
from bot.settings.twilio import TwilioSettings
from bot.settings.webhooks import WebhookSettings
from bot.wording.catalogues import BrokenCatalogue

# Names that are read too, where the variable itself is not set: the sample's and earlier ones.
OTHER_NAMES = {
    "TwilioAccountSid": "TWILIO_ACCOUNT_SID",
    "TwilioAuthToken": "TWILIO_AUTH_TOKEN",
    "TwilioPhoneNumber": "TWILIO_PHONE_NUMBER",
    "SENDERS": "SEND_CONCURRENCY",
}


class SettingsError(Exception):
    """Says, a line for each variable, what is wrong and what it should look like."""


class Settings(LimitSettings, KeySettings, TwilioSettings, ServerSettings, WebhookSettings):
    """Every setting. `docs/settings.md` tells more of each."""

    @property
    def countries(self) -> frozenset[str]:
        """Whose numbers are verified; empty: all countries'."""
        if self.allowed_countries == ("*",):
            return frozenset()
        if self.allowed_countries:
            return frozenset(self.allowed_countries)
        return numbering.counted_as_one(phone.country(self.twilio_phone_number or ""))

    @property
    def home_country(self) -> str:
        """Whose numbers an operator may search as they are dialled there; ZZ: there is none."""
        if (self.twilio_phone_number or "").startswith("+"):
            return phone.country(self.twilio_phone_number or "")
        return min(self.countries) if len(self.countries) == 1 else "ZZ"

    @model_validator(mode="after")
    def _no_event_to_itself(self) -> "Settings":
        own = urlsplit(self.public_base_url)
        for url in self.webhook_urls:
            parts = urlsplit(url)
            if (parts.hostname, _port(parts)) == (own.hostname, _port(own)):
                raise ValueError(
                    "WEBHOOK_URLS: an address is Textback's own PUBLIC_BASE_URL. It should be your"
                    " application's."
                )
        return self

    @model_validator(mode="after")
    def _known_country(self) -> "Settings":
        if not self.allowed_countries and not (self.twilio_phone_number or "").startswith("+"):
            raise ValueError(
                "ALLOWED_COUNTRIES is not set, and what texts are sent from does not tell its"
                " country. It should be countries of two letters, US,CA, or * for all."
            )
        return self


def with_file(environment: Mapping[str, str], folder: Path | None = None) -> dict[str, str]:
    """With what the environment does not name from the file .env of the working directory, or of
    `folder`."""
    kept = dotenv_values((folder or Path.cwd()) / ".env")
    return {**{name: value or "" for name, value in kept.items()}, **environment}


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment; an empty variable counts as unset. Raises SettingsError."""
    # An empty limit is no limit; anything else that is empty is unset.
    filled = {
        name: value
        for name, value in environment.items()
        if value.strip() or name.startswith("LIMIT_")
    }
    for other, name in OTHER_NAMES.items():
        if other in filled:
            filled.setdefault(name, filled[other])
    try:
        return Settings.model_validate(filled)
    except BrokenCatalogue as error:
        raise SettingsError(f"bot/wording/catalogues/{error}") from None
    except ValidationError as error:
        lines = [_line(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors()]
        raise SettingsError("\n".join(lines)) from None


def variables() -> dict[str, tuple[str, Any, bool]]:
    """Every variable with what it should look like, its default, and whether it is required."""
    return {
        name.upper(): (field.description or "", field.default, field.is_required())
        for name, field in Settings.model_fields.items()
    }


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _line(place: tuple[int | str, ...], kind: str, message: str) -> str:
    """One fault in words. Values are not repeated: some of them are secrets."""
    what = message.removeprefix("Value error, ")
    if not place:
        return what
    name = str(place[0])
    looks_like = variables()[name][0]
    if kind == "missing":
        return f"{name} is not set. It should be {looks_like}."
    return f"{name} cannot be used: {what}. It should be {looks_like}."
