"""Recognizes our own text in a reply: a reaction or a quote holds the code, and proves nothing."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.domain.characters import ascii_digits, comparable, is_latin, is_unspaced

# A text is a quote if it has QUOTE_LENGTH consecutive characters of our own words. In a non-Latin
# script, whose words are short and may have no blanks between them, QUOTE_LETTERS letters suffice.
# The fixed words of a challenge must be at least as long.
QUOTE_LENGTH = 12
QUOTE_LETTERS = 6
# In a text of another script, this many of its numbers and Latin words must appear in order; one
# more if none is a number, since a person may type "Ref KP".
SKELETON_WORDS = 2
_NO_LETTERS = re.compile(r"^[\W_]+")
_NUMBER = re.compile("[0-9]+")
_LEADING_NUMBER = re.compile(r"^[\W_]*[0-9]+")
_ASKED = re.compile(r"(?<=[a-z])\?+", re.IGNORECASE)  # what?
_ASCII = re.compile(r"[a-z]+|[0-9]+")
# Characters that stand in for lost letters. A lost letter's bytes read as Latin-1 come at least two
# together; a single Latin-1 letter may belong to an answer, and so may French quotation marks and
# the blanks within them.
_REPLACED = re.compile("[?\ufffd\u25a0\u25a1]|[\x80-\x9f\xa1-\xaa\xac-\xba\xbc-\xff]{2,}")
# What stands in quotation marks, made comparable; the closing mark may have been cut off. An
# apostrophe within a word is none, nor are inches behind a number. Hebrew writes the same mark
# in abbreviations, before the last letter and behind two. Latin, Greek, Cyrillic and Hebrew have
# apostrophes; letters of other scripts, such as Hangul, may follow a closing mark at once.
_APOSTROPHIZED = "[0-9_a-z\u00df-\u024f\u0370-\u052fא-ת]"
_ABBREVIATES = '(?<=[א-ת]")[א-ת](?![א-ת])'
_FRAME = re.compile(
    f'(?:(?<![0-9])(?<![א-ת]{{2}})"(?!{_ABBREVIATES})|[「『‹《〈])([^"」』›》〉]*)["」』›》〉]?'
    rf"|(?<!\w)'(.*?)'(?!{_APOSTROPHIZED})",
    re.DOTALL,
)
FOLLOWING = 4  # letters behind the code: fewer begin many words
FRAMED_LETTERS = 2  # beside a code: it was not typed there alone


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


def quotes_any(
    text: str, challenge_texts: Sequence[str], *, typed: str, service: str | None = None
) -> bool:
    """Whether a comparable text contains a part of one of ours. `typed`: the same as it came. The
    service's name does not count: a person may write it beside the code."""
    reply = _Reply.of(text, typed)
    return any(_quotes(reply, ours, service) for ours in challenge_texts)


@dataclass(frozen=True, slots=True)
class _Reply:
    """A comparable reply, prepared once for all texts that it may quote."""

    text: str
    letters: str  # of scripts other than Latin
    digits: str  # the text with ASCII digits
    words: list[str]  # ASCII words and numbers
    unmarked: list[str]  # the same once marks are taken off letters
    replaced: int  # how many characters may stand in place of a letter

    @classmethod
    def of(cls, text: str, typed: str) -> "_Reply":
        digits = ascii_digits(text)
        replaced = sum(map(len, _REPLACED.findall(_ASKED.sub("", typed))))
        words, unmarked = _ASCII.findall(digits), _ASCII.findall(_without_marks(digits))
        return cls(text, _beyond_latin(text), digits, words, unmarked, replaced)


def opens_with_quote(text: str, challenge_texts: Sequence[str]) -> bool:
    """Whether a comparable text begins as one of ours does. The service's name is one of our words
    here.

    >>> ours = ["Stop & Shop: Your code is {code}"]
    >>> opens_with_quote("> stop & shop: your code is 1234", ours)
    True
    >>> opens_with_quote("stop > stop & shop: your code is 1234", ours)
    False
    >>> opens_with_quote("1234 is your acme code", ["{code} is your Acme code. Reply with it."])
    True
    """
    return any(_opens_with(text, ours) for ours in challenge_texts)


def _opens_with(text: str, ours: str) -> bool:
    before, _, after = (comparable(part) for part in ours.partition("{code}"))
    if not _bare(before):  # it begins with its code
        before, text = after, _LEADING_NUMBER.sub("", text)
    opening = _bare(before[:QUOTE_LENGTH])
    return bool(opening) and _bare(text).startswith(opening)


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


