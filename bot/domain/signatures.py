"""Recognizes signatures and quoted texts below a reply, and a NO above them."""

import re
from collections.abc import Collection
from functools import lru_cache

from bot.domain.characters import comparable, is_unspaced, letters_of_words, visible, words_of

LINE_END = re.compile(r"[\r\n\u2028\u2029]+")
# Begins the default signatures of phones and mail programs. The languages that end with such a word
# are in _MARK.
_SENT_FROM = (
    "sent (?:from|via|with|using) |get outlook |gesendet (?:von|mit) |holen sie sich outlook "
    "|envoyé (?:de mon|de ma|depuis|avec|à partir) |envoyé de (?:l['’]|outlook|yahoo|gmail)"
    "|obtenez outlook |inviato da(?:l mio)? "
    "|scarica outlook |enviado (?:desde|do meu|de meu|pelo meu|a partir) |obtener outlook "
    "|obter o outlook "
    "|(?:verzonden|verstuurd) (?:vanaf|via|met) |skickat från |sendt fra |wysłan[eo] z "
    "|odesl[aá]no z |odoslané z |trimis de pe |отправлено (?:с|из) |надіслано (?:з|із) "
    "|στάλθηκε από |dikirim dari |gửi từ |ส่งจาก|发自|發自|傳送自|נשלח מ"
)
_PHONE = "iphon|ipad|android|samsung|smartphone|スマートフォン|から送信|에서 보냄"
# Begins a line of a quote or a signature, or occurs in a phone's default signature.
_MARK = rf"--|__|[>«\"“„‹]|{_SENT_FROM}|[^\r\n\u2028\u2029]*(?:{_PHONE})"
_BELOW = re.compile(
    rf"(?:\r\n|\r(?!\n)|(?<!\r)\n|\u2028|\u2029)(?=[^\S\r\n\u2028\u2029]*+(?:[\r\n\u2028\u2029]|{_MARK}))",
    re.IGNORECASE,
)
_MARKED = re.compile(_MARK, re.IGNORECASE)
_NAMES_PHONE = re.compile(_PHONE, re.IGNORECASE)
_DEFAULT = re.compile(_SENT_FROM, re.IGNORECASE)
_DEFAULT_OR_LINE = re.compile(rf"--|__|{_SENT_FROM}", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\d{4}")
# A line that begins like a default signature, names no phone and is longer is a sentence.
DEFAULT_WORDS = 7
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
_STRETCHED = re.compile(r"(.)\1\1")
_BLANKS = str.maketrans("\u00a0\u202f", "  ")  # that do not break a line
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
    known = {_letters_of(word) for word in words}
    above, *below = _parts(text)
    return _is_said(above, known) and (is_quote or all(map(_is_signature, below)))


def _is_said(text: str, known: Collection[str]) -> bool:
    """Whether a text says one of these words, and nothing else."""
    if len(text) > LONGEST_NO or _NUMERO.search(text):
        return False
    said = comparable(text)
    words = words_of(said)
    return _is_known(letters_of_words(said), known) or (
        bool(words) and all(_is_one_of(known, word) for word in words)
    )


def _is_known(word: str, known: Collection[str]) -> bool:
    """Stretched letters do not matter: Nooo."""
    if not _STRETCHED.search(word):
        return word in known
    return _short(word) in map(_short, known)


def _short(word: str) -> str:
    return re.sub(r"(.)\1+", r"\1", word)


def above_default_signature(text: str) -> str:
    """What stands above the default signature of a phone; all of it if that does not stand below,
    or with a number as long as a code."""
    first, *below = _parts(text)
    return first if all(map(_is_default_signature, below)) else text.strip()


def _is_default_signature(below: str) -> bool:
    line = below.strip()
    is_question = "?" in line
    return bool(_DEFAULT_OR_LINE.match(line)) and not is_question and not _LONG_NUMBER.search(line)


def above(text: str) -> str:
    """What stands above a signature or a quote; all of it if nothing does."""
    first, *below = _parts(text)
    return first if all(map(_is_signature, below)) else text.strip()


def _parts(text: str) -> list[str]:
    """Invisible marks may stand before what marks a line."""
    plain = visible(text).translate(_BLANKS)
    return _BELOW.split(plain.strip(), maxsplit=1)


@lru_cache(maxsize=512)  # the words of thirty languages
def _letters_of(word: str) -> str:
    return letters_of_words(comparable(word))


def _is_one_of(known: Collection[str], word: str) -> bool:
    """Whether a word is known, or in a script without blanks, several known ones."""
    if not is_unspaced(word[0]):
        return _is_known(word, known)
    return word in known or any(word == one * (len(word) // len(one)) for one in known)


def _is_signature(below: str) -> bool:
    """Whether what stands below a reply is a signature or a quote, not a sentence of the person."""
    for line in LINE_END.split(below.strip()):
        words = words_of(line)
        if _MARKED.match(line.strip()) and not _is_sentence_like_default(line, words):
            return True
        if is_attribution(line):
            return True  # and all below it
        small = sum(word[0].islower() for word in words)
        capital = sum(word[0].isupper() for word in words)
        unspaced = sum(is_unspaced(letter) for letter in line)
        are_names = small <= SMALL_WORDS < capital and not line.isupper()
        is_short = len(words) <= SIGNATURE_WORDS or are_names
        is_sentence = unspaced > SIGNATURE_LETTERS or _ABOUT_CODE.search(comparable(line))
        if not is_short or is_sentence:
            return False
    return True


def is_attribution(line: str) -> bool:
    """Whether it is a line that mail programs put above a quote.

    >>> is_attribution("Anna wrote:"), is_attribution("this is what your text to my phone says:")
    (True, False)
    """
    is_short = len(words_of(line)) <= SIGNATURE_WORDS or re.search(r"[\d@]", line) is not None
    return is_short and line.rstrip().endswith((":", "："))


def _is_sentence_like_default(line: str, words: list[str]) -> bool:
    is_longer = len(words) > DEFAULT_WORDS and not _NAMES_PHONE.search(line)
    return (is_longer or "?" in line) and _DEFAULT.match(line.strip()) is not None


def unquoted(text: str) -> str:
    """The lines that nothing marks as a quote or a signature."""
    lines = (line.strip() for line in LINE_END.split(text))
    return "\n".join(line for line in lines if not _MARKED.match(line))
