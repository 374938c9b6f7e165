"""The account at Twilio and what texts are sent from."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from bot.domain import phone
from bot.outbound.addresses import is_loopback_host
from bot.settings import secret
from bot.settings.public_address import base_url
from bot.settings.types import (
    Group,
    Integer,
    Unusable,
    Values,
    matching,
    rule,
    secret_setting,
    setting,
)

# Numbers that no phone has: 555-01xx of North America, and those of Twilio's test credentials.
_FICTIONAL = re.compile(r"\+1[0-9]{3}55501[0-9]{2}|\+1500555[0-9]{4}")
_HEX_TOKEN = re.compile(r"[0-9a-f]{32}")


def is_cloud(api_base_url: str | None) -> bool:
    """Whether texts go through Twilio itself, not through something that answers like it."""
    host = urlsplit(api_base_url or "https://api.twilio.com").hostname or ""
    return host == "twilio.com" or host.endswith(".twilio.com")


def _api_base_url(url: str) -> str:
    checked = base_url(url)
    parts = urlsplit(checked)
    if parts.scheme == "http" and not is_loopback_host(parts.hostname or ""):
        raise Unusable("plain http is for this machine alone; use https")
    if parts.path and is_cloud(checked):
        raise Unusable("Twilio's paths are added to it, so it has none")
    return checked


def _tokens(values: tuple[str, ...]) -> tuple[str, ...]:
    """Checks each auth token: every token in the list verifies signatures."""
    for value in values:
        secret.require_itself(value)
    return values


def _possible(sender: str) -> str:
    if sender.startswith("+") and not phone.is_possible(sender):
        raise Unusable("no country has numbers of this form: a digit is missing, or one too many")
    return sender


Sender = Annotated[str, matching(r"\+[1-9][0-9]{6,14}|[0-9]{5,6}"), AfterValidator(_possible)]
ApiBaseUrl = Annotated[str, AfterValidator(_api_base_url)]
ApiSecret = Annotated[str, AfterValidator(secret.hard_to_guess)]


class TwilioSettings(Group):
    twilio_account_sid: Annotated[str, matching("AC[0-9a-fA-F]{32}")] = setting(
        "AC and 32 hexadecimal digits, from Twilio's console",
    )
    twilio_auth_token: Annotated[Values, AfterValidator(_tokens)] = secret_setting(
        "the account's auth token; while it is rotated, new and old with a comma between",
    )
    twilio_api_key_sid: Annotated[str, matching("SK[0-9a-fA-F]{32}")] | None = setting(
        "SK and 32 hexadecimal digits", default=None
    )
    twilio_api_key_secret: ApiSecret | None = secret_setting(
        "the secret of that API key", default=None
    )
    twilio_phone_number: Sender | None = setting(
        "a number of yours at Twilio that receives texts, such as +14255550100, or a short code"
        " (a sender made of letters cannot receive the reply)",
        default=None,
    )
    twilio_messaging_service_sid: Annotated[str, matching("MG[0-9a-fA-F]{32}")] | None = setting(
        "MG and 32 hexadecimal digits", default=None
    )
    twilio_api_base_url: ApiBaseUrl | None = setting(
        "another address that answers like Twilio's API, such as http://127.0.0.1:8001",
        default=None,
    )
    twilio_region: Annotated[str, matching("[a-z]{2}[0-9]")] | None = setting(
        "a region of Twilio's, such as ie1", default=None
    )
    twilio_edge: Annotated[str, matching("[a-z]+(-[a-z]+)*")] | None = setting(
        "an edge of Twilio's, such as dublin", default=None
    )
    twilio_timeout_seconds: Annotated[float, Field(ge=0.5, le=8, allow_inf_nan=False)] = setting(
        "0.5 to 8", default=8.0
    )
    send_concurrency: Annotated[Integer, Field(ge=1, le=256)] = setting("1 to 256", default=64)
    erase_at_twilio: Literal["yes", "no"] = setting("yes or no", default="no")

    @property
    def from_address(self) -> str:
        """The address that texts are sent from: our number or our Messaging Service."""
        return self.twilio_messaging_service_sid or self.twilio_phone_number or ""

    @property
    def is_cloud(self) -> bool:
        """Whether texts go through Twilio itself."""
        return is_cloud(self.twilio_api_base_url)

    @property
    def is_simulated(self) -> bool:
        """Whether texts go to something on this machine that answers like Twilio."""
        url = self.twilio_api_base_url
        return url is not None and is_loopback_host(urlsplit(url).hostname or "")


@rule("twilio_phone_number", "twilio_messaging_service_sid")
def _one_from_address(settings: TwilioSettings) -> Iterator[str]:
    if bool(settings.twilio_phone_number) == bool(settings.twilio_messaging_service_sid):
        yield (
            "TWILIO_PHONE_NUMBER or TWILIO_MESSAGING_SERVICE_SID: exactly one of them must be set,"
            " it is what texts are sent from."
        )


@rule("twilio_api_key_sid", "twilio_api_key_secret")
def _whole_api_key(settings: TwilioSettings) -> Iterator[str]:
    if bool(settings.twilio_api_key_sid) != bool(settings.twilio_api_key_secret):
        yield "TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET: set both of them or neither."


@rule("twilio_api_base_url")
def _no_placeholder_sids(settings: TwilioSettings) -> Iterator[str]:
    """The local simulator takes any; Twilio gives none like AC000…"""
    for name in ("twilio_account_sid", "twilio_api_key_sid", "twilio_messaging_service_sid"):
        sid = getattr(settings, name)
        if settings.is_cloud and sid and len(set(sid[2:].lower())) < secret.FEWEST_CHARACTERS:
            yield f"{name.upper()} is a placeholder. It should be yours, from Twilio's console."


RULES = (_one_from_address, _whole_api_key, _no_placeholder_sids)


@rule("twilio_api_base_url", "twilio_phone_number")
def _own_number(settings: TwilioSettings) -> Iterator[str]:
    if settings.is_cloud and _FICTIONAL.fullmatch(settings.twilio_phone_number or ""):
        yield (
            "TWILIO_PHONE_NUMBER is reserved for examples and tests: put your own number in"
            " its place."
        )


@rule("twilio_api_base_url", "twilio_auth_token")
def _hexadecimal_tokens(settings: TwilioSettings) -> Iterator[str]:
    if settings.is_cloud and not all(map(_HEX_TOKEN.fullmatch, settings.twilio_auth_token)):
        yield (
            "TWILIO_AUTH_TOKEN holds a value of another form than Twilio's auth tokens, which are"
            " 32 hexadecimal digits. `flask check --twilio` tells whether Twilio accepts it."
        )


WARNINGS = (_own_number, _hexadecimal_tokens)
