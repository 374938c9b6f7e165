"""Every text to the person, in every language, is complete and fits one segment."""

from dataclasses import replace

import gsm0338  # noqa: F401  registers its codec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import wording
from bot.domain import reply
from bot.domain.decision import AutoReply
from bot.domain.reply import Attempt
from bot.domain.verification import Terms
from bot.wording import Style, catalogues
from bot.wording.segments import GSM7, GSM7_TWICE, segments
from tests.builders import running
from tests.domain.challenges import LANGUAGES, text

TEN_MINUTES = Terms(window_seconds=600)


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
    for service in ("Acmeservices", "Łódź Express"):  # ł and ź are not in GSM-7
        said = text(tag, style=style, service=service, terms=terms)
        code = "0042".zfill(terms.code_length)
        assert segments(said).count == 1, (said, segments(said))
        assert code in said
        assert "KP" in said


@pytest.mark.parametrize("answer", list(AutoReply))
@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_answer_is_one_segment_and_holds_no_code(tag: str, answer: AutoReply) -> None:
    for attempts in range(4):
        said = wording.answer(answer, running(attempts=attempts, locale=tag))
        assert segments(said).count == 1, said
        assert "{" not in said
        kept = reply.read(reply.prepare(said), code_length=4, challenge_text="")
        assert not isinstance(kept, Attempt)


def test_tries_left_stand_apart_from_the_noun() -> None:
    assert wording.answer(AutoReply.WRONG, running(attempts=2)).endswith("Tries left: 2")
    assert wording.answer(AutoReply.WRONG, running(attempts=3)).endswith("Tries left: 1")


@pytest.mark.parametrize("tag", [*filter(catalogues.runs_right_to_left, LANGUAGES)])
def test_latin_runs_are_isolated_where_lines_run_from_right_to_left(tag: str) -> None:
    for style in Style:
        said = text(tag, style=style, service="Contoso")
        for run in ("0042", "KP", "Contoso"):
            assert f"\u2068{run}\u2069" in said, said


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
    found = reply.read(reply.prepare(said), code_length=length, challenge_text=made)
    assert not isinstance(found, Attempt)
