"""Secrets and the keys of callers."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from bot.domain.code import subkey
from bot.domain.operators import OWN_CALLERS, Operator, Role, Via
from bot.settings.secret import hard_to_guess
from bot.settings.types import Group, Unusable, Values, matching, rule, secret_setting, setting

# Names of callers and operators whose keys have none.
UNNAMED_FUNCTION, UNNAMED_SYSTEM = "function", "system"
UNNAMED_OPERATOR, UNNAMED_VIEWER = "operator", "viewer"


def _all_hard_to_guess(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(hard_to_guess(value) for value in values)


def _named_keys(value: Any) -> Any:
    """`name:key,name:key` as pairs of name and key. Several keys
    without names, or with the same name, belong to one caller."""
    if not isinstance(value, str):
        return value
    pairs = [part.strip().partition(":") for part in value.split(",")]
    return [(name.strip(), key.strip()) if colon else ("", name) for name, colon, key in pairs]


def _well_named(keys: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    names = {name for name, _ in keys}
    if names != {""} and not all(re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name) for name in names):
        raise Unusable(
            "either none of its keys has a name, or each key has a name of letters, digits, - and _"
        )
    for name, key in keys:
        if not key and (name or len(keys) > 1):
            raise Unusable("one of its keys is empty: a name without a key, or a comma too many")
        hard_to_guess(key)
    return keys


SecretKey = Annotated[str, AfterValidator(hard_to_guess)]
SecretKeys = Annotated[Values, AfterValidator(_all_hard_to_guess)]
NamedKeys = Annotated[
    tuple[tuple[str, str], ...], BeforeValidator(_named_keys), AfterValidator(_well_named)
]


class KeySettings(Group):
    secret_key: SecretKey = secret_setting("a long random text")
    secret_key_fallbacks: SecretKeys = secret_setting(
        "earlier secret keys with commas between", default=()
    )
    function_key: NamedKeys = secret_setting(
        "a long random text, or name:key,name:key for several callers; while one is rotated, new"
        " and old with a comma between",
    )
    system_key: NamedKeys = secret_setting(
        "a long random text, or name:key,name:key for several callers; while one is rotated, new"
        " and old with a comma between",
    )
    console_key: NamedKeys = secret_setting(
        "a long random text, or name:key,name:key for several operators; unset, and no"
        " CONSOLE_VIEWER_KEY: no console",
        default=(),
    )
    console_viewer_key: NamedKeys = secret_setting(
        "a long random text, or name:key,name:key for several people", default=()
    )

    verify_service_sid: Annotated[str, matching(r"VA[0-9a-fA-F]{32}")] | None = setting(
        "VA and 32 hex digits", default=None
    )

    @property
    def service_sid(self) -> str:
        """The service sid of Verify's API, derived from the oldest secret key, so that it stays for
        as long as that key is listed."""
        if self.verify_service_sid is not None:
            return self.verify_service_sid
        return f"VA{subkey(self.secret_keys[-1], 'verify service').hex()[:32]}"

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The current one first."""
        return (self.secret_key, *self.secret_key_fallbacks)

    @property
    def starters(self) -> tuple[tuple[str, str], ...]:
        """Names and keys of callers that start verifications."""
        return tuple((name or UNNAMED_FUNCTION, key) for name, key in self.function_key)

    @property
    def managers(self) -> tuple[tuple[str, str], ...]:
        """Names and keys of callers that do everything."""
        return tuple((name or UNNAMED_SYSTEM, key) for name, key in self.system_key)

    @property
    def operators(self) -> tuple[tuple[Operator, str], ...]:
        """The operators who sign in to the console, with their keys."""
        kinds = (
            (self.console_key, UNNAMED_OPERATOR, Role.OPERATOR),
            (self.console_viewer_key, UNNAMED_VIEWER, Role.VIEWER),
        )
        return tuple(
            (Operator(name or unnamed, Via.CONSOLE, role), key)
            for keys, unnamed, role in kinds
            for name, key in keys
        )


@rule("function_key", "system_key")
def _names_of_callers(settings: KeySettings) -> Iterator[str]:
    named = (*settings.function_key, *settings.system_key)
    if OWN_CALLERS & {name for name, _ in named}:
        yield (
            f"FUNCTION_KEY and SYSTEM_KEY: the names {' and '.join(sorted(OWN_CALLERS))} are"
            " reserved."
        )
    starters = {name for name, _ in settings.starters}
    managers = {name for name, _ in settings.managers}
    if starters & managers:
        yield (
            f"FUNCTION_KEY and SYSTEM_KEY: both use the name {min(starters & managers)}, but a name"
            f" belongs to one caller: use different names (a key without a name is called"
            f" {UNNAMED_FUNCTION} or {UNNAMED_SYSTEM})."
        )


@rule("console_key", "console_viewer_key")
def _one_role_each(settings: KeySettings) -> Iterator[str]:
    operators = {o.name for o, _ in settings.operators if o.role is Role.OPERATOR}
    viewers = {o.name for o, _ in settings.operators if o.role is Role.VIEWER}
    if operators & viewers:
        yield (
            f"CONSOLE_KEY and CONSOLE_VIEWER_KEY: both use the name"
            f" {min(operators & viewers)}, but a name belongs to one person: use different names (a"
            f" key without a name is called {UNNAMED_OPERATOR} or {UNNAMED_VIEWER})."
        )


RULES = (_names_of_callers, _one_role_each)


@rule("secret_key")
def _one_secret_key(settings: KeySettings) -> Iterator[str]:
    if "," in settings.secret_key:
        yield (
            "SECRET_KEY holds a comma, which is part of the key. Earlier keys go into"
            " SECRET_KEY_FALLBACKS."
        )


@rule("secret_key", "secret_key_fallbacks", "verify_service_sid")
def _lasting_service_sid(settings: KeySettings) -> Iterator[str]:
    if settings.secret_key_fallbacks and settings.verify_service_sid is None:
        yield (
            "VERIFY_SERVICE_SID is not set, so it changes when an earlier key is removed from"
            " SECRET_KEY_FALLBACKS. If programs use Verify's API, set"
            f" VERIFY_SERVICE_SID={settings.service_sid}."
        )


WARNINGS = (_one_secret_key, _lasting_service_sid)
