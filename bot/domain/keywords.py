"""Keywords of the phone network: STOP, START and HELP, alone or at the beginning of a text."""

import re
from enum import Enum

from bot.domain.characters import comparable
from bot.domain.reply import PreparedText

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
# "No. Stop texting me." says both words that a text offers; "non-stop" is another word.
_NO_BEFORE = r"(?:(?:no|nein|non|não|nee|nej|nei|nie|ne|нет|ні)(?:\s*[,.;:!]|\s+-)\s*)?"
# A dash that joins sentences. One without blanks may be a hyphen that a phone has made longer.
_LONG_DASH = re.compile(r"(?<!non)\u2014|(?<=\s)[\u2013\u2014]|[\u2013\u2014](?=\s)", re.IGNORECASE)
_OPENS_WITH_STOP = re.compile(
    rf"[\W_]*{_NO_BEFORE}(?:{'|'.join(_opener(*one) for one in enumerate(_OPENERS))}){_ENDS}"
)


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


def opens_with_stop(prepared: PreparedText) -> bool:
    """Whether a text begins with an unmistakable stop word, whatever follows.

    >>> from bot.domain.reply import prepare
    >>> opens_with_stop(prepare("Stop texting me!")), opens_with_stop(prepare("stopping by at 7"))
    (True, False)
    """
    if _OPENS_WITH_STOP.match(prepared.comparable):
        return True
    apart = _LONG_DASH.sub(" - ", prepared.text)  # made comparable, it is a hyphen as any other
    return apart != prepared.text and bool(_OPENS_WITH_STOP.match(comparable(apart)))
