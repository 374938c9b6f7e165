"""What is sent by text."""

import pytest

from bot import wording
from bot.domain.transitions import Answer
from bot.domain.verification import Terms
from tests.builders import running


def test_the_challenge_reads_as_promised() -> None:
    text = wording.challenge(None, service=None, terms=Terms(), reference="KP")
    assert wording.fill(text, "0042") == (
        "Your verification code is 0042. Reply with just these 4 digits within 90 seconds. Ref KP"
    )


def test_the_service_goes_before_it() -> None:
    text = wording.challenge(None, service="Contoso", terms=Terms(), reference="KP")
    assert text.startswith("Contoso: Your verification code is {code}.")


def test_a_template_of_ones_own_has_all_fields() -> None:
    template = "{service} {code} {digits} {seconds} {reference}"
    text = wording.challenge(template, service="Co", terms=Terms(), reference="KP")
    assert wording.fill(text, "0042") == "Co 0042 4 90 KP"


@pytest.mark.parametrize("answer", list(Answer))
def test_every_answer_is_one_gsm7_segment(answer: Answer) -> None:
    for attempts in range(4):
        said = wording.answer(answer, running(attempts=attempts))
        assert (wording.septets(said) or 999) <= wording.SEGMENT_SEPTETS


def test_tries_left_are_counted_in_words_that_fit() -> None:
    assert "2 tries left" in wording.answer(Answer.WRONG, running(attempts=2))
    assert "1 try left" in wording.answer(Answer.WRONG, running(attempts=3))


def test_the_longest_default_text_is_one_segment() -> None:
    terms = Terms(code_length=10, window_seconds=3600)
    text = wording.challenge(None, service="x" * 40, terms=terms, reference="KP")
    assert (wording.septets(wording.fill(text, "0" * 10)) or 999) <= wording.SEGMENT_SEPTETS
