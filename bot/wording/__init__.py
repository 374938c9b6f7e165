"""Every text to the person, in the language of its verification.

sentences.py   the sentences in English
catalogues/    their translations
segments.py    encoding and segments
choosing.py    which language a verification speaks
"""

from collections.abc import Iterator
from enum import Enum
from string import Formatter
from unicodedata import category

from bot.domain.characters import visible
from bot.domain.decision import AutoReply
from bot.domain.placeholders import is_placeholder
from bot.domain.verification import Terms, Verification
from bot.wording import catalogues, sentences
from bot.wording.segments import Segments, segments

FIELDS = frozenset(["service", "code", "digits", "seconds", "minutes", "reference"])
CODE = "{code}"  # stands for the code in stored texts
NO_NAME = "it must be a name, without placeholders and control characters"
# Letters that are not mistaken for each other or for digits, and spell no words.
REFERENCE_LETTERS = "BCDFGHJKMNPQRTVWXYZ"
SHORTEST_MINUTES = 120  # seconds; from here on, whole minutes are shown as minutes

# First strong isolate and its end (UAX 9): the text between them does not jump in a line that runs
# from right to left.
_ISOLATE, _END = "\u2068", "\u2069"
# Embeddings, overrides and isolates: they would turn the text around that follows a name.
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Style(Enum):
    """How the code may be answered."""

    REPLY = "reply"  # by text
    ENTER = "enter"  # by text, or in a form


# By style, and whether minutes are shown; the longest form first.
_FORMS = {
    (Style.REPLY, False): (sentences.REPLY_SECONDS, sentences.REPLY_SECONDS_SHORT),
    (Style.REPLY, True): (sentences.REPLY_MINUTES, sentences.REPLY_MINUTES_SHORT),
    # The last one does not mention the form: with a service name outside GSM-7 nothing longer fits
    # one segment, and the person sees the form anyway.
    (Style.ENTER, False): (
        sentences.ENTER_SECONDS,
        sentences.ENTER_SECONDS_SHORT,
        sentences.REPLY_SECONDS_SHORT,
    ),
    (Style.ENTER, True): (
        sentences.ENTER_MINUTES,
        sentences.ENTER_MINUTES_SHORT,
        sentences.REPLY_MINUTES_SHORT,
    ),
}
_ANSWERS = {
    AutoReply.APPROVED: sentences.APPROVED,
    AutoReply.WRONG: sentences.WRONG,
    AutoReply.OUT_OF_TRIES: sentences.OUT_OF_TRIES,
    AutoReply.TOO_LATE: sentences.TOO_LATE,
    AutoReply.HINT: sentences.HINT,
    AutoReply.OLDER_TEXT: sentences.OLDER_TEXT,
    AutoReply.ALREADY_VERIFIED: sentences.ALREADY_VERIFIED,
    AutoReply.NO_LONGER_NEEDED: sentences.NO_LONGER_NEEDED,
    AutoReply.DISOWNED: sentences.DISOWNED,
}


def languages() -> list[str]:
    """Tags of all languages there are."""
    return list(catalogues.load())


def challenge(
    style: Style,
    *,
    tag: str,
    service: str | None,
    terms: Terms,
    reference: str,
    template: str | None = None,
    ending: str = "",
) -> str:
    """The text of one verification, with {code} still in it: the code is never stored. The
    template's or, where there is none, the fullest form that fits one segment, else the shortest.

    >>> challenge(Style.REPLY, tag="en", service="Contoso", terms=Terms(), reference="KP")[:42]
    'Contoso: Your verification code is {code}.'
    """
    if template is not None:
        return insert_terms(template, service=service, terms=terms, reference=reference) + ending
    text = ""
    for form in _forms(style, tag, service, terms, reference):
        text = form + ending
        if challenge_segments(text, terms.code_length).count == 1:
            break
    return text


def challenge_segments(challenge_text: str, code_length: int) -> Segments:
    """The segments of a text once its code is inserted: every code has the same length."""
    return segments(insert_code(challenge_text, "0" * code_length))


