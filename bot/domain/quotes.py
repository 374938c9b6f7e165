"""Recognizes our own text in a reply: a reaction or a quote holds the code, and proves nothing."""

import re
from collections.abc import Iterator, Sequence

from bot.domain.characters import ascii_digits, comparable, is_latin, is_unspaced

# A text is a quote if it has QUOTE_LENGTH consecutive characters of our own words. In a non-Latin
# script, whose words are short and may have no blanks between them, QUOTE_LETTERS letters suffice.
# The fixed words of a challenge must be at least as long.
QUOTE_LENGTH = 12
QUOTE_LETTERS = 6
# In a script other than Latin so many numbers and Latin words, such as the time and the reference.
SKELETON_WORDS = 3
_NO_LETTERS = re.compile(r"^[\W_]+")
_LATIN = re.compile(r"[a-z]+|[0-9]+")


def has_reaction_frame(text: str) -> bool:
    """Whether the text has the frame of a Google Messages reaction: hair spaces next to zero-width
    characters (U+200B, or U+200C for a removed reaction). A zero-width space alone does not count,
    since some keyboards insert one."""
    return "\u200a" in text and ("\u200b" in text or "\u200c" in text)


def is_recognizable(parts: Sequence[str]) -> bool:
    """Whether a quote of a text with these fixed parts can be told from an answer."""
    return any(
        len(part) >= QUOTE_LENGTH or any(_letter_runs(part)) for part in map(comparable, parts)
    )


def quotes_any(said: str, challenge_texts: Sequence[str], *, service: str | None = None) -> bool:
    """Whether `said`, made comparable, contains a part of one of our texts. The service's name does
    not count: a person may write it beside the code."""
    letters = _beyond_latin(said)
    texts = [[comparable(part) for part in _fixed_parts(text, service)] for text in challenge_texts]
    return any(
        _holds_run(said, part) or (letters and any(run in letters for run in _letter_runs(part)))
        for parts in texts
        for part in parts
    ) or any(_holds_skeleton(said, parts) for parts in texts)


def opens_with_quote(said: str, challenge_texts: Sequence[str]) -> bool:
    """Whether `said`, made comparable, begins as one of our texts does. The service's name is one
    of our words here.

    >>> ours = ["Stop & Shop: Your code is {code}"]
    >>> opens_with_quote("> stop & shop: your code is 1234", ours)
    True
    >>> opens_with_quote("stop > stop & shop: your code is 1234", ours)
    False
    """
    texts = (comparable(text.split("{code}")[0]) for text in challenge_texts)
    openings = {_bare(text[:QUOTE_LENGTH]) for text in texts} - {""}
    return _bare(said).startswith(tuple(openings))


def _bare(text: str) -> str:
    """Without what stands before the first letter or digit."""
    return _NO_LETTERS.sub("", text)


def _fixed_parts(challenge_text: str, service: str | None) -> list[str]:
    whole = challenge_text.split("{code}")
    if not service:
        return whole
    without = challenge_text.replace(service, "{code}", 1).split("{code}")
    # If too few words are left, the name counts too: a reaction must never be an answer.
    return without if is_recognizable(without) else whole


def _holds_run(said: str, ours: str) -> bool:
    starts = range(len(ours) - QUOTE_LENGTH + 1)
    return any(ours[start : start + QUOTE_LENGTH] in said for start in starts)


def _letter_runs(ours: str) -> Iterator[str]:
    """All runs of letters in scripts other than Latin. In a script with blanks a run has letters of
    two words: one word, such as Greek for "code", is in answers too."""
    letters = [
        (letter, word) for word, text in enumerate(ours.split()) for letter in _beyond_latin(text)
    ]
    for start in range(len(letters) - QUOTE_LETTERS + 1):
        run = letters[start : start + QUOTE_LETTERS]
        (first, word), (_, last_word) = run[0], run[-1]
        if word != last_word or is_unspaced(first):
            yield "".join(letter for letter, _ in run)


def _holds_skeleton(said: str, parts: Sequence[str]) -> bool:
    """Whether `said` holds the numbers and Latin words of a text of ours, in order. Phones and
    carriers may replace the letters of other scripts by question marks or look-alikes; these
    remain."""
    ours = " ".join(parts)
    left = _LATIN.findall(ascii_digits(ours))
    if len(left) < SKELETON_WORDS or not any(_letter_runs(ours)):
        return False
    words = iter(_LATIN.findall(ascii_digits(said)))
    return all(word in words for word in left)


def _beyond_latin(said: str) -> str:
    """The letters of a comparable text in scripts other than Latin."""
    if said.isascii():
        return ""
    return "".join(letter for letter in said if letter.isalpha() and not is_latin(letter))
