"""The code, the window, and what is texted."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from bot import wording
from bot.domain import timings
from bot.domain.reply import QUOTE_LENGTH
from bot.domain.verification import Terms
from bot.settings.types import Group, setting


def _challenge_text(template: str) -> str:
    unknown = wording.fields(template) - wording.FIELDS
    if unknown:
        raise ValueError(f"it has no field {{{sorted(unknown)[0]}}}")
    if "code" not in wording.fields(template):
        raise ValueError("{code} is missing")
    if wording.fixed_length(template) < QUOTE_LENGTH:
        raise ValueError(
            f"it needs {QUOTE_LENGTH} fixed characters in a row, or a quote cannot be told from"
            " an answer"
        )
    return template


ChallengeText = Annotated[str, AfterValidator(_challenge_text)]


class TextSettings(Group):
    code_length: Annotated[int, Field(ge=4, le=10)] = setting("4 to 10", default=4)
    window_seconds: Annotated[int, Field(ge=timings.SHORTEST_WINDOW_SECONDS, le=3600)] = setting(
        "10 to 3600", default=90
    )
    max_attempts: Annotated[int, Field(ge=1, le=10)] = setting("1 to 10", default=4)
    send_within_seconds: Annotated[int, Field(ge=timings.SHORTEST_SEND_WITHIN_SECONDS, le=600)] = (
        setting("5 to 600", default=60)
    )
    max_sends: Annotated[int, Field(ge=1, le=5)] = setting("1 to 5", default=3)
    service_name: str | None = setting(
        "the name that texts begin with", default=None, max_length=40
    )
    challenge_text: ChallengeText | None = setting(
        "a text with {code} and perhaps {service}, {digits}, {seconds}, {reference}",
        default=None,
    )

    @property
    def terms(self) -> Terms:
        return Terms(
            code_length=self.code_length,
            window_seconds=self.window_seconds,
            max_attempts=self.max_attempts,
            send_within_seconds=self.send_within_seconds,
            max_sends=self.max_sends,
        )

    @model_validator(mode="after")
    def _one_segment(self) -> Self:
        text = wording.challenge(
            self.challenge_text, service=self.service_name, terms=self.terms, reference="XX"
        )
        septets = wording.septets(wording.fill(text, "0" * self.code_length))
        if septets is None or septets > wording.SEGMENT_SEPTETS:
            name = "CHALLENGE_TEXT" if self.challenge_text else "SERVICE_NAME"
            fault = "has a letter outside GSM-7" if septets is None else f"takes {septets} septets"
            raise ValueError(
                f"{name}: the text {fault}; it must fit one segment, {wording.SEGMENT_SEPTETS}"
                " septets of GSM-7"
            )
        return self