def _forms(
    style: Style, tag: str, service: str | None, terms: Terms, reference: str
) -> Iterator[str]:
    translations = catalogues.load()[tag]
    is_even = terms.window_seconds >= SHORTEST_MINUTES and terms.window_seconds % 60 == 0
    prefix = ""
    if service:
        name = f"{_ISOLATE}{service}{_END}" if catalogues.runs_right_to_left(tag) else service
        prefix = f"{name.replace('{', '{{').replace('}', '}}')}: "
    for sentence in _FORMS[style, is_even]:
        text = insert_terms(
            prefix + translations[sentence], service=service, terms=terms, reference=reference
        )
        yield f"{text}{catalogues.full_stop(tag)}{translations[sentences.NOT_YOU]}"
        yield text


def insert_terms(template: str, *, service: str | None, terms: Terms, reference: str) -> str:
    """Fills in all fields of a template except the code."""
    values = {
        "service": service or "",
        "code": CODE,
        "digits": str(terms.code_length),
        "seconds": str(terms.window_seconds),
        "minutes": f"{terms.window_seconds / 60:g}",
        "reference": reference,
    }
    return "".join(
        literal + (values[field] if field is not None else "")
        for literal, field, _, _ in Formatter().parse(template)
    )


def is_name(text: str) -> bool:
    """Whether a text can be the service's name: it is no placeholder of a template, shows
    something, and holds no control character or line end, no U+FFFD (bytes that were not UTF-8),
    and no {code}, which would be replaced by the code."""
    is_shown = bool(visible(text).strip()) and not any(map(_is_control, text))
    return is_shown and CODE not in text and not is_placeholder(text, in_prose=True)


def _is_control(character: str) -> bool:
    is_control = character == "\ufffd" or character in _DIRECTIONS
    return is_control or category(character) in ("Cc", "Zl", "Zp")


def insert_code(challenge_text: str, code: str) -> str:
    """The text as it is sent."""
    return challenge_text.replace(CODE, code)


def answer(word: AutoReply, verification: Verification) -> str:
    """The sentence sent back to a reply. It holds no code and nothing the person wrote."""
    by_tag = catalogues.load()
    in_language = by_tag.get(verification.locale or "", by_tag[catalogues.SOURCE])
    return in_language[_ANSWERS[word]].format(
        left=verification.attempts_left, digits=verification.terms.code_length
    )


def no_words(tag: str | None) -> list[str]:
    """The replies of a person who did not ask for the code: NO, and their own word for it."""
    by_tag = catalogues.load()
    own = by_tag.get(tag or "", by_tag[catalogues.SOURCE])[sentences.NO_WORDS]
    return ["no", *(word.strip() for word in own.split(","))]


def fields(template: str) -> frozenset[str]:
    """The fields a template uses. ValueError: its braces do not match, or ask for formatting."""
    return frozenset(catalogues.field_names(template))


def help_text(service: str | None) -> str:
    """The answer to HELP where no network gives one: a short code of our own. One segment."""
    purpose = "sends verification codes that you ask for. Reply STOP to get none."
    rates = "Msg&data rates may apply."
    named = [
        f"{service} {purpose} {rates}",
        f"{service}: codes you ask for. Reply STOP to get none.",
    ]
    return _first_that_fits([*(named if service else ()), f"This number {purpose} {rates}"])


def stopped_text(service: str | None) -> str:
    """The answer to STOP where no network gives one. One segment."""
    named = [
        f"You get no more texts from {service}. Reply START to get them again.",
        f"{service}: no more texts. Reply START to get them again.",
    ]
    unnamed = "You get no more texts from this number. Reply START to get them again."
    return _first_that_fits([*(named if service else ()), unnamed])


def _first_that_fits(texts: list[str]) -> str:
    """The first that takes one segment; the last one has GSM-7 letters alone and always does."""
    return next(text for text in texts if segments(text).count == 1)
