"""Every text to the person, in every language: it fits, it is complete, and it can be answered."""

import unicodedata
from dataclasses import replace
from pathlib import Path

import gsm0338  # noqa: F401  registers its codec
import pytest
from babel.messages.pofile import normalize, read_po
from hypothesis import given
from hypothesis import strategies as st

from bot import wording
from bot.domain import keywords, reply
from bot.domain.decision import AutoReply
from bot.domain.reply import Attempt, Chatter, Quote
from bot.domain.verification import Terms
from bot.wording import Style, catalogues, sentences
from bot.wording.catalogues import BrokenCatalogue
from bot.wording.choosing import choose, lookup
from bot.wording.segments import GSM7, GSM7_TWICE, segments
from tests.builders import running
from tests.languages import template, update

LANGUAGES = wording.languages()
FIRST_RELEASE = (
    "en es fr de it pt pt-BR nl sv da nb fi pl cs hu ro tr el ru uk ar he hi id ms vi th ja ko"
    " zh-Hans zh-Hant"
).split()
TEN_MINUTES = Terms(window_seconds=600)
# Zero of the scripts that these languages also write digits in.
ZEROS = {"ar": "٠", "hi": "०", "th": "๐", "ja": "０", "zh-Hans": "０", "zh-Hant": "０"}


def text(
    tag: str, *, style: Style = Style.REPLY, service: str | None = None, terms: Terms | None = None
) -> str:
    terms = terms or Terms()
    made = wording.challenge(style, tag=tag, service=service, terms=terms, reference="KP")
    return wording.insert_code(made, "0042".zfill(terms.code_length))


def read(tag: str, said: str) -> object:
    challenge = wording.challenge(Style.REPLY, tag=tag, service=None, terms=Terms(), reference="KP")
    return reply.read(reply.hear(said), code_length=4, challenge_text=challenge)


def test_babel_collects_every_sentence() -> None:
    collected = [message.id for message in template() if message.id]
    assert collected == list(catalogues.all_sentences())


def test_the_languages_of_the_first_release_are_there() -> None:
    assert set(FIRST_RELEASE) <= set(LANGUAGES)


def test_the_default_text_reads_as_promised() -> None:
    assert text("en") == (
        "Your verification code is 0042. Reply with just these 4 digits within 90 seconds. Ref KP."
        " Not you? Reply NO"
    )
    assert "within 10 minutes" in text("en", terms=TEN_MINUTES)
    assert "within 119 seconds" in text("en", terms=Terms(window_seconds=119))
    assert text("en", service="Contoso").startswith("Contoso: Your verification code is 0042.")


def test_a_template_of_ones_own_has_all_fields() -> None:
    template = "{service} {code} {digits} {seconds} {minutes} {reference}"
    filled = wording.insert_terms(template, service="Co", terms=TEN_MINUTES, reference="KP")
    assert wording.insert_code(filled, "0042") == "Co 0042 4 600 10 KP"


@pytest.mark.parametrize(
    "terms",
    [Terms(), TEN_MINUTES, replace(TEN_MINUTES, code_length=6), Terms(6, 119), Terms(6, 3600)],
    ids=["90 s", "10 min", "6 digits, 10 min", "6 digits, 119 s", "6 digits, 60 min"],
)
@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_text_with_a_name_of_twelve_letters_is_one_segment(
    tag: str, style: Style, terms: Terms
) -> None:
    said = text(tag, style=style, service="Acmeservices", terms=terms)
    code = "0042".zfill(terms.code_length)
    assert segments(said).count == 1, segments(said)
    assert code in said
    assert "KP" in said


@pytest.mark.parametrize("answer", list(AutoReply))
@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_answer_is_one_segment_and_holds_no_code(tag: str, answer: AutoReply) -> None:
    for attempts in range(4):
        said = wording.answer(answer, running(attempts=attempts, locale=tag))
        assert segments(said).count == 1, said
        assert "{" not in said
        kept = reply.read(reply.hear(said), code_length=4, challenge_text="")
        assert not isinstance(kept, Attempt)


def test_tries_left_stand_apart_from_the_noun() -> None:
    assert wording.answer(AutoReply.WRONG, running(attempts=2)).endswith("Tries left: 2")
    assert wording.answer(AutoReply.WRONG, running(attempts=3)).endswith("Tries left: 1")


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
        heard = reply.hear(said)
        assert found == reply.read(heard, code_length=4, challenge_text=kept, service=name), said


@pytest.mark.parametrize("tag", LANGUAGES)
def test_no_is_understood_in_every_language(tag: str) -> None:
    for said in ("NO", "No.", " no! ", *wording.no_words(tag)):
        heard = reply.hear(said)
        assert reply.is_no(heard, wording.no_words(tag))
        assert read(tag, said) == Chatter()
        assert keywords.keyword(heard) is None
    for said in ("", "no code came", "yes", "0042", "not", "?!", "ไม้", "नहा"):
        assert not reply.is_no(reply.hear(said), wording.no_words(tag))


@pytest.mark.parametrize("tag", sorted(catalogues.RIGHT_TO_LEFT))
def test_latin_runs_are_isolated_where_lines_run_from_right_to_left(tag: str) -> None:
    for style in Style:
        said = text(tag, style=style, service="Contoso")
        for run in ("0042", "KP", "Contoso"):
            assert f"\u2068{run}\u2069" in said, said


@pytest.mark.parametrize("path", sorted(catalogues.FOLDER.glob("*.po")), ids=lambda p: p.stem)
def test_babel_reads_the_same(path) -> None:
    with path.open("rb") as file:
        catalogue = read_po(file)
    assert not list(catalogue.check())
    theirs = {message.id: message.string for message in catalogue if message.id}
    assert catalogues.read(path) == theirs
    assert str(catalogue.locale).replace("_", "-") == path.stem


