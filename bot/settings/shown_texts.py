"""The text of each language, as a phone gets it with this service's name and terms."""

from dataclasses import dataclass

from bot import wording
from bot.settings import Settings
from bot.wording import Style, catalogues

_SHOWN_CODE = "0123456789"


@dataclass(frozen=True, slots=True)
class ShownText:
    language: str  # BCP 47 tag
    style: str
    encoding: str
    units: int
    segments: int
    is_offered: bool  # False: it takes more segments than allowed
    is_right_to_left: bool
    text: str


def shown(settings: Settings) -> list[ShownText]:
    return [_shown(settings, tag, style) for tag in wording.languages() for style in Style]


def _shown(settings: Settings, tag: str, style: Style) -> ShownText:
    segments = settings.segments_of(style, tag)
    return ShownText(
        language=tag,
        style=style.value,
        encoding=segments.encoding,
        units=segments.units,
        segments=segments.count,
        is_offered=segments.count <= settings.allow_segments,
        is_right_to_left=catalogues.runs_right_to_left(tag),
        text=wording.insert_code(
            settings.challenge(style, tag), _SHOWN_CODE[: settings.code_length]
        ),
    )
