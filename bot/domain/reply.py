"""Reading a reply: keyword, quote of our own text, attempt, or chatter.

The order matters, because each step protects the next one. Keywords belong to the phone network
and never use up an attempt. A reaction ("Loved “Your verification code is 1234”") contains the
right code although the person did not type it, so quotes are recognized before codes. Digits are
read last, and one text is never more than one guess.

`prepare` does the expensive part that needs no verification, before a transaction begins.
Normalizing takes quadratic time in the number of combining marks, so `prepare` checks the text's
length first.
"""

import re
from dataclasses import dataclass, field

from bot.domain.addresses import without_addresses
from bot.domain.characters import (
    ascii_digits,
    ascii_punctuation,
    comparable,
    visible,
    without_escapes,
)
from bot.domain.quotes import has_reaction_frame, quotes_any, without_frames
from bot.domain.signatures import LINE_END, above, unquoted

# Characters that Twilio hands over at most: https://www.twilio.com/docs/messaging/twiml
LONGEST_TEXT = 1600
# One character may become eighteen when it is made comparable.
LONGEST_COMPARABLE = 2 * LONGEST_TEXT

# Joins two groups of digits into one longer number: a phone number, a date, a price.
_CHAIN = re.compile(r"[0-9]+(?:[\s.\-/:,+]+[0-9]+)*")
# Brackets do not separate an area code from its number: (0161) 496 0123, 045(123)4567.
_OPENING, _CLOSING = r"[(\[\uff08\uff3b\u3010\u3014]", r"[)\]\uff09\uff3d\u3011\u3015]"
_IN_BRACKETS = re.compile(rf"{_OPENING}[^\S\r\n]*([0-9]{{2,}}|0)[^\S\r\n]*{_CLOSING}")
_SPACED = re.compile(r"[0-9](?:[\s\-]*[0-9])*")
_DIGITS = re.compile(r"[0-9]+")
# A number that goes on in a line of digits alone.
_GOES_ON = re.compile(
    rf"[0-9.\-/,+][^\S\r\n]*{LINE_END.pattern}[^\S\r\n]*[0-9]+[^\S\r\n]*(?:[\r\n]|$)"
)
# The stretching mark of Arabic and N'Ko, typed for a dash: ١٠ـ١٢
_STRETCHING_DASH = re.compile(r"(?<=\d)[\u0640\u07fa]+(?=\d)")
_MARKED_DIGIT = re.compile(r"(?<=[0-9])[\u0300-\u036f]+")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A guess: ASCII digits, as many as the code has."""

    digits: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Our own text came back; it holds the code, so it proves nothing. `is_ours` False: only the
    quotation marks around the code say so."""

    is_ours: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Chatter:
    """Anything else."""


@dataclass(frozen=True, slots=True)
class TooLong:
    """Longer than any text: not read at all."""


Reading = Attempt | Quote | Chatter | TooLong


@dataclass(frozen=True, slots=True)
class PreparedText:
    """A text, prepared for reading."""

    length: int
    text: str = field(repr=False)
    comparable: str = field(default="", repr=False)  # as quotes and keywords are compared
    folded: str = field(default="", repr=False)  # as digits are looked for

    @property
    def is_too_long(self) -> bool:
        return self.length > LONGEST_TEXT


def prepare(text: str) -> PreparedText:
    if len(text) > LONGEST_TEXT or _is_bare(text):
        return PreparedText(len(text), text[:LONGEST_TEXT])
    text = without_escapes(text)
    return PreparedText(len(text), text, comparable(text)[:LONGEST_COMPARABLE], _folded(text))


def first_line(prepared: PreparedText) -> PreparedText:
    return beginning(prepared, LINE_END.split(prepared.text.strip(), maxsplit=1)[0])


def first_paragraph(prepared: PreparedText) -> PreparedText:
    """What stands above a signature or a quote."""
    return beginning(prepared, above(prepared.text))


def beginning(prepared: PreparedText, part: str) -> PreparedText:
    """Prepares a part of a text. If it is the whole, saves the time of preparing it again."""
    return prepared if part == prepared.text.strip() else prepare(part)


def holds_code_run(prepared: PreparedText, *, code_length: int) -> bool:
    """Whether the text contains a stand-alone group of as many digits as a code has.

    >>> holds_code_run(prepare("stop 1234"), code_length=4)
    True
    >>> holds_code_run(prepare("stop calling +1 425 555 0100"), code_length=4)
    False
    """
    return bool(_code_runs(prepared.folded, code_length))


def may_hold_code(prepared: PreparedText, *, code_length: int) -> bool:
    """Whether the text holds as many digits as a code anywhere, in a row or with blanks and dashes
    between.

    >>> may_hold_code(prepare("call 5551, code/1234"), code_length=4)
    True
    >>> may_hold_code(prepare("1 2-3 4!"), code_length=4)
    True
    >>> may_hold_code(prepare("123"), code_length=4)
    False
    """
    text = prepared.folded or prepared.text
    spaced = ("".join(_DIGITS.findall(one)) for one in _SPACED.findall(text))
    return any(len(digits) == code_length for digits in (*spaced, *_DIGITS.findall(text)))


