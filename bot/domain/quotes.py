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
        len(comparable(part)) >= QUOTE_LENGTH or len(_other_letters(part)) >= QUOTE_LETTERS
        for part in parts
    )


def quotes(said: str, challenge_text: str) -> bool:
    """Whether `said`, made comparable, has a part of this text of ours."""
    letters = _other_letters(said)
    for part in challenge_text.split("{code}"):
        if _holds_run(said, comparable(part), QUOTE_LENGTH):
            return True
        if letters and _holds_run(letters, _other_letters(part), QUOTE_LETTERS):
            return True
    return False


def _holds_run(said: str, ours: str, length: int) -> bool:
    starts = range(len(ours) - length + 1)
    return any(ours[start : start + length] in said for start in starts)


def _other_letters(text: str) -> str:
    """Letters of scripts other than Latin, without the characters between them."""
    if text.isascii():
        return ""
    return "".join(
        letter for letter in comparable(text) if letter.isalpha() and not is_latin(letter)
    )
