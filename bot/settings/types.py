"""Types that several settings share. Each type reads one form and refuses all others, in a few
words that `words.py` puts into a line; the words never repeat the value, since some are secrets."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


class Unusable(ValueError):
    """A value that a setting cannot take, in our words: those of a library are not shown."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A check of several settings together, which yields a sentence for each fault."""

    # If one of these fields is invalid by itself, its own line says so and the rule is skipped.
    fields: frozenset[str]
    sentences: Callable[[Any], Iterable[str]]


def rule(*fields: str) -> Callable[[Callable[[Any], Iterable[str]]], Rule]:
    """Makes a rule of a function of the settings."""
    return lambda sentences: Rule(frozenset(fields), sentences)


def setting(looks_like: str, **more: Any) -> Any:
    """A field, read from the variable of its name in upper case."""
    return Field(description=looks_like, **more)


def secret_setting(looks_like: str, **more: Any) -> Any:
    """A setting that is never shown, and must differ from every other secret."""
    return setting(looks_like, repr=False, json_schema_extra={"is_secret": True}, **more)


class Group(BaseModel):
    """Settings that belong together."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=str.upper)


def matching(pattern: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise Unusable("it has another form")
        return value

    return AfterValidator(check)


def _digits(value: Any) -> Any:
    """gunicorn, which reads WEB_CONCURRENCY by itself, takes no 2.0, which pydantic would."""
    if isinstance(value, str) and not re.fullmatch("[+-]?[0-9]+", value):
        raise Unusable("it is not a whole number")
    return value


def _comma_list(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _all_filled(values: tuple[str, ...]) -> tuple[str, ...]:
    if not all(values):
        raise Unusable("one of the values between its commas is empty")
    return values


Integer = Annotated[int, BeforeValidator(_digits)]
Values = Annotated[tuple[str, ...], BeforeValidator(_comma_list), AfterValidator(_all_filled)]
