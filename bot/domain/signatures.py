"""Recognizes signatures and quoted texts below a reply, and a NO above them."""

import re
from collections.abc import Collection
from functools import lru_cache

from bot.domain.characters import comparable, is_unspaced, letters_of_words, words_of

LINE_END = re.compile(r"[\r\n\u2028\u2029]+")
# Begins a line of a quote or a signature, or occurs in a phone's default signature.
_MARK = (
    r"--|__|[>«\"“„‹]|sent from "
    r"|[^\r\n\u2028\u2029]*(?:iphone|ipad|android|samsung|smartphone|スマートフォン)"
)
_BELOW = re.compile(
    rf"(?:\r\n?|\n|\u2028|\u2029)(?=[^\S\r\n\u2028\u2029]*+(?:[\r\n\u2028\u2029]|{_MARK}))",
    re.IGNORECASE,
)
_MARKED = re.compile(_MARK, re.IGNORECASE)
# The most words of a line of a signature, or letters in a script without blanks. More are a
# sentence that belongs to the reply, unless nearly all begin with a capital, as names do.
SIGNATURE_WORDS, SIGNATURE_LETTERS, SMALL_WORDS = 5, 12, 2
# The word for the code in the languages of the texts, also as a part of a longer word and with its
# endings: a line about it, such as "no code came", is a sentence. Names are not: Nikodem, Kodály.
_ABOUT_CODE = re.compile(
    r"(?<!ni)(?:code|kode|kod(?!ak|ály)|koodi|kód)[^\W\d_]{0,6}\b"
    r"|\b(?:c[oó]digos?|codic[ei]|codu(?:l|ri)\w*|cod|clave|pin|token|mã)\b"
    r"|κωδικ|код|קוד|رمز|कोड|코드|인증번호|รหัส|コード|验证码|驗證碼|代码|代碼"
)
LONGEST_NO = 100  # characters; no language says it in more
_NUMERO = re.compile("[\u2116\u00ba]")  # № and Nº are compared as "no", and mean "number"


def is_no(text: str, words: Collection[str], *, is_quote: bool = False) -> bool:
    """Whether a text is one of these words, perhaps repeated, alone or above a signature or quote.
    Punctuation does not matter. `is_quote`: the text contains one of ours, so that is what stands
    below.

    >>> is_no("No!", ["no"]), is_no("no code came", ["no"])
    (True, False)
    >>> is_no("No, no!\\n\\nSent from my phone", ["no"]), is_no("No\\nit is 5", ["no"])
    (True, False)
    """
    above, *below = _parts(text)
    if len(above) > LONGEST_NO or _NUMERO.search(above):
        return False
    first = comparable(above)
    known = {_letters_of(word) for word in words}
    words_found = words_of(first)
    is_said = letters_of_words(first) in known or (
        bool(words_found) and all(_is_one_of(known, word) for word in words_found)
    )
    return is_said and (is_quote or all(map(_is_signature, below)))


def above(text: str) -> str:
    """What stands above a signature or a quote; all of it if nothing does."""
    first, *below = _parts(text)
    return first if all(map(_is_signature, below)) else text.strip()


def _parts(text: str) -> list[str]:
    return _BELOW.split(text.strip(), maxsplit=1)


@lru_cache(maxsize=512)  # the words of thirty languages
def _letters_of(word: str) -> str:
    return letters_of_words(comparable(word))


def _is_one_of(known: set[str], word: str) -> bool:
    """Whether a word is known, or in a script without blanks, several known ones."""
    if word in known or not is_unspaced(word[0]):
        return word in known
    return any(word == one * (len(word) // len(one)) for one in known)


def _is_signature(below: str) -> bool:
    """Whether what stands below a reply is a signature or a quote, not a sentence of the person."""
    for line in LINE_END.split(below.strip()):
        if _MARKED.match(line.strip()):
            return True
        words = words_of(line)
        is_attribution = len(words) <= SIGNATURE_WORDS or re.search(r"[0-9@]", line)
        if is_attribution and line.rstrip().endswith((":", "：")):
            return True  # "Anna wrote:", and all below it
        small = sum(word[0].islower() for word in words)
        capital = sum(word[0].isupper() for word in words)
        unspaced = sum(is_unspaced(letter) for letter in line)
        are_names = small <= SMALL_WORDS < capital and not line.isupper()
        is_short = len(words) <= SIGNATURE_WORDS or are_names
        is_sentence = unspaced > SIGNATURE_LETTERS or _ABOUT_CODE.search(comparable(line))
        if not is_short or is_sentence:
            return False
    return True


def unquoted(text: str) -> str:
    """The lines that nothing marks as a quote or a signature."""
    lines = (line.strip() for line in LINE_END.split(text))
    return "\n".join(line for line in lines if not _MARKED.match(line))
