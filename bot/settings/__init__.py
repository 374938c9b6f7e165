"""Reads the environment once into one frozen value. A missing or invalid setting stops the start.
The output lists all faults at once, one per line, each with the variable's name and what it should
look like. A value that is probably wrong is only a warning. Each setting is defined next to its
validator, in the file of its group.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError, create_model

from bot.domain import numbering, phone
from bot.domain.urls import host_of, port_of
from bot.outbound.bounded import is_proxy
from bot.settings import (
    all_secrets,
    env_file,
    keys,
    limits,
    names,
    public_address,
    texts,
    twilio,
    webhooks,
    words,
)
from bot.settings.keys import KeySettings
from bot.settings.limits import LimitSettings
from bot.settings.server import ServerSettings
from bot.settings.twilio import TwilioSettings
from bot.settings.types import Rule, rule
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
    """A line for each fault: the value that cannot be used, and the form it should have."""


class Settings(LimitSettings, KeySettings, TwilioSettings, ServerSettings, WebhookSettings):
    """Every setting. `docs/settings.md` tells more of each."""

    @property
    def countries(self) -> frozenset[str]:
        """Countries whose numbers are verified; empty: all."""
        if self.allowed_countries == ("*",):
            return frozenset()
        if self.allowed_countries:
            return frozenset(self.allowed_countries)
        return numbering.counted_as_one(phone.country(self.twilio_phone_number or ""))

    @property
    def home_country(self) -> str:
        """The country whose numbers are searched as they are dialled there; ZZ: there is none."""
        if (self.twilio_phone_number or "").startswith("+"):
            return phone.country(self.twilio_phone_number or "")
        return min(self.countries) if len(self.countries) == 1 else "ZZ"


@dataclass(frozen=True, slots=True)
class SettingsCheck:
    """The result of reading an environment."""

    settings: Settings | None  # None: there are faults
    faults: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def message(self) -> str:
        """A line for each fault, then one for each warning: a name that is not read is often the
        reason why another is not set."""
        return "\n".join([*self.faults, *(f"Warning: {warning}" for warning in self.warnings)])


@rule("public_base_url", "webhook_urls")
def _no_event_to_itself(settings: Settings) -> Iterator[str]:
    own = urlsplit(settings.public_base_url)
    for url in settings.webhook_urls:
        parts = urlsplit(url)
        if (host_of(parts), port_of(parts)) == (host_of(own), port_of(own)):
            yield (
                "WEBHOOK_URLS: an address is Textback's own PUBLIC_BASE_URL. It should be your"
                " application's."
            )


@rule("allowed_countries", "twilio_phone_number", "twilio_messaging_service_sid")
def _known_country(settings: Settings) -> Iterator[str]:
    tells = not settings.from_address or (settings.twilio_phone_number or "").startswith("+")
    if not settings.allowed_countries and not tells:
        yield (
            "ALLOWED_COUNTRIES is not set, and the sender does not show a country."
            " It should be two-letter country codes, such as US,CA, or * for all."
        )


@rule("public_base_url", "twilio_api_base_url")
def _reachable(settings: Settings) -> Iterator[str]:
    for reason in public_address.out_of_reach(settings.public_base_url):
        if settings.is_cloud:
            yield (
                f"PUBLIC_BASE_URL cannot be used with Twilio: {reason}. It should be"
                " https://verify.example.com, say; docs/twilio.md has a tunnel for the first try."
            )


@rule("public_base_url", "twilio_api_base_url")
def _unusual_address(settings: Settings) -> Iterator[str]:
    unreached = list(public_address.out_of_reach(settings.public_base_url))
    if settings.is_cloud:
        yield from () if unreached else public_address.warnings(settings.public_base_url)
    elif not unreached:
        yield "TWILIO_API_BASE_URL is set, so texts go to that server and reach no phone."
    elif not settings.is_simulated:
        yield from (f"PUBLIC_BASE_URL: {reason}." for reason in unreached)


_RULES: tuple[Rule, ...] = (
    *(*keys.RULES, *twilio.RULES, *texts.RULES, *limits.RULES, *webhooks.RULES),
    *(_no_event_to_itself, _known_country, _reachable),
    *all_secrets.RULES,
)
_WARNINGS: tuple[Rule, ...] = (
    *(*keys.WARNINGS, *twilio.WARNINGS, *texts.WARNINGS, _unusual_address),
    *all_secrets.WARNINGS,
)


def with_file(environment: Mapping[str, str], folder: Path | None = None) -> dict[str, str]:
    """The environment, with the variables that it lacks taken from the file .env in `folder`, by
    default the working directory. Raises SettingsError."""
    try:
        path = (folder or Path.cwd()) / ".env"
        return {**env_file.variables(path, known=environment), **environment}
    except env_file.UnreadableFile as error:
        raise SettingsError(str(error)) from None


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment; an empty variable counts as unset. Raises SettingsError."""
    checked = validate(environment)
    if checked.settings is None:
        raise SettingsError(checked.message)
    return checked.settings


