"""Reactions and digits joined by marks are told from answers, and no text costs much to read."""

import json
import time
from pathlib import Path

import pytest

from bot.domain import reply
from bot.domain.keywords import keyword, stop_request
from bot.domain.reply import TooLong, prepare, read
from bot.domain.signatures import is_no
from bot.usecases.keywords import all_no_words
from tests.harness import INSTANCES, Harness
from tests.harness import harness as open_harness
from tests.sms.webhooks import sms


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


# -- texts that cost -------------------------------------------------------------------------------


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
        "\u2028" * 1600,
        "\u3000" * 1600,
        "No" + "\u2014 " * 700,
        "STOP" + "-" * 1596,
        "opt" + " " * 1590 + "out",
        "no\n\n" + "ﷺ" * 1590,
        "." * 1600,
        "no\n" + " " * 1590 + "x",
        "no" + "\u2028 x" * 500,
        "a." * 800,
        "a-" * 800,
        "www." * 400,
        "a" * 1600,
        "a.com" * 320,
        "sto" + "o" * 1597,
        "s" * 1600,
        "&#8217;" * 228,
        "no" + "." * 1598,
        "no, " * 400,
        "no " * 533,
        "n" * 1600,
        "nee " * 400,
        "Neee! " * 266,
        "neen, nee, ne, " * 106,
        "नहीं जी नहीं, " * 110,
        "ng" + "g" * 1598,
    ],
)
def test_no_text_that_is_read_costs_much(text: str) -> None:
    began = time.thread_time()
    prepared = prepare(text)
    keyword(prepared)
    stop_request(prepared, all_no_words())
    read(prepared, code_length=4, challenge_text="Your verification code is {code}. Reply with it.")
    is_no(text, ["no"])
    assert time.thread_time() - began < 0.05


def test_the_bound_is_1600_characters(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.answer(id, harness.code() + " " * (reply.LONGEST_TEXT - 3))
    assert harness.history(id)[-1] == "unread_event"
    assert read(prepare("1" * 1601), code_length=4, challenge_text="") == TooLong()
    sms(harness, harness.code() + " " * (reply.LONGEST_TEXT - 4))
    assert harness.status(id)["output"] is True


def test_a_repeat_of_a_long_text_is_a_repeat(harness: Harness) -> None:
    harness.start_and_send()
    first = sms(harness, "x" * 2000, MessageSid="SM" + "a" * 32)
    assert sms(harness, "x" * 2000, MessageSid="SM" + "a" * 32).text == first.text


@pytest.mark.parametrize(
    "body",
    [
        'בס"ד\n\n{code}\n\nתודה',
        'עו"ד כהן {code}',
        "עו״ד כהן {code}",
        "צ׳ק: {code}",
        "אני מדו״חות, הקוד {code}",
        "אני מנכ״לית, הקוד {code}",
        'ד"ר כהן, {code}',
        'ב"ה הקוד {code}',
        'הקוד ע"י ההודעה הוא {code}',
    ],
)
def test_an_abbreviation_in_hebrew_opens_no_quote(harness: Harness, body: str) -> None:
    id = harness.start_and_send(locale="he")["id"]
    harness.text(body.format(code=harness.code()))
    assert harness.status(id)["output"] is True
