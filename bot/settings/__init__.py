"""The environment, read once into one frozen value. Whatever is missing or senseless stops the
start with one line that names the variable and says what it should look like."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot import wording
from bot.domain import numbering, phone
from bot.domain.limits import LARGEST_CHANCE, GuessBudget, Limit, guess_budget
from bot.domain.verification import Terms
from bot.http.keys import UNNAMED_FUNCTION, UNNAMED_SYSTEM
from bot.settings.types import (
    ApiBaseUrl,
    BaseUrl,
    ChallengeText,
    Countries,
    DatabaseUrl,
    NamedKeys,
    SecretKey,
    SecretKeys,
    Values,
    limits,
    matching,
)

# Who starts verifications without a key of their own.
OWN_CALLERS = frozenset(["cli", "console"])


class SettingsError(Exception):
    """Says, a line for each variable, what is wrong and what it should look like."""


def _limit_setting(name: str, default: str) -> Any:
    looks_like = f"so many in so long, such as {default}; empty for none"
    return _setting(name, looks_like, default=default, validate_default=True)


def _setting(name: str, looks_like: str, *, also: str | None = None, **more: Any) -> Any:
    """A field read from the variable `name`, or from `also`, the name the sample gives it."""
    alias = AliasChoices(name, also) if also else name
    return Field(validation_alias=alias, description=looks_like, **more)


class Settings(BaseModel):
    """Every setting, with what it should look like. `docs/settings.md` tells more of each."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    public_base_url: BaseUrl = _setting(
        "PUBLIC_BASE_URL", "the address Twilio and callers see, such as https://verify.example.com"
    )
    twilio_account_sid: Annotated[str, matching("AC[0-9a-fA-F]{32}")] = _setting(
        "TWILIO_ACCOUNT_SID",
        "AC and 32 hexadecimal digits, from Twilio's console",
        also="TwilioAccountSid",
    )
    twilio_auth_tokens: Values = _setting(
        "TWILIO_AUTH_TOKEN",
        "the account's auth token; while it is rotated, new and old with a comma between",
        also="TwilioAuthToken",
        repr=False,
    )
    twilio_api_key_sid: Annotated[str, matching("SK[0-9a-fA-F]{32}")] | None = _setting(
        "TWILIO_API_KEY_SID", "SK and 32 hexadecimal digits", default=None
    )
    twilio_api_key_secret: str | None = _setting(
        "TWILIO_API_KEY_SECRET", "the secret of that API key", default=None, repr=False
    )
    twilio_phone_number: Annotated[str, matching(r"\+[1-9][0-9]{6,14}|[0-9]{5,6}")] | None = (
        _setting(
            "TWILIO_PHONE_NUMBER",
            "a number of yours at Twilio that receives texts, such as +14255550100, or a short code"
            " (a sender made of letters cannot receive the reply)",
            also="TwilioPhoneNumber",
            default=None,
        )
    )
    twilio_messaging_service_sid: Annotated[str, matching("MG[0-9a-fA-F]{32}")] | None = _setting(
        "TWILIO_MESSAGING_SERVICE_SID", "MG and 32 hexadecimal digits", default=None
    )
    twilio_api_base_url: ApiBaseUrl | None = _setting(
        "TWILIO_API_BASE_URL",
        "another address that answers like Twilio's API, such as http://127.0.0.1:8001",
        default=None,
    )
    twilio_timeout_seconds: Annotated[float, Field(ge=0.5, le=8)] = _setting(
        "TWILIO_TIMEOUT_SECONDS", "0.5 to 8", default=8.0
    )
    secret_key: SecretKey = _setting("SECRET_KEY", "a long random text", repr=False)
    secret_key_fallbacks: SecretKeys = _setting(
        "SECRET_KEY_FALLBACKS", "earlier secret keys with commas between", default=(), repr=False
    )
    function_keys: NamedKeys = _setting(
        "FUNCTION_KEY",
        "a long random text, or name:key,name:key for several callers; while one is rotated, new"
        " and old with a comma between",
        repr=False,
    )
    system_keys: NamedKeys = _setting(
        "SYSTEM_KEY",
        "a long random text, or name:key,name:key for several callers; while one is rotated, new"
        " and old with a comma between",
        repr=False,
    )
    console_key: SecretKey | None = _setting(
        "CONSOLE_KEY", "a long random text; unset: no console", default=None, repr=False
    )
    database_url: DatabaseUrl = _setting(
        "DATABASE_URL",
        "sqlite:/// and a path, such as sqlite:///instance/textback.db, or"
        " postgresql://user:password@host/name",
        default="sqlite:///instance/textback.db",
        repr=False,
    )
    code_length: Annotated[int, Field(ge=4, le=10)] = _setting("CODE_LENGTH", "4 to 10", default=4)
    window_seconds: Annotated[int, Field(ge=10, le=3600)] = _setting(
        "WINDOW_SECONDS", "10 to 3600", default=90
    )
    max_attempts: Annotated[int, Field(ge=1, le=10)] = _setting(
        "MAX_ATTEMPTS", "1 to 10", default=4
    )
    send_within_seconds: Annotated[int, Field(ge=5, le=600)] = _setting(
        "SEND_WITHIN_SECONDS", "5 to 600", default=60
    )
    service_name: str | None = _setting(
        "SERVICE_NAME", "the name that texts begin with", default=None, max_length=40
    )
    challenge_text: ChallengeText | None = _setting(
        "CHALLENGE_TEXT",
        "a text with {code} and perhaps {service}, {digits}, {seconds}, {reference}",
        default=None,
    )
    allowed_countries: Countries = _setting(
        "ALLOWED_COUNTRIES", "countries of two letters, US,CA, or * for all", default=()
    )
    limit_per_number: Annotated[tuple[Limit, ...], limits("LIMIT_PER_NUMBER")] = _limit_setting(
        "LIMIT_PER_NUMBER", "5/10 minutes; 10/day"
    )
    limit_per_country: Annotated[tuple[Limit, ...], limits("LIMIT_PER_COUNTRY")] = _limit_setting(
        "LIMIT_PER_COUNTRY", "300/hour"
    )
    limit_per_key: Annotated[tuple[Limit, ...], limits("LIMIT_PER_KEY")] = _limit_setting(
        "LIMIT_PER_KEY", "1000/hour"
    )
    limit_total: Annotated[tuple[Limit, ...], limits("LIMIT_TOTAL")] = _limit_setting(
        "LIMIT_TOTAL", "1000/hour"
    )
    limit_wrong_per_number: Annotated[tuple[Limit, ...], limits("LIMIT_WRONG_PER_NUMBER")] = (
        _limit_setting("LIMIT_WRONG_PER_NUMBER", "12/day")
    )
    breaker_texts_per_prefix: Annotated[int, Field(ge=5, le=100_000)] = _setting(
        "BREAKER_TEXTS_PER_PREFIX", "5 to 100000", default=20
    )
    breaker_texts_per_country: Annotated[int, Field(ge=5, le=100_000)] = _setting(
        "BREAKER_TEXTS_PER_COUNTRY", "5 to 100000", default=50
    )
    breaker_approved_percent: Annotated[int, Field(ge=0, le=50)] = _setting(
        "BREAKER_APPROVED_PERCENT", "0 to 50", default=5
    )
    retention_days: Annotated[int, Field(ge=1, le=3650)] = _setting(
        "RETENTION_DAYS", "1 to 3650", default=30
    )
    erase_at_twilio: Literal["yes", "no"] = _setting("ERASE_AT_TWILIO", "yes or no", default="no")
    dispatch: Literal["thread", "off"] = _setting("DISPATCH", "thread or off", default="thread")
    senders: Annotated[int, Field(ge=1, le=256)] = _setting("SENDERS", "1 to 256", default=32)
    connections: Annotated[int, Field(ge=10, le=100_000)] = _setting(
        "CONNECTIONS", "10 to 100000", default=4000
    )
    connections_per_address: Annotated[int, Field(ge=0, le=100_000)] = _setting(
        "CONNECTIONS_PER_ADDRESS", "0 to 100000; 0 for no bound of its own", default=200
    )
    database_connections: Annotated[int, Field(ge=2, le=1000)] = _setting(
        "DATABASE_CONNECTIONS", "2 to 1000", default=24
    )
    web_concurrency: Annotated[int, Field(ge=1, le=64)] = _setting(
        "WEB_CONCURRENCY", "1 to 64", default=1
    )
    log_format: Literal["json", "text"] = _setting("LOG_FORMAT", "json or text", default="json")
    port: Annotated[int, Field(ge=1, le=65535)] = _setting("PORT", "1 to 65535", default=8000)

    @property
    def terms(self) -> Terms:
        return Terms(
            code_length=self.code_length,
            window_seconds=self.window_seconds,
            max_attempts=self.max_attempts,
            send_within_seconds=self.send_within_seconds,
        )

    @property
    def countries(self) -> frozenset[str]:
        """Whose numbers are verified; empty: all countries'."""
        if self.allowed_countries == ("*",):
            return frozenset()
        if self.allowed_countries:
            return frozenset(self.allowed_countries)
        return numbering.counted_as_one(phone.country(self.twilio_phone_number or ""))

    @property
    def rate_limits(self) -> tuple[Limit, ...]:
        return (*self.limit_per_country, *self.limit_per_key, *self.limit_total)

    @property
    def guess_budget(self) -> GuessBudget:
        return guess_budget(
            self.limit_per_number,
            self.limit_wrong_per_number,
            attempts=self.max_attempts,
            code_length=self.code_length,
        )

    @property
    def sender(self) -> str:
        """What texts are sent from: our number or our Messaging Service."""
        return self.twilio_messaging_service_sid or self.twilio_phone_number or ""

    @property
    def database_name(self) -> str:
        """The address without its password."""
        return re.sub(r"//[^@/]*@", "//", self.database_url.partition("?")[0])

    @model_validator(mode="after")
    def _one_sender(self) -> "Settings":
        if bool(self.twilio_phone_number) == bool(self.twilio_messaging_service_sid):
            raise ValueError(
                "TWILIO_PHONE_NUMBER or TWILIO_MESSAGING_SERVICE_SID: exactly one of them must be"
                " set, it is what texts are sent from"
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

    @model_validator(mode="after")
    def _retained_long_enough(self) -> "Settings":
        for limit in (*self.limit_per_number, *self.limit_wrong_per_number, *self.rate_limits):
            if limit.window > timedelta(days=self.retention_days):
                raise ValueError(
                    f"RETENTION_DAYS is shorter than {limit} looks back. Raise it, or shorten the"
                    " limit."
                )
        return self

    @model_validator(mode="after")
    def _sound_guess_budget(self) -> "Settings":
        if not self.guess_budget.is_sound:
            raise ValueError(
                f"LIMIT_WRONG_PER_NUMBER, LIMIT_PER_NUMBER, MAX_ATTEMPTS and CODE_LENGTH allow"
                f" {self.guess_budget}; at most {LARGEST_CHANCE:.1%} is allowed. Lower the limits,"
                " or take a longer code."
            )
        return self

    @model_validator(mode="after")
    def _whole_api_key(self) -> "Settings":
        if bool(self.twilio_api_key_sid) != bool(self.twilio_api_key_secret):
            raise ValueError(
                "TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET: set both of them or neither"
            )
        return self

    @model_validator(mode="after")
    def _distinct_keys(self) -> "Settings":
        named = (*self.function_keys, *self.system_keys)
        keys = [key for _, key in named] + [self.console_key]
        if len(set(keys)) != len(keys):
            raise ValueError(
                "FUNCTION_KEY, SYSTEM_KEY and CONSOLE_KEY: every key must differ from the others"
            )
        if OWN_CALLERS & {name for name, _ in named}:
            raise ValueError(
                f"FUNCTION_KEY and SYSTEM_KEY: the names {' and '.join(sorted(OWN_CALLERS))} are"
                " Textback's own"
            )
        starters = {name or UNNAMED_FUNCTION for name, _ in self.function_keys}
        managers = {name or UNNAMED_SYSTEM for name, _ in self.system_keys}
        if starters & managers:
            raise ValueError(
                f"FUNCTION_KEY and SYSTEM_KEY: the name {min(starters & managers)} stands in both,"
                f" and one name is one caller: they must differ (a key without a name is called"
                f" {UNNAMED_FUNCTION} or {UNNAMED_SYSTEM})"
            )
        return self

    @model_validator(mode="after")
    def _one_segment(self) -> "Settings":
        text = wording.challenge(
            self.challenge_text, service=self.service_name, terms=self.terms, reference="XX"
        )
        septets = wording.septets(wording.fill(text, "0" * self.code_length))
        if septets is None or septets > wording.SEGMENT_SEPTETS:
            name = "CHALLENGE_TEXT" if self.challenge_text else "SERVICE_NAME"
            fault = "has a letter outside GSM-7" if septets is None else f"takes {septets} septets"
            raise ValueError(
                f"{name}: the text {fault}; it must fit one segment, {wording.SEGMENT_SEPTETS}"
                " septets of GSM-7"
            )
        return self


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment; an empty variable counts as unset. Raises SettingsError."""
    # An empty limit is no limit; anything else that is empty is unset.
    filled = {
        name: value
        for name, value in environment.items()
        if value.strip() or name.startswith("LIMIT_")
    }
    try:
        return Settings.model_validate(filled)
    except ValidationError as error:
        lines = [_line(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors()]
        raise SettingsError("\n".join(lines)) from None


def variables() -> dict[str, tuple[str, Any, bool]]:
    """Every variable with what it should look like, its default, and whether it is required."""
    return {
        _variable(field.validation_alias): (
            field.description or "",
            field.default,
            field.is_required(),
        )
        for field in Settings.model_fields.values()
    }


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


def _variable(alias: Any) -> str:
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else str(alias)
