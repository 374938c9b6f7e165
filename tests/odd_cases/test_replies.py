"""Ways of asking to be left alone, short codes, and texts that cost."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain import reply
from bot.domain.keywords import Keyword, keyword, opens_with_stop
from bot.domain.reply import TooLong, hear, read
from bot.wording import help_text, stopped_text
from bot.wording.segments import segments
from tests.harness import INSTANCES, Harness
from tests.harness import harness as open_harness
from tests.sms.webhooks import sms

# -- 14. asking to be left alone -------------------------------------------------------------------

STOPS = [
    "opt out",
    "OPT-OUT",
    "Opt Out.",
    "opt\u2011out",
    "stop-all",
    "STOP ALL",
    "Stop.",
    "s t o p",
    "STOP!!!",
    "ＳＴＯＰ",
    "\u200bstop\u200b",
    "un-subscribe",
    "Un subscribe",
]
SENTENCES = [
    "Stop texting me",
    "STOP. I never asked for this",
    "stop please",
    "Stop, wrong number",
    "unsubscribe me from this list",
    "Opt out of these messages",
    "opt-out please, now",
    "Revoke my consent",
    "stop all of this",
    "🛑 stop it",
    "Stop calling me at +1 425 555 0100",
    "S T O P texting me",
    "S.T.O.P. messaging me",
    "s-t-o-p please",
    "Un-subscribe me please",
    "o p t out of this",
    "Re-voke my consent",
    "STOP! ２０２６／０１／３１",
    "Stop calling me at (0161) 496 0123",
    "Stop. My number is (01632)960123",
]
NO_STOPS = [
    "don't stop",
    "please stop",
    "stopping by at 7",
    "nonstop",
    "unstoppable",
    "optional",
    "cancel my order please",
    "end of the day",
    "quit smoking",
    "S - top 10",
    "s. top floor",
    "Re: voke that word",
    "s t o p p e d",
]


@pytest.mark.parametrize("text", STOPS)
def test_is_a_stop(text: str) -> None:
    assert keyword(hear(text)) is Keyword.STOP


@pytest.mark.parametrize("text", [*STOPS, *SENTENCES])
def test_it_marks_and_cancels_and_says_nothing(harness: Harness, text: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(text)
    custom = harness.status(id)["customStatus"]
    assert (custom["status"], custom["cause"], custom["attemptsUsed"]) == (
        "canceled",
        "opted_out",
        0,
    )
    assert [answer for answer in harness.answers() if "digits" in answer] == []
    assert harness.post_start().json()["code"] == "opted_out"


@pytest.mark.parametrize("text", NO_STOPS)
def test_ordinary_sentences_are_no_stop(harness: Harness, text: str) -> None:
    id = harness.start_and_send()["id"]
    assert not opens_with_stop(hear(text).comparable)
    harness.text(text)
    assert harness.status(id)["runtimeStatus"] == "Running"


def test_a_stop_word_beside_a_code_is_an_answer(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text(f"Stop asking, it is {harness.code()}")
    assert harness.status(id)["output"] is True


def test_a_sentence_of_a_stranger_is_obeyed_too(harness: Harness) -> None:
    harness.text("Stop texting me")
    assert harness.post_start().json()["code"] == "opted_out"


def test_a_stop_word_beside_a_code_is_no_stop_of_a_stranger_either(harness: Harness) -> None:
    harness.text("Stop asking, it is 4711")
    assert harness.post_start().status_code == 202


@pytest.mark.parametrize(
    "text",
    [
        "２０２６／０１／３１",
        "２０２５．１２．３１",
        "１５３０：００",
        "１２，３４５６",
        "03、1234",
        "٠٥٠،١٢٣٤",
        "١٤٩٩٫٥٠",
        "555·1234",
        "5551234･5678",
        "555＋1234",
        "5551234。5678",
        "12／1234",
    ],
)
def test_digits_joined_by_marks_of_other_scripts_are_no_attempt(
    harness: Harness, text: str
) -> None:
    id = harness.start_and_send()["id"]
    harness.text(text)
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 0


@pytest.mark.parametrize("between", ["、", "。", "～", " ", "-", "⁻", "➖"])
def test_a_code_beside_such_a_mark_is_an_answer(harness: Harness, between: str) -> None:
    id = harness.start_and_send()["id"]
    code = harness.code()
    harness.text(f"{code}{between}" if between in "、。" else between.join((code[:2], code[2:])))
    assert harness.status(id)["output"] is True


@pytest.mark.parametrize("ends", ["expired", "superseded", "terminated"])
def test_a_reaction_to_an_earlier_text_in_another_language_is_no_attempt(
    harness: Harness, ends: str
) -> None:
    first = harness.start_and_send(locale="es")["id"]
    body = harness.texts()[-1].body
    if ends == "expired":
        harness.forward(91)
    elif ends == "terminated":
        harness.terminate(first, None)
    id = harness.start_and_send(locale="ja")["id"]
    harness.text(f"Le encantó “{body}”")
    custom = harness.status(id)["customStatus"]
    assert (custom["status"], custom["attemptsUsed"]) == ("pending", 0)
    harness.text(f"{harness.code()} です")
    assert harness.status(id)["output"] is True


def test_a_reaction_to_the_text_of_the_morning_is_no_attempt(tmp_path: Path) -> None:
    """Each text has its own reference, so all of a day are different."""
    with open_harness(tmp_path) as harness:
        harness.start_and_send(locale="es")
        body = harness.texts()[-1].body
        for _ in range(12):
            harness.forward(600)
            id = harness.start_and_send(locale="en")["id"]
        harness.text(f"Le encantó “{body}”")
        assert harness.status(id)["customStatus"]["attemptsUsed"] == 0


# -- 15. a short code of our own -------------------------------------------------------------------


@pytest.fixture
def short(tmp_path: Path) -> Iterator[Harness]:
    with open_harness(tmp_path, TWILIO_PHONE_NUMBER="12345", SERVICE_NAME="Contoso") as harness:
        yield harness


def test_a_short_code_answers_help_and_stop(short: Harness) -> None:
    helped = sms(short, "help", To="12345").text
    assert "Contoso sends verification codes" in helped
    assert "Reply STOP" in helped
    stopped = sms(short, "Stop texting me", To="12345").text
    assert "You get no more texts from Contoso" in stopped
    again = sms(short, "STOP", To="12345").text
    assert again.endswith("<Response />"), "confirmed once"
    assert short.post_start().json()["code"] == "opted_out"
    sms(short, "START", To="12345")
    assert short.post_start().status_code == 202


def test_advanced_opt_out_answers_by_itself(short: Harness) -> None:
    for word in ("HELP", "STOP", "START"):
        assert sms(short, word, To="12345", OptOutType=word).text.endswith("<Response />")


def test_other_numbers_leave_it_to_the_network(harness: Harness) -> None:
    for word in ("HELP", "STOP", "START"):
        assert sms(harness, word).text.endswith("<Response />")


@pytest.mark.parametrize(
    "service", [None, "x" * 40, "Кафе Пушкин", "Cafetería", "ACME – Login", "語" * 40]
)
def test_the_answers_fit_one_segment(service: str | None) -> None:
    for text in (help_text(service), stopped_text(service)):
        assert segments(text).count == 1


# -- 16. texts that cost ---------------------------------------------------------------------------

MARKS = "a" + "\u0301" * 15_500 + "\u0316" * 15_500


def test_62_kilobytes_of_combining_marks_cost_nothing(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    began = time.process_time()
    for _ in range(5):
        body = json.dumps(MARKS, ensure_ascii=False).encode()
        path = f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse"
        headers = {"Content-Type": "application/json"}
        assert harness.call("POST", path, data=body, headers=headers).status_code == 202
        sms(harness, MARKS)
    assert time.process_time() - began < 1, "one took 1 to 2 s"
    custom = harness.status(id)["customStatus"]
    assert (custom["attemptsUsed"], harness.answers()) == (0, [])


@pytest.mark.parametrize(
    "text",
    [
        MARKS[:1600],
        "1 " * 800,
        "1-" * 800,
        "１" * 1600,
        "\u0f77" * 1600,
        "ﷺ" * 1600,
        "\u200a\u200b" * 800,
        " " * 1600,
        "STOP" + "-" * 1596,
        "opt" + " " * 1590 + "out",
    ],
)
def test_no_text_that_is_read_costs_much(text: str) -> None:
    began = time.thread_time()
    heard = hear(text)
    keyword(heard)
    opens_with_stop(heard.comparable)
    read(heard, code_length=4, challenge_text="Your verification code is {code}. Reply with it.")
    assert time.thread_time() - began < 0.05


def test_the_bound_is_1600_characters(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.answer(id, harness.code() + " " * (reply.LONGEST_TEXT - 3))
    assert harness.history(id)[-1] == "unread_event"
    assert read(hear("1" * 1601), code_length=4, challenge_text="") == TooLong()
    sms(harness, harness.code() + " " * (reply.LONGEST_TEXT - 4))
    assert harness.status(id)["output"] is True


def test_a_repeat_of_a_long_text_is_a_repeat(harness: Harness) -> None:
    harness.start_and_send()
    first = sms(harness, "x" * 2000, MessageSid="SM" + "a" * 32)
    assert sms(harness, "x" * 2000, MessageSid="SM" + "a" * 32).text == first.text
