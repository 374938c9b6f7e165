"""Recognizes our own text in a reply: a reaction or a quote holds the code, and proves nothing."""

from collections.abc import Sequence

from bot.domain.characters import comparable, is_latin

# A text is a quote if it has this many consecutive characters of our own words or, in a non-Latin
# script, whose words are short and may have no blanks between them, this many letters. The fixed
# words of a challenge must be at least as long.
QUOTE_LENGTH = 12
QUOTE_LETTERS = 6


def has_reaction_frame(text: str) -> bool:
    """Whether the text has the frame of a Google Messages reaction: hair spaces next to zero-width
    characters (U+200B, or U+200C for a removed reaction). A zero-width space alone does not count,
    since some keyboards insert one."""
    return "\u200a" in text and ("\u200b" in text or "\u200c" in text)


def is_recognizable(parts: Sequence[str]) -> bool:
    """Whether a quote of a text with these fixed parts can be told from an answer."""
    return any(
        len(part) >= QUOTE_LENGTH or len(_beyond_latin(part)) >= QUOTE_LETTERS
        for part in map(comparable, parts)
    )


def quotes_any(said: str, challenge_texts: Sequence[str]) -> bool:
    """Whether `said`, made comparable, has a part of one of these texts of ours."""
    letters = _beyond_latin(said)
    parts = [comparable(part) for text in challenge_texts for part in text.split("{code}")]
    return any(
        _holds_run(said, part, QUOTE_LENGTH)
        or (letters and _holds_run(letters, _beyond_latin(part), QUOTE_LETTERS))
        for part in parts
    )


def _holds_run(said: str, ours: str, length: int) -> bool:
    starts = range(len(ours) - length + 1)
    return any(ours[start : start + length] in said for start in starts)


def _beyond_latin(said: str) -> str:
    """The letters of a comparable text in scripts other than Latin."""
    if said.isascii():
        return ""
    return "".join(letter for letter in said if letter.isalpha() and not is_latin(letter))
