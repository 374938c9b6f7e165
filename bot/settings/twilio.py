"""The account at Twilio and what texts are sent from."""

from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from bot.settings.server import base_url
from bot.settings.types import Group, Values, matching, setting


def _api_base_url(url: str) -> str:
    checked = base_url(url)
    parts = urlsplit(checked)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError("plain http is for this machine alone; use https")
    return checked


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


ApiBaseUrl = Annotated[str, AfterValidator(_api_base_url)]


class TwilioSettings(Group):
    twilio_account_sid: Annotated[str, matching("AC[0-9a-fA-F]{32}")] = setting(
        "AC and 32 hexadecimal digits, from Twilio's console",
    )
    twilio_auth_token: Values = setting(
        "the account's auth token; while it is rotated, new and old with a comma between",
        repr=False,
    )
    twilio_api_key_sid: Annotated[str, matching("SK[0-9a-fA-F]{32}")] | None = setting(
        "SK and 32 hexadecimal digits", default=None
    )
    twilio_api_key_secret: str | None = setting(
        "the secret of that API key", default=None, repr=False
    )
    twilio_phone_number: Annotated[str, matching(r"\+[1-9][0-9]{6,14}|[0-9]{5,6}")] | None = (
        setting(
            "a number of yours at Twilio that receives texts, such as +14255550100, or a short code"
            " (a sender made of letters cannot receive the reply)",
            default=None,
        )
    )
    twilio_messaging_service_sid: Annotated[str, matching("MG[0-9a-fA-F]{32}")] | None = setting(
        "MG and 32 hexadecimal digits", default=None
    )
    twilio_api_base_url: ApiBaseUrl | None = setting(
        "another address that answers like Twilio's API, such as http://127.0.0.1:8001",
        default=None,
    )
    twilio_timeout_seconds: Annotated[float, Field(ge=0.5, le=8)] = setting("0.5 to 8", default=8.0)
    send_concurrency: Annotated[int, Field(ge=1, le=256)] = setting("1 to 256", default=32)
    erase_at_twilio: Literal["yes", "no"] = setting("yes or no", default="no")

    @property
    def from_address(self) -> str:
        """The address that texts are sent from: our number or our Messaging Service."""
        return self.twilio_messaging_service_sid or self.twilio_phone_number or ""

    @model_validator(mode="after")
    def _one_sender(self) -> Self:
        if bool(self.twilio_phone_number) == bool(self.twilio_messaging_service_sid):
            raise ValueError(
                "TWILIO_PHONE_NUMBER or TWILIO_MESSAGING_SERVICE_SID: exactly one of them must be"
                " set, it is what texts are sent from"
            )
        return self

    @model_validator(mode="after")
    def _whole_api_key(self) -> Self:
        if bool(self.twilio_api_key_sid) != bool(self.twilio_api_key_secret):
            raise ValueError(
                "TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET: set both of them or neither"
            )
        return self
