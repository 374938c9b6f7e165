"""Keywords of the phone network: STOP, START and HELP, alone or at the beginning of a text."""

import re
from enum import Enum
from functools import lru_cache
from itertools import groupby

from bot.domain.characters import comparable
from bot.domain.reply import PreparedText
from bot.domain.signatures import LINE_END

# Twilio's default keywords (Advanced Opt-Out has the same ones) and the French ones of Canada,
# without blanks, dashes and punctuation, as they are compared.
STOP_WORDS = frozenset("stop stopall unsubscribe cancel end quit revoke optout arret arrêt".split())
# Beside NO, the others may as well be what somebody does not want: "No, cancel", "Cancel? No".
UNMISTAKABLE = STOP_WORDS - {"cancel", "end", "quit"}
_START = frozenset(["start", "yes", "unstop"])
_HELP = frozenset(["help", "info", "aide"])

# A text that opens with one of these and goes on asks to be left alone: the US rule (47 CFR
# 64.1200(a)(10), 2025) takes any reasonable wording, and names "opt out". The others of STOP_WORDS
# open ordinary sentences. As in a keyword alone, blanks, dashes and dots between letters do not
# matter: "S.T.O.P texting me".
# Syllables are separated by blanks here; in a reply there may be one mark between them, or none.
_OPENERS = ("stop all", "stop", "stopp", "un subscribe", "re voke", "opt out", "arret", "arrêt")


def _opener(number: int, syllables: str) -> str:
    spelled = (
        _spelled_out(f"gap_{number}_{place}", s) for place, s in enumerate(syllables.split())
    )
    return "[ ._-]?".join(spelled)


def _spelled_out(gap: str, letters: str) -> str:
    """Matches the syllable as written, or with the same separator after each letter, but not if
    further letters follow in the same way."""
    spaced = f"(?P={gap})".join(letters[1:])
    return rf"(?:{letters}|{letters[0]}(?P<{gap}>[ ._-]){spaced}(?!(?P={gap})[^\W_](?![^\W_])))"


# In scripts without blanks the next word follows at once: STOPしてください.
_ENDS = "(?![0-9a-z\u00df-\u024f])"
# What may stand between NO and STOP: "No. Stop texting me" says both words that a text offers;
# "non-stop" is another word, and so is "no stop codes here".
_BETWEEN = r"(?:\s*[,.;:!?\u2026\u3001\u3002\u060c\u061f\u0964]|\s+-)[\W_]*"
# A dash that joins sentences. One without blanks may be a hyphen that a phone has made longer.
_LONG_DASH = re.compile(r"(?<!non)\u2014|(?<=\s)[\u2013\u2014]|[\u2013\u2014](?=\s)", re.IGNORECASE)
# A name, where "Stop texting me" is a sentence: "Stop Motion Ltd".
_NAME = re.compile(r"Stop(?: +[A-Z][\w&.]*)+")
# STOPPP, stooop; "stoop" is another word.
_STRETCHED = "s+to{3,}p+|s+to+p{3,}"
_STOP = rf"(?:{_STRETCHED}|{'|'.join(_opener(*one) for one in enumerate(_OPENERS))}){_ENDS}"


class Keyword(Enum):
    STOP = "stop"
    START = "start"
    HELP = "help"


def keyword(prepared: PreparedText) -> Keyword | None:
    """The keyword a text consists of; case, blanks, dashes and punctuation do not matter.

    >>> from bot.domain.reply import prepare
    >>> keyword(prepare(" Stop. ")), keyword(prepare("OPT-OUT"))
    (<Keyword.STOP: 'stop'>, <Keyword.STOP: 'stop'>)
    >>> keyword(prepare("please stop")) is None
    True
    """
    word = "".join(letter for letter in prepared.comparable if letter.isalnum())
    if word in STOP_WORDS:
        return Keyword.STOP
    if word in _START:
        return Keyword.START
    return Keyword.HELP if word in _HELP else None


def is_stop_word(prepared: PreparedText) -> bool:
    """Whether Twilio reads a text as STOP. Twilio ignores only case and blanks around it."""
    return prepared.text.strip().casefold() in STOP_WORDS


def stop_request(prepared: PreparedText, no_words: frozenset[str]) -> str | None:
    """The comparable text from an unmistakable stop word on, if it begins with one, perhaps after
    NO. `no_words`: comparable.

    >>> from bot.domain.reply import prepare
    >>> no = frozenset(["no"])
    >>> stop_request(prepare("Stop texting me!"), no), stop_request(prepare("stopping by"), no)
    ('stop texting me!', None)
    >>> stop_request(prepare("No!\\nStop it"), no), stop_request(prepare("no stop here"), no)
    ('stop it', None)
    """
    opening = _opens_with_stop(no_words)
    texts = [prepared.comparable]
    # Made comparable, a line ends as any word does, and a dash is a hyphen as any other.
    apart = _LONG_DASH.sub(" - ", LINE_END.sub(" . ", prepared.text.strip()))
    if apart != prepared.text and not _is_signed_with_stop(prepared.text):
        texts.append(comparable(apart))
    for text in texts:
        if found := opening.match(text):
            return text[found.start(1) :]
    return None


def _is_signed_with_stop(text: str) -> bool:
    """Whether its last line is a name that begins with Stop, below a blank line."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return len(lines) > 2 and not lines[-2] and _NAME.fullmatch(lines[-1]) is not None


@lru_cache(maxsize=4)
def _opens_with_stop(no_words: frozenset[str]) -> re.Pattern[str]:
    """Stretched letters of NO do not matter: "Nooo, stop it"."""
    words = "|".join(map(_stretched, sorted(no_words, key=len, reverse=True)))
    # Atomic: "neee" is "ne" and "nee", so many of them would be read in a power of ways.
    one = rf"(?>(?:{words})(?:{_BETWEEN}|\s+(?=(?:{words})(?:{_BETWEEN}|\s))))"
    no = f"{one}*+" if words else ""
    return re.compile(rf"[\W_]*{no}({_STOP})")


def _stretched(word: str) -> str:
    """Matches each letter as often as it stands there in a row, or more often."""
    runs = ((letter, len(list(run))) for letter, run in groupby(word))
    return "".join(f"{re.escape(letter)}{{{length},}}+" for letter, length in runs)
