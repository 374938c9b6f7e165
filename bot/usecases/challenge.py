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


def challenge_text(
    options: TextOptions, rules: Rules, country: str, reference: str
) -> tuple[str, str]:
    """The tag of the language it is written in, and the text with {code} in place of the code. A
    language in which it does not fit, because of the caller's wishes, is not offered. Raises
    TextTooLong if it does not fit in the default one."""
    languages = rules.languages
    if country not in languages.by_country:
        country = phone.main_country(country)
    offered = set(languages.offered)
    while True:
        locale = choose(
            options.locale,
            country=country,
            by_country=languages.by_country,
            default=languages.default,
            offered=offered,
        )
        text = _written(options, rules, locale, reference)
        if wording.challenge_segments(text, rules.terms.code_length).count <= rules.most_segments:
            return locale, text
        if locale == languages.default:
            raise TextTooLong(
                "The text does not fit into as many segments as ALLOW_SEGMENTS allows."
            )
        offered.discard(locale)


def _written(options: TextOptions, rules: Rules, locale: str, reference: str) -> str:
    template = rules.challenge_template if locale == rules.languages.default else None
    if template is not None and options.service_name and "service" not in wording.fields(template):
        template = None  # it names another service, or none
    return wording.challenge(
        options.style,
        tag=locale,
        service=options.service_name or rules.service_name,
        terms=rules.terms,
        reference=reference,
        template=template,
        ending=f"\n{options.app_hash}" if options.app_hash else "",
    )
