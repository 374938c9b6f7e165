"""The sentences in each language, from the .po files beside this.

They are parsed at start, so no compile step can be forgotten. gettext reads compiled files only,
and Babel, which works on these files (`make languages`), takes longer to import than all the rest
of Textback; so a short parser here reads the few forms that occur.
"""

import ast
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from string import Formatter
from unicodedata import bidirectional, category

from bot.domain.quotes import is_recognizable
from bot.wording import sentences
from bot.wording.segments import segments

SOURCE = "en"
FOLDER = Path(__file__).parent
# What ends a sentence, with the blank after it, by the mark that ends one of the catalogue; of
# others, and where none does, a full stop.
_FULL_STOPS = {"。": "。", "।": "। "}
# It would be read as a part of the code. Marks that show nothing may stand between.
_BESIDE_CODE = re.compile(
    r"[\d}][\u200b-\u200f\u2066-\u2069]*\{code\}|\{code\}[\u200b-\u200f\u2066-\u2069]*[\d{]"
)
_NO = re.compile("(?<![A-Za-z])NO(?![A-Za-z])")
_NOT_ISOLATED = re.compile("(?<!\u2068)\\{|\\}(?!\u2069)")


class BrokenCatalogue(Exception):
    """Names the file, the line or sentence, and the fault."""


def all_sentences() -> tuple[str, ...]:
    """The sentences of `sentences.py`, in its order."""
    return tuple(
        value
        for name, value in vars(sentences).items()
        if name.isupper() and isinstance(value, str)
    )


@lru_cache(maxsize=1)
def load() -> Mapping[str, Mapping[str, str]]:
    """Every language's sentences, by its tag. Raises BrokenCatalogue."""
    found = {path.stem: read_complete(path) for path in sorted(FOLDER.glob("*.po"))}
    return {SOURCE: {sentence: sentence for sentence in all_sentences()}, **found}


def read(path: Path) -> dict[str, str]:
    """Translations by sentence. Raises BrokenCatalogue."""
    translations: dict[str, str] = {}
    parts: dict[str, str] = {}
    key = ""
    try:
        content = path.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise BrokenCatalogue(f"{path.name} cannot be read: {error}") from None
    for number, line in enumerate(content.splitlines(), start=1):
        word, _, rest = line.strip().partition(" ")
        if word in ("msgid", "msgstr"):
            if word == "msgid":
                translations[parts.get("msgid", "")] = parts.get("msgstr", "")
                parts = {}
            key, text = word, rest
        elif line.startswith('"'):
            text = line.strip()
        elif not line.strip() or line.startswith("#"):
            continue
        else:
            raise BrokenCatalogue(f"{path.name}, line {number}: {word[:20]} is not understood")
        parts[key] = parts.get(key, "") + _quoted(text, path, number)
    translations[parts.get("msgid", "")] = parts.get("msgstr", "")
    translations.pop("", None)  # the header
    return translations


def _quoted(text: str, path: Path, number: int) -> str:
    try:
        value = ast.literal_eval(text) if text.startswith('"') else None
    except (SyntaxError, ValueError):
        value = None
    if not isinstance(value, str):
        raise BrokenCatalogue(f"{path.name}, line {number}: a text in quotation marks is expected")
    return value


def read_complete(path: Path) -> dict[str, str]:
    """Translations of all sentences, in their order. Raises BrokenCatalogue if one is missing."""
    translations = read(path)
    for sentence in all_sentences():
        translation = translations.get(sentence, "")
        if not translation.strip():
            raise BrokenCatalogue(f"{path.name}: this sentence is missing: {sentence}")
        fault = _fault(sentence, translation) or _fault_of_direction(translations, translation)
        if fault:
            raise BrokenCatalogue(f"{path.name}: {fault}: {translation}")
    return {sentence: translations[sentence] for sentence in all_sentences()}


def _fault(sentence: str, translation: str) -> str | None:
    names = fields(translation)
    if names != fields(sentence):
        return "other fields than in the original"
    if any(category(letter) in ("Cc", "Cs") for letter in translation):
        return "it holds a character that no text can"
    if sentence == sentences.NO_WORDS:
        is_list = all(map(_is_word, translation.split(",")))
        return None if is_list else "it holds an entry that is no word"
    if sentence == sentences.NOT_YOU and not _NO.search(translation):
        return "NO is missing"
    if has_neighbour_of_code(translation):
        return "a digit or a field stands directly beside {code}"
    if "code" in names:
        is_told = is_recognizable(fixed_parts(translation))
        return None if is_told else "a quote of it could not be told"
    if segments(re.sub(r"\{\w+\}", "10", translation)).count > 1:
        return "it takes more than one segment"
    return None


def _fault_of_direction(translations: Mapping[str, str], translation: str) -> str | None:
    is_right_to_left = _is_right_to_left(translations.get(sentences.APPROVED, ""))
    if is_right_to_left and _NOT_ISOLATED.search(translation):
        return "U+2068 and U+2069 must stand around each field"
    return None


def has_neighbour_of_code(template: str) -> bool:
    """Whether a digit or a field stands directly beside {code}."""
    return _BESIDE_CODE.search(template) is not None


def _is_word(entry: str) -> bool:
    return re.search(r"[^\W\d_]", entry) is not None


def _is_right_to_left(text: str) -> bool:
    """Whether its first letter with a direction of its own is of such a script."""
    letters = (bidirectional(letter) for letter in text)
    return next((kind for kind in letters if kind in ("L", "R", "AL")), "L") != "L"


def runs_right_to_left(tag: str) -> bool:
    return _is_right_to_left(load()[tag][sentences.APPROVED])


def full_stop(tag: str) -> str:
    """What ends a sentence of a language, with the blank after it."""
    return _FULL_STOPS.get(load()[tag][sentences.APPROVED][-1], ". ")


def fixed_parts(template: str) -> list[str]:
    """The parts that are the same in every text of a template."""
    return [literal for literal, *_ in Formatter().parse(template)]


def fields(template: str) -> list[str]:
    """The fields of a template, sorted. Raises BrokenCatalogue if its braces do not match, or hold
    more than the name of a field."""
    try:
        names = field_names(template)
        if set("{}") & set("".join(fixed_parts(template))):
            raise ValueError("it holds a brace that begins no field")
    except ValueError as error:
        fault = f"{error}; braces hold the name of a field and nothing else"
        raise BrokenCatalogue(f"{template}: {fault}") from None
    return sorted(names)


def field_names(template: str) -> list[str]:
    """The fields of a template, in their order. ValueError: its braces do not match, or ask for
    formatting."""
    parsed = list(Formatter().parse(template))
    if any(form or conversion for _, _, form, conversion in parsed):
        raise ValueError("a field may not carry a format or a conversion")
    return [name for _, name, _, _ in parsed if name is not None]
