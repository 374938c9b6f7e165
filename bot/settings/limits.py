"""Bounds on starts and guesses, and how long things are kept."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

from limits import RateLimitItem, parse_many
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from bot.domain import phone
from bot.domain.guess_budget import LARGEST_CHANCE, GuessBudget, guess_budget
from bot.domain.limits import Limit, LimitName
from bot.settings.texts import TextSettings
from bot.settings.types import Integer, Unusable, Values, rule, setting


def _limits(value: Any, info: ValidationInfo) -> Any:
    """The notation of the `limits` library, `5/10 minutes; 10/day`; nothing: no limit."""
    if not isinstance(value, str):
        return value
    parsed = parse_many(value) if value.strip() else []
    if re.search(r"/\s*0+\s*[a-z]", value, re.IGNORECASE):
        raise Unusable("the period of a limit must not be zero")
    if any(item.amount < 1 for item in parsed):
        raise Unusable("a limit must allow at least one")
    if any(item.amount > 10**6 or item.get_expiry() > 366 * 24 * 3600 for item in parsed):
        raise Unusable("a limit must allow at most a million and look back at most a year")
    name = LimitName(str(info.field_name).upper())
    return tuple(Limit(name, item.amount, item.get_expiry(), _as_set(item)) for item in parsed)


def _as_set(item: RateLimitItem) -> str:
    unit = item.GRANULARITY.name
    return (
        f"{item.amount}/{unit}"
        if item.multiples == 1
        else f"{item.amount}/{item.multiples} {unit}s"
    )


def _countries(codes: tuple[str, ...]) -> tuple[str, ...]:
    if codes == ("*",):
        return codes
    codes = tuple(code.upper() for code in codes)
    unknown = [code for code in codes if not phone.is_country(code)]
    if unknown:
        raise Unusable(_WITHOUT_COUNTRY.get(unknown[0], f"{unknown[0]} is not a country"))
    return codes


_WITHOUT_COUNTRY = {"*": "* stands alone, for all", "UK": "UK is no code of a country; it is GB"}

Limits = Annotated[tuple[Limit, ...], BeforeValidator(_limits)]
Countries = Annotated[Values, AfterValidator(_countries)]


def limit_setting(default: str) -> Any:
    looks_like = f"a number per period, such as {default}; empty for no limit"
    return setting(looks_like, default=default, validate_default=True)


class LimitSettings(TextSettings):
    allowed_countries: Countries = setting(
        "two-letter country codes, such as US,CA, or * for all", default=()
    )
    limit_per_number: Limits = limit_setting("5/10 minutes; 10/day")
    limit_per_country: Limits = limit_setting("300/hour")
    limit_per_key: Limits = limit_setting("1000/hour")
    limit_total: Limits = limit_setting("1000/hour")
    limit_wrong_per_number: Limits = limit_setting("12/day")
    breaker_texts_per_prefix: Annotated[Integer, Field(ge=5, le=100_000)] = setting(
        "5 to 100000", default=20
    )
    breaker_texts_per_country: Annotated[Integer, Field(ge=5, le=100_000)] = setting(
        "5 to 100000", default=50
    )
    breaker_approved_percent: Annotated[Integer, Field(ge=0, le=50)] = setting("0 to 50", default=5)
    retention_days: Annotated[Integer, Field(ge=1, le=3650)] = setting("1 to 3650", default=30)

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


@rule(
    *("limit_per_number", "limit_per_country", "limit_per_key", "limit_total"),
    *("limit_wrong_per_number", "retention_days"),
)
def _retained_long_enough(settings: LimitSettings) -> Iterator[str]:
    of_numbers = (*settings.limit_per_number, *settings.limit_wrong_per_number)
    for limit in (*of_numbers, *settings.rate_limits):
        if limit.window > timedelta(days=settings.retention_days):
            yield (
                f"RETENTION_DAYS is shorter than {limit} looks back. Raise it, or shorten the"
                " limit."
            )


@rule("limit_per_number", "limit_wrong_per_number", "max_attempts", "code_length")
def _sound_guess_budget(settings: LimitSettings) -> Iterator[str]:
    if not settings.guess_budget.is_sound:
        yield (
            f"LIMIT_WRONG_PER_NUMBER, LIMIT_PER_NUMBER, MAX_ATTEMPTS and CODE_LENGTH allow"
            f" {settings.guess_budget}; at most {LARGEST_CHANCE:.1%} is allowed. Lower the limits,"
            " or use a longer code."
        )


RULES = (_retained_long_enough, _sound_guess_budget)