def _quotes(reply: _Reply, challenge_text: str, service: str | None) -> bool:
    parts = [comparable(part) for part in _fixed_parts(challenge_text, service)]
    return (
        _holds_words(reply, parts)
        or _spans_code(reply, challenge_text)
        or _lost_its_letters(reply, parts)
    )


def without_frames(text: str) -> str:
    """A comparable text without what stands in quotation marks together with words. A code in such
    a frame is a reaction's, however much of our text was cut off, lost or rewritten in it.

    >>> without_frames('liked "kod 1234..." again'), without_frames('the code is "1234"')
    ('liked | again', 'the code is "1234"')
    """
    return _FRAME.sub(lambda found: "|" if _has_words(found) else found[0], text)


def _has_words(found: re.Match[str]) -> bool:
    frame: str = found[1] or found[2] or ""
    return sum(letter.isalpha() or letter == "?" for letter in frame) >= FRAMED_LETTERS


def _holds_words(reply: _Reply, parts: Sequence[str]) -> bool:
    return any(
        _holds_run(reply.text, part)
        or (reply.letters and any(run in reply.letters for run in _letter_runs(part)))
        for part in parts
    )


def _spans_code(reply: _Reply, challenge_text: str) -> bool:
    """Whether the reply has a run of our words that goes on behind the code for some letters, as
    the beginning of a short text has. The service's name counts here, since words of ours surround
    it."""
    before, _, after = challenge_text.partition("{code}")
    opening = comparable(_NUMBER.sub("", before))
    whole = comparable(_NUMBER.sub("", before + after))
    first_letter = len(whole) - len(_bare(whole[len(opening) :]))  # behind the code
    last = min(len(opening), len(whole) - QUOTE_LENGTH + 1)
    starts = range(max(0, first_letter + FOLLOWING - QUOTE_LENGTH), last)
    unnumbered = " ".join(_NUMBER.sub("", reply.digits).split())
    return any(whole[start : start + QUOTE_LENGTH] in unnumbered for start in starts)


def _holds_run(text: str, ours: str) -> bool:
    starts = range(len(ours) - QUOTE_LENGTH + 1)
    return any(ours[start : start + QUOTE_LENGTH] in text for start in starts)


def _letter_runs(ours: str) -> Iterator[str]:
    """All runs of letters in scripts other than Latin. In a script with blanks a run has two whole
    words at least: one word, such as Greek for "code", is in answers too."""
    words = [letters for word in ours.split() if (letters := _beyond_latin(word))]
    for place, word in enumerate(words):
        if is_unspaced(word[0]):
            ahead = "".join(words[place:])[: len(word) + QUOTE_LETTERS - 1]
            starts = range(len(ahead) - QUOTE_LETTERS + 1)
            yield from (ahead[start : start + QUOTE_LETTERS] for start in starts)
            continue
        run = word
        for following in words[place + 1 :]:
            run += following
            if len(run) >= QUOTE_LETTERS:
                yield run
                break


def _lost_its_letters(reply: _Reply, parts: Sequence[str]) -> bool:
    """Whether a reply may be a text of ours after a phone or carrier has replaced letters, by
    question marks or by their bytes read as Latin-1, or has dropped them or their marks. What is
    ASCII remains, in order."""
    ours = " ".join(parts)
    is_latin_text = not any(_letter_runs(ours))
    if not is_latin_text and reply.replaced >= QUOTE_LETTERS:
        return True
    left = _ASCII.findall(ascii_digits(ours))
    if is_latin_text:
        stripped = _ASCII.findall(_without_marks(ours))
        return not ours.isascii() and (
            _are_letters_of(left, reply.words) or _are_letters_of(stripped, reply.unmarked)
        )
    least = SKELETON_WORDS if any(map(str.isdigit, left)) else SKELETON_WORDS + 1
    return len(left) >= least and _are_in_order(left, reply.words)


def _are_in_order(wanted: Sequence[str], words: Sequence[str]) -> bool:
    rest = iter(words)
    return all(word in rest for word in wanted)


def _are_letters_of(ours: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words have all ASCII letters of a text of ours in order, and not many more."""
    wanted, letters = "".join(ours), "".join(words)
    is_long = len(wanted) >= QUOTE_LENGTH and len(letters) <= 2 * len(wanted)
    return is_long and _are_in_order(wanted, letters)


def _without_marks(text: str) -> str:
    """Letters without their marks: what some phones send of them."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _beyond_latin(text: str) -> str:
    """The letters of a comparable text in scripts other than Latin."""
    if text.isascii():
        return ""
    return "".join(letter for letter in text if letter.isalpha() and not is_latin(letter))
