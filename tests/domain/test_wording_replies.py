"""Every text can be answered in its language: codes, quotes and NO are distinguished."""

import unicodedata

import pytest

from bot import wording
from bot.domain import keywords, reply
from bot.domain.reply import Attempt, Chatter, Quote
from bot.domain.signatures import is_no
from bot.domain.verification import Terms
from bot.wording import Style
from tests.domain.challenges import LANGUAGES, text

# Zero of the scripts that these languages also write digits in.
ZEROS = {"ar": "٠", "hi": "०", "th": "๐", "ja": "０", "zh-Hans": "０", "zh-Hant": "０"}


def read(tag: str, said: str) -> object:
    challenge = wording.challenge(Style.REPLY, tag=tag, service=None, terms=Terms(), reference="KP")
    return reply.read(reply.prepare(said), code_length=4, challenge_text=challenge)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_code_in_the_digits_of_its_script_is_an_attempt(tag: str) -> None:
    zero = ZEROS.get(tag, "0")
    code = "".join(chr(ord(zero) + int(digit)) for digit in "0042")
    for said in (code, f" {code}.", " ".join(code)):
        assert read(tag, said) == Attempt("0042")


# As phones word them in several languages: what makes them a quote is the text within.
REACTIONS = (
    "Disliked “{}”",
    "Laughed at “{}”",
    "Emphasized “{}”",
    "Questioned “{}”",
    "Removed a heart from “{}”",
    "Le gustó “{}”",
    "A aimé « {} »",
    "Gefällt „{}“",
    "Ha apprezzato “{}”",
    "Curtiu “{}”",
    "Vond “{}” leuk",
    "👍 a “{}”",
    "👍 zu „{}“",
    "Нравится «{}»",
    "「{}」にいいね",
    "“{}”에 ❤️",
)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_our_text_carried_back_is_no_attempt(tag: str) -> None:
    said = text(tag)
    # As reactions of iOS and Google Messages carry it: framed, and whole or cut.
    for framed in (
        said,
        f"Loved “{said}”",
        f"👍 to “{said}”",
        *(frame.format(said) for frame in REACTIONS),
        f"\u200a\u200b👍\u200b\u200a to “{said}”",
        unicodedata.normalize("NFD", said),
        said.upper(),
        said[: said.index("0042") + 40],
    ):
        assert read(tag, framed) == Quote(), framed


ANSWERS = {
    "el": ["Κωδικός 0042", "Ο κωδικός είναι 0042", "κωδικός: 0042"],
    "ru": ["Код 0042", "Мой код 0042"],
    "ja": ["確認コードは0042です", "コード0042"],
    "th": ["รหัสยืนยัน 0042", "รหัส 0042"],
    "ar": ["الرمز هو 0042"],
    "ko": ["인증번호는 0042"],
    "zh-Hans": ["验证码0042", "验证码是0042"],
}


@pytest.mark.parametrize("tag", sorted(ANSWERS))
def test_the_word_for_code_is_no_quote(tag: str) -> None:
    for said in ANSWERS[tag]:
        assert read(tag, said) == Attempt("0042"), said


@pytest.mark.parametrize("name", ["First National Bank", "Сбербанк", "楽天モバイル", "Κωδικός ΑΕ"])
@pytest.mark.parametrize("tag", ["en", "ru", "ja", "el"])
def test_the_name_of_the_service_is_no_quote(tag: str, name: str) -> None:
    kept = wording.challenge(Style.REPLY, tag=tag, service=name, terms=Terms(), reference="KP")
    expected = {
        f"{name} 0042": Attempt("0042"),
        f"my {name} code: 0042": Attempt("0042"),
        f"Loved “{text(tag, service=name)}”": Quote(),
    }
    for said, found in expected.items():
        prepared = reply.prepare(said)
        assert found == reply.read(prepared, code_length=4, challenge_text=kept, service=name), said


@pytest.mark.parametrize("tag", LANGUAGES)
def test_no_is_understood_in_every_language(tag: str) -> None:
    for said in ("NO", "No.", " no! ", *wording.no_words(tag)):
        prepared = reply.prepare(said)
        assert is_no(prepared.text, wording.no_words(tag))
        assert read(tag, said) == Chatter()
        assert keywords.keyword(prepared) is None
    for said in ("", "no code came", "yes", "0042", "not", "?!", "ไม้", "नहा"):
        assert not is_no(said, wording.no_words(tag))


def test_marks_that_may_be_left_out_do_not_matter() -> None:
    assert is_no("לֹא", wording.no_words("he"))
    assert is_no("لَا", wording.no_words("ar"))