def read(
    prepared: PreparedText, *, code_length: int, challenge_text: str, service: str | None = None
) -> Reading:
    """Reads a reply that is not a keyword. `service`: the service's name, which does not count as
    our own words.

    >>> read(prepare("Code: ２１６８ thanks"), code_length=4, challenge_text="")
    Attempt(digits='2168')
    >>> read(prepare("Call me 555 1234"), code_length=4, challenge_text="")
    Chatter()
    """
    if prepared.is_too_long:
        return TooLong()
    if _is_bare(prepared.text):
        return Attempt(prepared.text) if prepared.length == code_length else Chatter()
    if has_reaction_frame(prepared.text):
        return Quote()
    typed = prepared.text
    if quotes_any(prepared.comparable, [challenge_text], typed=typed, service=service):
        return Quote()
    guess = _guess(prepared.folded, code_length)
    if guess and _is_framed(guess, prepared):
        return Quote(is_ours=False)
    return Attempt(guess) if guess else Chatter()


def _is_framed(guess: str, prepared: PreparedText) -> bool:
    """Whether a guess stands in quotation marks together with words, and nowhere else."""
    if without_frames(prepared.comparable) == prepared.comparable:
        return False
    rest = without_frames("\n".join(map(comparable, LINE_END.split(prepared.folded))))
    return guess not in _code_runs(rest, len(guess)) and guess != _guess(rest, len(guess))


def _is_bare(text: str) -> bool:
    """Whether the text is ASCII digits alone, as nearly every reply is: neither keyword nor quote.
    Such a text skips the rest of the parsing, which takes longer than the SQL."""
    return text.isascii() and text.isdigit()


def _guess(text: str, code_length: int) -> str | None:
    bare = _trimmed(text)
    if _SPACED.fullmatch(bare):
        digits = "".join(_DIGITS.findall(bare))
        if len(digits) == code_length:
            return digits
    guesses = _code_runs(text, code_length)
    return guesses.pop() if len(guesses) == 1 else None


def _code_runs(text: str, code_length: int) -> set[str]:
    """Returns stand-alone runs of this many digits. If the first line is only the code, no other
    line counts but one that is only a code too: signatures may contain numbers and times. Nor does
    a line that ends with a letter go on in one that is only the code."""
    lines = LINE_END.split(text.strip())
    first, *rest = (_code_line(line, code_length) for line in lines)
    if rest and first is not None:
        return {first, *(code for code in rest if code is not None)}
    alone = [line.strip() for line in lines if re.fullmatch(r"\s*[0-9]+\s*", line)]
    if len(alone) == 1 and len(alone[0]) == code_length and not _GOES_ON.search(text):
        return set(alone).union(*(_lone_runs(line, code_length) for line in lines))
    return _lone_runs(text, code_length)


def _code_line(line: str, code_length: int) -> str | None:
    """The code that a line consists of."""
    code = _trimmed(line)
    digits = "".join(_DIGITS.findall(code))
    return digits if _SPACED.fullmatch(code) and len(digits) == code_length else None


def _lone_runs(text: str, code_length: int) -> set[str]:
    found: set[str] = set()
    text = without_addresses(text)
    for chain in _CHAIN.findall(_IN_BRACKETS.sub(r" \1 ", text)):
        runs = set(_DIGITS.findall(chain))
        if len(runs) == 1:  # one run, or the same code said twice
            found |= {run for run in runs if len(run) == code_length}
    return found


def has_code_line(prepared: PreparedText, *, code_length: int) -> bool:
    """Whether a line is a code alone, and not quoted.

    >>> has_code_line(prepare("No\\n\\n1234"), code_length=4)
    True
    >>> has_code_line(prepare("No\\n\\n> 1234\\n1200 Main St"), code_length=4)
    False
    """
    lines = unquoted(prepared.folded or prepared.text).split("\n")
    is_alone = any(_code_line(line, code_length) is not None for line in lines)
    return is_alone and holds_code_run(prepared, code_length=code_length)


def written_code(prepared: PreparedText, *, code_length: int) -> str | None:
    """The one stand-alone group of as many digits as a code has, outside of what is marked as a
    quote or a signature; None: there is none, or several."""
    found = _lone_runs(unquoted(prepared.folded), code_length)
    return found.pop() if len(found) == 1 else None


def _folded(text: str) -> str:
    """Drops invisible marks, and lines through or below digits; converts the digits of every
    script, and the punctuation that may join them, to ASCII."""
    plain = "".join(map(ascii_punctuation, ascii_digits(visible(_STRETCHING_DASH.sub("-", text)))))
    return plain if plain.isascii() else _MARKED_DIGIT.sub("", plain)


def _trimmed(text: str) -> str:
    """Strips everything but letters and digits from both ends."""
    kept = [place for place, letter in enumerate(text) if letter.isalnum()]
    return text[kept[0] : kept[-1] + 1] if kept else ""
