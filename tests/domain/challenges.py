"""Makes the text with a code in each language."""

from bot import wording
from bot.domain.verification import Terms
from bot.wording import Style

LANGUAGES = wording.languages()


def text(
    tag: str, *, style: Style = Style.REPLY, service: str | None = None, terms: Terms | None = None
) -> str:
    terms = terms or Terms()
    made = wording.challenge(style, tag=tag, service=service, terms=terms, reference="KP")
    return wording.insert_code(made, "0042".zfill(terms.code_length))
