"""The sentences in each language, from the .po files beside this.

They are read here, at start, without a compile step that one can forget. gettext's own classes read
compiled files alone, and Babel, which works on these files (`make languages`), takes longer to
import than all the rest of Textback; so a short parser here reads the few forms that occur.
"""

import ast
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from string import Formatter

from bot.domain.quotes import is_recognizable
from bot.wording import sentences

SOURCE = "en"
RIGHT_TO_LEFT = frozenset(["ar", "he"])
# What ends a sentence, with the blank after it; elsewhere a full stop.
FULL_STOPS = {"ja": "。", "zh-Hans": "。", "zh-Hant": "。", "hi": "। "}
FOLDER = Path(__file__).parent


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
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
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
        if not translation:
            raise BrokenCatalogue(f"{path.name}: this sentence is missing: {sentence}")
        if fields(translation) != fields(sentence):
            raise BrokenCatalogue(f"{path.name}: other fields than in the original: {translation}")
        if "code" in fields(translation) and not is_recognizable(fixed_parts(translation)):
            raise BrokenCatalogue(f"{path.name}: a quote of it could not be told: {translation}")
    return {sentence: translations[sentence] for sentence in all_sentences()}


def fixed_parts(template: str) -> list[str]:
    """The parts that are the same in every text of a template."""
    return [literal for literal, *_ in Formatter().parse(template)]


def fields(template: str) -> list[str]:
    """The fields of a template, sorted. Raises BrokenCatalogue if its braces do not match."""
    try:
        return sorted(name for _, name, _, _ in Formatter().parse(template) if name is not None)
    except ValueError as error:
        raise BrokenCatalogue(f"{template}: {error}") from None
