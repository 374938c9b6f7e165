"""All secrets together: each has one use, and each was drawn at random."""

from collections.abc import Iterator
from typing import Any

from bot.settings import secret
from bot.settings.types import rule

# `Any`: the settings as a whole, of which this module is a part.


@rule()
def _each_secret_once(settings: Any) -> Iterator[str]:
    """Yields a fault for each value used by two secrets: a holder of one would know the other. An
    unusable value has its own line already."""
    holders: dict[str, list[str]] = {}
    for name, value in _secrets(settings):
        holders.setdefault(value, []).append(name)
    for found in holders.values():
        if len(found) > 1:
            yield (
                f"{' and '.join(dict.fromkeys(found))}: one value is used more than once, and every"
                " secret must differ from the others."
            )


@rule("twilio_api_base_url")
def _no_weak_secret(settings: Any) -> Iterator[str]:
    if not settings.is_simulated:
        for name, reason in _weak(settings):
            yield f"{name} cannot be used: {reason}. It should be {_looks_like(settings, name)}."


@rule("twilio_api_base_url")
def _weak_secret_of_a_trial(settings: Any) -> Iterator[str]:
    if settings.is_simulated:
        for name, reason in _weak(settings):
            yield f"{name}: {reason}. It is accepted only because texts go to a simulator."


def _weak(settings: Any) -> Iterator[tuple[str, str]]:
    """Each variable once, with its fault."""
    found: dict[str, str] = {}
    for name, value in _secrets(settings):
        reason = secret.weakness(value, is_token=name == "TWILIO_AUTH_TOKEN")
        if reason is not None and name != "WEBHOOK_SECRET":  # it has a form of its own
            found.setdefault(name, reason)
    yield from found.items()


def values(settings: Any) -> list[str]:
    """All secrets, for what must not show them."""
    return [value for _, value in _secrets(settings)]


def _secrets(settings: Any) -> Iterator[tuple[str, str]]:
    """Every secret with its variable; those that could not be read are left out."""
    for name, field in type(settings).model_fields.items():
        if (field.json_schema_extra or {}).get("is_secret"):
            for value in _values(getattr(settings, name)):
                yield name.upper(), value.removeprefix("whsec_")


def _values(setting: str | tuple[str, ...] | tuple[tuple[str, str], ...] | None) -> list[str]:
    """The values of one secret, of several, or of several with names."""
    several = (setting,) if isinstance(setting, str) else setting or ()
    values = [one if isinstance(one, str) else one[1] for one in several]
    return [value for value in values if value]


def _looks_like(settings: Any, name: str) -> str:
    return str(type(settings).model_fields[name.lower()].description)


RULES = (_each_secret_once, _no_weak_secret)
WARNINGS = (_weak_secret_of_a_trial,)
