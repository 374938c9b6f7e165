"""Reading a reply: keyword, quote of our own text, attempt, or chatter.

In this order, because each step protects the next. Keywords belong to the phone network and never
burn an attempt. A reaction ("Loved “Your verification code is 1234”") carries the right code
without anybody having typed it, so quotes go before codes. Only then are digits looked at, and
one text never buys more than one guess.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

# Twilio's default keywords (Advanced Opt-Out has the same ones) and the French ones of Canada.
_STOP = frozenset(
    ["stop", "stop all", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"]
)
_ARRET = frozenset(["arret", "arrêt"])
_START = frozenset(["start", "yes", "unstop"])
_HELP = frozenset(["help", "info", "aide"])

# This many characters of our own words in a row are no coincidence. It is also the least that a
# challenge's fixed words must have.
QUOTE_LENGTH = 12

# Joins two groups of digits into one longer number: a phone number, a date, a price.
_CHAIN = re.compile(r"[0-9]+(?:[\s.\-/:,+]+[0-9]+)*")
_SPACED = re.compile(r"[0-9](?:[\s\-]*[0-9])*")
_DIGITS = re.compile(r"[0-9]+")
_DASHES = re.compile(r"[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")


class Keyword(Enum):
    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A guess: ASCII digits, as many as the code has."""

    digits: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Our own text came back; it holds the code, so it proves nothing."""


@dataclass(frozen=True, slots=True)
class Chatter:
    """Anything else."""


def keyword(text: str) -> Keyword | None:
    """The keyword a text consists of, blanks and punctuation around it aside.

    >>> keyword(" Stop. ")
    <Keyword.STOP: 'stop'>
    >>> keyword("stop please") is None
    True
    """
    if _is_bare(text):
        return None
    word = _trimmed(_comparable(text))
    if word in _STOP | _ARRET:
        return Keyword.STOP
    if word in _START:
        return Keyword.START
    return Keyword.HELP if word in _HELP else None


def read(text: str, *, code_length: int, challenge_text: str) -> Attempt | Quote | Chatter:
    """What a text that is no keyword says, to a verification of these terms.

    >>> read("Code: ２１６８ thanks", code_length=4, challenge_text="")
    Attempt(digits='2168')
    >>> read("Call me 555 1234", code_length=4, challenge_text="")
    Chatter()
    """
    if _is_bare(text) and len(text) == code_length:
        return Attempt(text)
    if _has_reaction_frame(text) or _quotes(text, challenge_text):
        return Quote()
    guess = _guess(_folded(text), code_length)
    return Attempt(guess) if guess else Chatter()


def _is_bare(text: str) -> bool:
    """Nothing but ASCII digits, as nearly every reply is: no keyword, and no quote, which has
    letters. Told at once, since the rest of the reading takes longer than its SQL."""
    return text.isascii() and text.isdigit()


def _guess(text: str, code_length: int) -> str | None:
    bare = _trimmed(text)
    if _SPACED.fullmatch(bare):
        digits = "".join(_DIGITS.findall(bare))
        if len(digits) == code_length:
            return digits
    guesses = set()
    for chain in _CHAIN.findall(text):
        runs = set(_DIGITS.findall(chain))
        if len(runs) == 1:  # one run, or the same code said twice
            guesses |= {run for run in runs if len(run) == code_length}
    return guesses.pop() if len(guesses) == 1 else None


def _has_reaction_frame(text: str) -> bool:
    """Google Messages frames a reaction in hair spaces beside zero-width ones (U+200B, and U+200C
    for a reaction taken back). A zero-width space alone is just a keyboard's dirt."""
    return "\u200a" in text and ("\u200b" in text or "\u200c" in text)


def _quotes(text: str, challenge_text: str) -> bool:
    said = _comparable(text)
    for part in challenge_text.split("{code}"):
        ours = _comparable(part)
        starts = range(len(ours) - QUOTE_LENGTH + 1)
        if any(ours[start : start + QUOTE_LENGTH] in said for start in starts):
            return True
    return False


def _comparable(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", _visible(text)).casefold().split())


def _folded(text: str) -> str:
    """Digits of every script as ASCII, dashes as one dash, invisible marks gone."""
    digits = (_ascii_digit(letter) for letter in _visible(text))
    return _DASHES.sub("-", "".join(digits))


def _ascii_digit(letter: str) -> str:
    value = unicodedata.decimal(letter, None)
    return letter if value is None else str(value)


def _visible(text: str) -> str:
    """Without zero-width and direction marks, and without what makes a digit a key cap emoji."""
    return "".join(
        letter
        for letter in text
        if letter.isascii()
        or (unicodedata.category(letter) != "Cf" and letter not in "\ufe0e\ufe0f\u20e3")
    )


def _trimmed(text: str) -> str:
    """Without anything but letters and digits at both ends."""
    kept = [place for place, letter in enumerate(text) if letter.isalnum()]
    return text[kept[0] : kept[-1] + 1] if kept else ""