GOOD = "\n\n".join(f'msgid "{s}"\nmsgstr "{s}"' for s in catalogues.all_sentences())


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (GOOD.replace(f'msgstr "{sentences.HINT}"', 'msgstr ""'), "is missing"),
        (GOOD.replace(f'msgid "{sentences.HINT}"', 'msgid "x"'), "is missing"),
        (
            GOOD.replace('msgstr "Please reply with just the {digits}', 'msgstr "the'),
            "other fields",
        ),
        (GOOD.replace('msgstr "That code has', 'msgstr "That {code} has'), "other fields"),
        (GOOD.replace('msgstr "That code has', 'msgstr "That {} has'), "other fields"),
        (GOOD.replace('msgstr "That code has', 'msgstr "That { has'), "has"),
        (GOOD + "\nmsgplural x", "is not understood"),
        (GOOD + "\nmsgid unquoted", "quotation marks"),
        (
            GOOD.replace(
                f'msgstr "{sentences.REPLY_SECONDS_SHORT}"',
                'msgstr "{code} {seconds} {reference}"',
            ),
            "could not be told",
        ),
    ],
)
def test_a_broken_catalogue_is_named(tmp_path, broken: str, said: str) -> None:
    path = tmp_path / "xx.po"
    path.write_text(broken)
    with pytest.raises(BrokenCatalogue, match=said):
        catalogues.read_complete(path)


@pytest.mark.parametrize(
    ("asked", "country", "tag"),
    [
        ("es", "US", "es"),
        ("es-MX", "MX", "es"),
        ("pt-BR", "PT", "pt-BR"),
        ("PT-br", "PT", "pt-BR"),
        ("zh-TW", "TW", "zh-Hant"),
        ("zh-Hant-HK", "HK", "zh-Hant"),
        ("zh", "CN", "zh-Hans"),
        ("no", "NO", "nb"),
        ("tlh, fr;q=0.5, de;q=0.8", "US", "de"),
        ("*", "US", "en"),
        ("tlh", "BR", "pt-BR"),
        ("fr;q=0", "US", "en"),
        (None, "BR", "pt-BR"),
        (None, "US", "en"),
        ("en-GB", "BR", "en"),
    ],
)
def test_the_language_is_chosen(asked: str | None, country: str, tag: str) -> None:
    chosen = choose(
        asked, country=country, by_country={"BR": "pt-BR"}, default="en", offered=LANGUAGES
    )
    assert chosen == tag


def test_a_singleton_is_cut_with_what_it_introduces() -> None:
    assert lookup("de-x-private", ["de-x", "de"]) == "de"


@given(
    st.text(
        alphabet=st.sampled_from([*sorted(GSM7 | GSM7_TWICE), "я", "語", "😀", "ç"]), max_size=400
    )
)
def test_segments_agree_with_an_independent_library(said: str) -> None:
    try:
        septets = len(said.encode("gsm03.38"))
        expected = ("GSM-7", septets, 160)
    except UnicodeEncodeError:
        expected = ("UCS-2", len(said.encode("utf-16-be")) // 2, 70)
    found = segments(said)
    assert (found.encoding, found.units) == expected[:2]
    assert (found.count == 1) == (found.units <= expected[2])


NAMES = st.characters(categories=["L", "N", "Zs"])


@given(
    tag=st.sampled_from(LANGUAGES),
    style=st.sampled_from(list(Style)),
    service=st.none()
    | st.text(st.characters(categories=["L", "N", "Zs"]), min_size=1, max_size=40),
    length=st.integers(4, 10),
    window=st.integers(10, 3600),
)
def test_any_name_and_any_terms_make_a_text(
    tag: str, style: Style, service: str | None, length: int, window: int
) -> None:
    terms = Terms(code_length=length, window_seconds=window)
    made = wording.challenge(style, tag=tag, service=service, terms=terms, reference="KP")
    said = wording.insert_code(made, "0" * length)
    assert said.count("0" * length) >= 1
    found = reply.read(reply.hear(said), code_length=length, challenge_text=made)
    assert not isinstance(found, Attempt)


def test_a_new_language_begins_with_every_sentence(tmp_path: Path) -> None:
    """`make languages NEW=sk`, and once more with what was translated meanwhile."""
    catalogue = tmp_path / "sk.po"
    sentences = {message.id for message in template() if message.id}
    assert set(update(catalogue)) == sentences
    first = min(sentences)
    text = catalogue.read_text("utf-8")
    begun = f"msgid {normalize(first, width=0)}\nmsgstr "
    assert f'{begun}""' in text
    catalogue.write_text(text.replace(f'{begun}""', f'{begun}"preklad"'), "utf-8")
    assert set(update(catalogue)) == sentences - {first}


@pytest.mark.parametrize(
    "asked", ["zh", "zh-CN", "zh-TW", "zh-Hans", "zh-Hant-HK", "no", "iw", "in"]
)
def test_a_language_that_is_not_offered_is_not_found(asked: str) -> None:
    assert lookup(asked, ["en", "fr"]) is None
    found = choose(asked, country="US", by_country={}, default="fr", offered=["en", "fr"])
    assert found == "fr"


def test_marks_that_may_be_left_out_do_not_matter() -> None:
    assert reply.is_no(reply.hear("לֹא"), wording.no_words("he"))
    assert reply.is_no(reply.hear("لَا"), wording.no_words("ar"))
