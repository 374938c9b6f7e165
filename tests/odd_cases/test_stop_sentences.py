"""Words and sentences that ask to be left alone are obeyed; our own short code answers them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.keywords import Keyword, keyword, stop_request
from bot.domain.reply import prepare
from bot.wording import help_text, stopped_text
from bot.wording.segments import segments
from tests.harness import Harness
from tests.harness import harness as open_harness
from tests.sms.webhooks import sms

# -- asking to be left alone -----------------------------------------------------------------------


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
    "STOPしてください",
    "STOP해주세요",
    "STOP谢谢",
    "STOPครับ",
    "STOPпожалуйста",
    "Stopp",
    "Stopp bitte",
    "No. Stop texting me",
    "Nein, stop",
    "Cancel\n\nSent from my iPhone",
    "END\nSent via BlackBerry",
    "Cancel\r\n\u200eSent from my iPhone",
    "Cancel\n\nSent from my T-Mobile 4G LTE Device",
    "Quit\n\nSent via the all new AOL app for iOS",
    "No—stop texting me",
    "NO – STOP",
    "STOPPP",
    "Stoooop!!",
    "stoppppp it",
    "Stooop texting me",
    "No, stoppp",
    "No!!! Stop this",
    "no... stop it",
    "No no, stop it",
    "NO! NO! STOP texting me",
    "Nooo, stop texting me",
    "No\nStop texting me",
    "NO\n\nStop texting me",
    "Nu, stop vă rog",
    "Neee, nee, stop ermee",
    "नहीं जी नहीं, STOP कीजिए",
    "Nem, stop kérem",
    "Ei, stop kiitos",
    "Hayır, stop lütfen",
    "Όχι, stop παρακαλώ",
    "Tidak, stop ya",
    "Không, stop đi",
    "いいえ、STOPしてください",
    "아니요, STOP 해주세요",
    "不是，STOP谢谢",
    "לא, stop בבקשה",
    "لا، STOP من فضلك",
    "नहीं। STOP कीजिए",
    "ไม่, STOPค่ะ",
]
NO_STOPS = [
    "don't stop",
    "please stop",
    "stopping by at 7",
    "nonstop",
    "Cancel\n\nmy order",
    "No stop codes here",
    "Non-stop",
    "Non–stop texts, what is that?",
    "Non—stop",
    "NO–STOP flights",
    "non-stop texts from you today",
    "No-stop lavoro oggi",
    "Cancel\nmy Android says 4031",
    'Cancel\n"4031"',
    "End\n> what does this mean?\n4031",
    "Cancel\nI verified on my iPhone already",
    "Cancel\nSent from my phone. What is this?",
    "END\nSent from work, the code is what?",
    "unstoppable",
    "optional",
    "cancel my order please",
    "end of the day",
    "quit smoking",
    "S - top 10",
    "s. top floor",
    "Re: voke that word",
    "s t o p p e d",
    "stoop to that?",
    "stopppped",
    "No\nbus stop here",
    "No idea. Stop 5 is closed, take the other",
]


@pytest.mark.parametrize("text", STOPS)
def test_is_a_stop(text: str) -> None:
    assert keyword(prepare(text)) is Keyword.STOP


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
    assert not stop_request(prepare(text), frozenset(["no", "non"]))
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


# -- a short code of our own -----------------------------------------------------------------------


@pytest.fixture
def short(tmp_path: Path) -> Iterator[Harness]:
    with open_harness(tmp_path, TWILIO_PHONE_NUMBER="12345", SERVICE_NAME="Contoso") as harness:
        yield harness


@pytest.mark.parametrize(
    "said",
    [
        "NO STOP",
        "No\nstop",
        "stop no",
        "NO/STOP",
        "no no STOP",
        "NO UNSUBSCRIBE\n\nSent from my iPhone",
        "Hayır, STOP",
        "いいえ。STOP",
        "아니요. STOP",
        "ไม่ STOP",
        "لا. STOP",
        "Không phải. Stop",
    ],
)
def test_no_and_stop_together_are_a_stop(harness: Harness, said: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(said)
    assert harness.status(id)["customStatus"]["cause"] == "opted_out"
    assert harness.opt_outs(5)


@pytest.mark.parametrize("said", ["no stop codes here", "non stop", "no bus stop", "yes stop 1234"])
def test_other_words_beside_them_are_none(harness: Harness, said: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(said)
    assert harness.status(id)["customStatus"]["status"] == "pending"


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
