"""The text of a verification: its language, its form, and whether it fits."""

from dataclasses import dataclass

from bot import wording
from bot.domain import phone
from bot.domain.errors import TextTooLong
from bot.usecases.rules import Rules
from bot.wording import Style
from bot.wording.choosing import choose


@dataclass(frozen=True, slots=True)
class TextOptions:
    """The caller's wishes for the text."""

    locale: str | None = None  # a BCP 47 tag or an Accept-Language value
    style: Style = Style.REPLY
    service_name: str | None = None  # in place of SERVICE_NAME
    app_hash: str | None = None  # at its end: an Android application reads it then


def locale_of(options: TextOptions, rules: Rules, country: str) -> str:
    """The tag of the language it is written in."""
    languages = rules.languages
    if country not in languages.by_country:
        country = phone.main_country(country)
    return choose(
        options.locale,
        country=country,
        by_country=languages.by_country,
        default=languages.default,
        offered=languages.offered,
    )


def challenge_text(options: TextOptions, rules: Rules, locale: str, reference: str) -> str:
    """The text with {code} in place of the code. Raises TextTooLong."""
    is_default = locale == rules.languages.default
    text = wording.challenge(
        options.style,
        tag=locale,
        service=options.service_name or rules.service_name,
        terms=rules.terms,
        reference=reference,
        template=rules.challenge_template if is_default else None,
        ending=f"\n{options.app_hash}" if options.app_hash else "",
    )
    taken = wording.challenge_segments(text, rules.terms.code_length)
    if taken.count > rules.most_segments:
        raise TextTooLong("The text does not fit into as many segments as ALLOW_SEGMENTS allows.")
    return text
