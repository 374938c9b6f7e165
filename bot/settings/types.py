"""Types that several settings share. Each type reads one form and refuses all others, in a few
words that `read` puts into a line; the words never repeat the value, since some are secrets."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def setting(looks_like: str, **more: Any) -> Any:
    """A field, read from the variable of its name in upper case."""
    return Field(description=looks_like, **more)


class Group(BaseModel):
    """Settings that belong together."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=str.upper)


def matching(pattern: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError("it has another form")
        return value

    return AfterValidator(check)


def _comma_list(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _all_filled(values: tuple[str, ...]) -> tuple[str, ...]:
    if not all(values):
        raise ValueError("one of the values between its commas is empty")
    return values


Values = Annotated[tuple[str, ...], BeforeValidator(_comma_list), AfterValidator(_all_filled)]
