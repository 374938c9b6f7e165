"""Recognizes our own text in a reply: a reaction or a quote holds the code, and proves nothing."""

import re
from collections.abc import Iterator, Sequence

from bot.domain.characters import ascii_digits, comparable, is_latin, is_unspaced

# A text is a quote if it has QUOTE_LENGTH consecutive characters of our own words. In a non-Latin
# script, whose words are short and may have no blanks between them, QUOTE_LETTERS letters suffice.
# The fixed words of a challenge must be at least as long.
QUOTE_LENGTH = 12
QUOTE_LETTERS = 6
# In a script other than Latin so many numbers and Latin words, such as the time and the reference,
# one more if none is a number: a person may type "Ref KP".
SKELETON_WORDS = 2
_NO_LETTERS = re.compile(r"^[\W_]+")
_LATIN = re.compile(r"[a-z]+|[0-9]+")
_REPLACED = re.compile("[?\ufffd\x80-\xff]")  # what stands in place of a letter that was lost


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
    return any(_quotes(said, text, service) for text in challenge_texts)


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


def _quotes(said: str, challenge_text: str, service: str | None) -> bool:
    parts = [comparable(part) for part in _fixed_parts(challenge_text, service)]
    return (
        _holds_words(said, parts)
        or _holds_opening(said, challenge_text, service)
        or _lost_its_letters(said, parts)
    )


def _holds_words(said: str, parts: Sequence[str]) -> bool:
    letters = _beyond_latin(said)
    return any(
        _holds_run(said, part) or (letters and any(run in letters for run in _letter_runs(part)))
        for part in parts
    )


def _holds_opening(said: str, challenge_text: str, service: str | None) -> bool:
    """Whether `said` holds a text of ours from its beginning to its code, as a quote does that is
    cut off. The service's name counts here, since words of ours follow it."""
    before, code, _ = challenge_text.partition("{code}")
    opening = comparable(before)
    words = _bare(opening.removeprefix(comparable(service or "")))
    if not code or not words or len(before) < QUOTE_LENGTH:
        return False
    return re.search(re.escape(opening) + r"\W*[0-9]", ascii_digits(said)) is not None


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


def _lost_its_letters(said: str, parts: Sequence[str]) -> bool:
    """Whether `said` may be a text of ours whose script is not Latin, after a phone or carrier has
    replaced the letters, by question marks or by their bytes read as Latin-1, or has dropped them;
    then its numbers and Latin words remain, in order."""
    ours = " ".join(parts)
    if not any(_letter_runs(ours)):
        return False
    if len(_REPLACED.findall(said)) >= QUOTE_LETTERS:
        return True
    left = _LATIN.findall(ascii_digits(ours))
    least = SKELETON_WORDS if any(map(str.isdigit, left)) else SKELETON_WORDS + 1
    if len(left) < least:
        return False
    words = iter(_LATIN.findall(ascii_digits(said)))
    return all(word in words for word in left)


def _beyond_latin(said: str) -> str:
    """The letters of a comparable text in scripts other than Latin."""
    if said.isascii():
        return ""
    return "".join(letter for letter in said if letter.isalpha() and not is_latin(letter))
