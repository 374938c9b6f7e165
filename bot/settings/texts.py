"""The code, the window, and the texts."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from bot import wording
from bot.domain import phone, timings
from bot.domain.quotes import QUOTE_LENGTH, is_recognizable
from bot.domain.verification import Terms
from bot.settings.types import Group, Integer, Unusable, rule, setting
from bot.settings.words import is_quoted
from bot.wording import Style
from bot.wording.catalogues import fixed_parts, has_neighbour_of_code
from bot.wording.choosing import lookup
from bot.wording.segments import Segments

_TAG = re.compile(r"\s*[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*\s*")  # BCP 47


def _challenge_text(template: str) -> str:
    unknown = wording.fields(template) - wording.FIELDS
    if unknown:
        raise Unusable(f"it has no field {{{sorted(unknown)[0]}}}")
    if "code" not in wording.fields(template):
        raise Unusable("{code} is missing")
    if has_neighbour_of_code(template):
        raise Unusable("digits or a field directly beside {code} would be read as a part of it")
    if not is_recognizable(fixed_parts(template)):
        raise Unusable(
            f"it needs {QUOTE_LENGTH} fixed characters in a row, or a quote cannot be told from"
            " an answer"
        )
    return template


def _service_name(name: str) -> str:
    name = name.strip()
    if not wording.is_name(name):
        raise Unusable(wording.NO_NAME)
    return name


def _country_locales(value: Any) -> Any:
    """`MX:es,BR:pt-BR` as pairs of country and tag."""
    if not isinstance(value, str):
        return value
    return [[half.strip() for half in part.split(":", 1)] for part in value.split(",")]


def _known_pairs(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    known = []
    for country, tag in pairs:
        if not phone.is_country(country.upper()):
            raise Unusable(f"{country!r} is no country's code of two letters; GB is one, UK is not")
        known.append((country.upper(), _known_locale(tag)))
    if len(dict(known)) < len(known):
        raise Unusable("it has a country more than once")
    return tuple(known)


def _language_of(tag: str) -> str | None:
    """The language of one tag; an Accept-Language value with several is none."""
    return lookup(tag.replace("_", "-"), wording.languages()) if _TAG.fullmatch(tag) else None


def _known_locale(tag: str) -> str:
    found = _language_of(tag)
    if found is None:
        raise Unusable(
            f"the language {tag!r} is unknown; available are {', '.join(wording.languages())}"
        )
    return found


CountryLocales = Annotated[
    tuple[tuple[str, str], ...], BeforeValidator(_country_locales), AfterValidator(_known_pairs)
]
Locale = Annotated[str, AfterValidator(_known_locale)]
ServiceName = Annotated[str, Field(max_length=40), AfterValidator(_service_name)]
ChallengeText = Annotated[str, AfterValidator(_challenge_text)]


class TextSettings(Group):
    code_length: Annotated[Integer, Field(ge=4, le=10)] = setting("4 to 10", default=4)
    window_seconds: Annotated[Integer, Field(ge=timings.SHORTEST_WINDOW_SECONDS, le=3600)] = (
        setting("10 to 3600", default=90)
    )
    max_attempts: Annotated[Integer, Field(ge=1, le=10)] = setting("1 to 10", default=4)
    send_within_seconds: Annotated[
        Integer, Field(ge=timings.SHORTEST_SEND_WITHIN_SECONDS, le=600)
    ] = setting("5 to 600", default=60)
    max_sends: Annotated[Integer, Field(ge=1, le=5)] = setting("1 to 5", default=3)
    service_name: ServiceName | None = setting("the name that texts begin with", default=None)
    challenge_text: ChallengeText | None = setting(
        "a text with {code} and perhaps {service}, {digits}, {seconds}, {minutes}, {reference}",
        default=None,
    )
    default_locale: Locale = setting("a language tag, such as en or pt-BR", default="en")
    country_locales: CountryLocales = setting(
        "countries and languages, such as MX:es,BR:pt-BR", default=()
    )
    allow_segments: Annotated[Integer, Field(ge=1, le=2)] = setting("1 or 2", default=1)

    @property
    def terms(self) -> Terms:
        return Terms(
            code_length=self.code_length,
            window_seconds=self.window_seconds,
            max_attempts=self.max_attempts,
            send_within_seconds=self.send_within_seconds,
            max_sends=self.max_sends,
        )

    def challenge(self, style: Style, tag: str) -> str:
        """The text of a verification with {code} in it: CHALLENGE_TEXT in the default language."""
        return wording.challenge(
            style,
            tag=tag,
            service=self.service_name,
            terms=self.terms,
            reference="XX",
            template=self.challenge_text if tag == self.default_locale else None,
        )

    def segments_of(self, style: Style, tag: str) -> Segments:
        return wording.challenge_segments(self.challenge(style, tag), self.code_length)

    @cached_property
    def offered_locales(self) -> tuple[str, ...]:
        """Languages in which a text fits, with this service's name and terms."""
        return tuple(tag for tag in wording.languages() if any(self._fitting(tag)))

    def fits(self, tag: str) -> bool:
        return all(self._fitting(tag))

    def _fitting(self, tag: str) -> Iterator[bool]:
        for style in Style:
            yield self.segments_of(style, tag).count <= self.allow_segments


@rule(
    *("code_length", "window_seconds", "max_attempts", "send_within_seconds", "max_sends"),
    *("service_name", "challenge_text", "default_locale", "country_locales", "allow_segments"),
)
def _few_segments(settings: TextSettings) -> Iterator[str]:
    for tag in (settings.default_locale, *(tag for _, tag in settings.country_locales)):
        if settings.fits(tag):
            continue
        found = [settings.segments_of(style, tag) for style in Style]
        most = max(found, key=lambda segments: (segments.count, segments.units))
        name = "CHALLENGE_TEXT" if settings.challenge_text else "SERVICE_NAME"
        yield (
            f"{name}: the text in {tag} takes {most.units} units of {most.encoding}, which are"
            f" {most.count} segments; ALLOW_SEGMENTS allows {settings.allow_segments} (a segment"
            " is 160 units of GSM-7 or 70 of UCS-2, and each is billed)."
        )


@rule("challenge_text", "window_seconds")
def _plain_minutes(settings: TextSettings) -> Iterator[str]:
    minutes = settings.window_seconds / 60
    if "minutes" in wording.fields(settings.challenge_text or "") and minutes * 10 % 1:
        yield (
            f"CHALLENGE_TEXT says {{minutes}}, which would read {minutes:g} with"
            f" WINDOW_SECONDS={settings.window_seconds}: say {{seconds}}, or set another number"
            " of seconds."
        )


@rule("service_name", "challenge_text")
def _no_quotes_in_texts(settings: TextSettings) -> Iterator[str]:
    if is_quoted(settings.service_name or ""):
        yield "SERVICE_NAME is in quotes, which will appear in every text."
    if is_quoted(settings.challenge_text or ""):
        yield "CHALLENGE_TEXT is in quotes, which will appear in every text."


RULES = (_few_segments, _plain_minutes)
WARNINGS = (_no_quotes_in_texts,)