def validate(environment: Mapping[str, str]) -> SettingsCheck:
    """The settings of an environment, or all of its faults at once."""
    unreadable = dict(_unreadable(environment))
    # An empty limit is no limit; anything else that is empty is unset.
    filled = {
        # A pasted line end or blank is invisible, so it is stripped. In a secret it is refused.
        name: value.strip() if OTHER_NAMES.get(name, name) in _TRIMMED else value
        for name, value in environment.items()
        if name not in unreadable and (value.strip() or name.startswith("LIMIT_"))
    }
    unread = tuple(names.unread(filled, variables(), OTHER_NAMES))
    set_as = {
        name: other for other, name in OTHER_NAMES.items() if other in filled and name not in filled
    }
    filled |= {name: filled[other] for name, other in set_as.items()}
    try:
        found, lines = _sound_part(filled, set_as)
        met = [name for name in unreadable if OTHER_NAMES.get(name) not in filled]
        lines |= {OTHER_NAMES.get(name, name).lower(): unreadable[name] for name in met}
        faults = (*lines.values(), *_sentences(_RULES, found, lines), *_unusable_proxy(filled))
        warnings = tuple(_sentences(_WARNINGS, found, lines))
    except BrokenCatalogue as error:
        return SettingsCheck(None, (f"bot/wording/catalogues/{error}",), unread)
    return SettingsCheck(None if faults else found, faults, (*warnings, *unread))


def _unreadable(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Values in another encoding than UTF-8 arrive as surrogates, which nothing can write."""
    for name in sorted(environment.keys() & {*variables(), *OTHER_NAMES}):
        try:
            environment[name].encode()
        except UnicodeEncodeError:
            yield name, f"{name} cannot be used: it is not UTF-8."


def _unusable_proxy(filled: Mapping[str, str]) -> Iterator[str]:
    """Calls over plain http, as to the simulator, go through no proxy."""
    proxy = filled.get("https_proxy") or filled.get("HTTPS_PROXY")
    is_used = not filled.get("TWILIO_API_BASE_URL", "").startswith("http://")
    if proxy and is_used and not is_proxy(proxy):
        yield "HTTPS_PROXY cannot be used: it should be http://host:port."


def _sound_part(
    filled: Mapping[str, str], set_as: Mapping[str, str]
) -> tuple[Settings, dict[str, str]]:
    """The settings as far as they are valid, and a line for each invalid field. Invalid fields are
    None in the result, so that the rules on the other fields can still be checked. `set_as`: the
    names that variables were set by, where those are their other names."""
    try:
        return Settings.model_validate(filled), {}
    except ValidationError as error:
        lines: dict[str, str] = {}
        for fault in error.errors():
            name = str(fault["loc"][0])
            line = words.line(
                set_as.get(name, name),
                fault,
                looks_like=variables()[name][0],
                value=filled.get(name, ""),
            )
            lines.setdefault(name.lower(), line)
    rest = {name: value for name, value in filled.items() if name.lower() not in lines}
    return _without(frozenset(lines)).model_validate(rest), lines


@lru_cache(maxsize=64)  # a class takes some milliseconds to make
def _without(fields: frozenset[str]) -> type[Settings]:
    """Settings in which these fields are None if they are not given."""
    unread: dict[str, Any] = dict.fromkeys(fields, (Any, None))
    return create_model("Partial", __base__=Settings, **unread)


def _sentences(rules: tuple[Rule, ...], found: Settings, lines: Mapping[str, str]) -> Iterator[str]:
    for one in rules:
        if not one.fields & lines.keys():
            yield from one.sentences(found)


def variables() -> dict[str, tuple[str, Any, bool]]:
    """Every variable with its form, its default, and whether it is required."""
    return {
        name.upper(): (field.description or "", field.default, field.is_required())
        for name, field in Settings.model_fields.items()
    }


_TRIMMED = frozenset(
    name.upper()
    for name, field in Settings.model_fields.items()
    if not field.json_schema_extra and name not in ("service_name", "challenge_text")
)
