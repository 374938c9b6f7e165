"""Catalogues hold every sentence, a broken one is named, and the person's language is chosen."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import normalize, read_po

from bot.wording import catalogues, sentences
from bot.wording.catalogues import BrokenCatalogue
from bot.wording.choosing import choose, lookup
from tests.domain.challenges import LANGUAGES
from tests.languages import template, update

FIRST_RELEASE = (
    "en es fr de it pt pt-BR nl sv da nb fi pl cs hu ro tr el ru uk ar he hi id ms vi th ja ko"
    " zh-Hans zh-Hant"
).split()


def test_babel_collects_every_sentence() -> None:
    collected = [message.id for message in template() if message.id]
    assert collected == list(catalogues.all_sentences())


def test_the_languages_of_the_first_release_are_there() -> None:
    assert set(FIRST_RELEASE) <= set(LANGUAGES)


@pytest.mark.parametrize("path", sorted(catalogues.FOLDER.glob("*.po")), ids=lambda p: p.stem)
def test_babel_reads_the_same(path) -> None:
    with path.open("rb") as file:
        catalogue = read_po(file)
    assert not list(catalogue.check())
    theirs = {message.id: message.string for message in catalogue if message.id}
    assert catalogues.read(path) == theirs
    assert str(catalogue.locale).replace("_", "-") == path.stem


def written(translations: dict[str, str]) -> str:
    return "\n\n".join(f'msgid "{s}"\nmsgstr "{t}"' for s, t in translations.items())


GOOD = written({s: s for s in catalogues.all_sentences()})


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
        (GOOD.replace('msgstr "Code {code}.', 'msgstr "Code 7{code}.'), "beside {code}"),
        (
            GOOD.replace('msgstr "Code {code}. Reply', 'msgstr "Code {code}{seconds}'),
            "beside|other",
        ),
        (
            GOOD.replace('left: {left}"', 'left: {left:s}"').replace(
                'msgid "That code is not right. Tries left: {left:s}"',
                'msgid "That code is not right. Tries left: {left}"',
            ),
            "nothing else",
        ),
        (GOOD.replace('msgstr "Code {code}.', 'msgstr "Code {{x}} {code}.'), "nothing else"),
        (GOOD.replace(f'msgstr "{sentences.APPROVED}"', 'msgstr " "'), "is missing"),
        (GOOD.replace(f'msgstr "{sentences.APPROVED}"', r'msgstr "Fine\ud800"'), "no text can"),
        (GOOD.replace(f'msgstr "{sentences.APPROVED}"', r'msgstr "Fine\a"'), "no text can"),
        (GOOD.replace(f'msgstr "{sentences.APPROVED}"', f'msgstr "{"fine " * 40}"'), "one segment"),
        (GOOD.replace(f'msgstr "{sentences.NOT_YOU}"', 'msgstr "Not you?"'), "NO is missing"),
        (GOOD.replace(f'msgstr "{sentences.NOT_YOU}"', 'msgstr "NOT you? Reply NON"'), "NO is m"),
        (GOOD.replace('msgstr "Code {code}.', 'msgstr "Code 7\u2068{code}\u2069.'), "beside"),
        (GOOD.replace('msgstr "no"', 'msgstr "nein,"'), "no word"),
        (GOOD.replace('msgstr "no"', 'msgstr "nein, 5"'), "no word"),
    ],
)
def test_a_broken_catalogue_is_named(tmp_path, broken: str, said: str) -> None:
    path = tmp_path / "xx.po"
    path.write_text(broken)
    with pytest.raises(BrokenCatalogue, match=said):
        catalogues.read_complete(path)


@pytest.mark.parametrize("opening", ["کد {code}.", "{code} کد.", "SMS {code}."])
def test_fields_are_isolated_where_lines_run_from_right_to_left(
    tmp_path: Path, opening: str
) -> None:
    path = tmp_path / "fa.po"
    persian = {
        **{s: re.sub(r"(\{\w+\})", "\u2068\\1\u2069", s) for s in catalogues.all_sentences()},
        sentences.APPROVED: "سپاس",
    }
    path.write_text(written(persian))
    assert catalogues.read_complete(path)
    short = sentences.REPLY_SECONDS_SHORT
    path.write_text(written({**persian, short: short.replace("Code {code}.", opening)}))
    with pytest.raises(BrokenCatalogue, match="must stand around each field"):
        catalogues.read_complete(path)


def test_a_long_list_of_words_for_no_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "ru.po"
    words = ", ".join(["это не я и не просил"] * 5)
    path.write_text(GOOD.replace('msgstr "no"', f'msgstr "{words}"'))
    assert catalogues.read_complete(path)[sentences.NO_WORDS] == words


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    latin, folder = tmp_path / "xx.po", tmp_path / "yy.po"
    latin.write_text(GOOD.replace("Thank you", "Vielen Dänk"), "latin-1")
    folder.mkdir()
    for path in (latin, folder):
        with pytest.raises(BrokenCatalogue, match=path.name):
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
