"""Texts that Twilio, a carrier or a phone has rewritten are still known as ours."""

import pytest

from bot.domain.characters import is_latin
from bot.domain.keywords import Keyword, keyword
from bot.domain.reply import prepare
from simulator import faults
from tests.harness import INSTANCES, Harness
from tests.harness import harness as open_harness
from tests.odd_cases.lost_letters import questioned
from tests.sms.webhooks import report, sms

SMART = str.maketrans(
    {
        **{"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "ʹ": "'", "〝": '"'},
        **{"•": "-", "½": "1/2", "÷": "/", "‹": ">", "›": "<", "✱": "*", "。": ".", "、": ","},
    }
)


@pytest.mark.parametrize(
    "service",
    [
        *("Joe’s Bar", "ACME – Login", "Acme • Login", "Studio ½", "Acme÷Co", "Bar ‹24›"),
        *("✱ Acme", "Joeʹs 〝Bar〝", "日本。銀行、"),
    ],
)
def test_a_rewritten_text_in_the_list_is_not_sent_again(tmp_path, service: str) -> None:
    with open_harness(tmp_path, SERVICE_NAME=service) as harness:
        harness.simulator.faults.add(faults.LOSE_ANSWER)
        harness.start()
        harness.dispatcher.run_once()
        (message,) = harness.texts()
        object.__setattr__(message, "body", message.body.translate(SMART))
        harness.dispatcher.run_once()
        for _ in range(20):
            harness.forward(1)
        assert len(harness.texts()) == 1


@pytest.mark.parametrize(
    "template",
    [
        "{code} – it’s your code",
        "{service}: “{code}” – c’est l’accès",
        "Contoso’s code: {code}. Don’t share – it’s yours",
    ],
)
def test_a_reaction_to_a_rewritten_text_is_no_answer(tmp_path, template: str) -> None:
    with open_harness(tmp_path, SERVICE_NAME="Contoso", CHALLENGE_TEXT=template) as harness:
        id = harness.start_and_send()["id"]
        (message,) = harness.texts()
        harness.text(f"Liked “{message.body.translate(SMART)}”")
        assert harness.history(id)[-1] == "quoted_text"


@pytest.mark.parametrize(
    "locale", ["ru", "uk", "el", "he", "ar", "hi", "th", "ja", "ko", "zh-Hans", "zh-Hant"]
)
def test_a_reaction_without_its_letters_is_no_answer(harness: Harness, locale: str) -> None:
    id = harness.start_and_send(locale=locale)["id"]
    (message,) = harness.texts()
    assert not all(map(is_latin, message.body))
    harness.text(f"Loved “{questioned(message.body)}”")
    assert harness.history(id)[-1] == "quoted_text"
    harness.text(harness.code())
    assert harness.history(id)[-1] == "approved"


def test_greek_capitals_of_gsm_are_known_as_our_text(harness: Harness) -> None:
    id = harness.start_and_send(locale="el")["id"]
    reference = harness.view(id).verification.reference
    harness.text(
        f"KΩΔIKOΣ {harness.code()}. AΠANTHΣTE MONO ME TA 4 ΨHΦIA ENTOΣ 90 ΔEYT. REF {reference}"
    )
    assert harness.history(id)[-1] == "quoted_text"
    harness.text("OXI")
    assert harness.status(id)["customStatus"]["cause"] == "disowned"


@pytest.mark.parametrize(
    "body",
    [
        "NO\n\nSent from my iPhone",
        "NO\r\n--\r\nAnna",
        "No\r\n\r\nOn Mon, 30 Nov 2026 Contoso wrote:\r\n> Your code is 1234",
        "NO NO",
        "No, no!",
    ],
)
def test_no_above_a_signature_is_no(harness: Harness, body: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(body)
    assert harness.status(id)["customStatus"]["cause"] == "disowned"
    assert harness.post_start().json()["code"] == "disowned"


@pytest.mark.parametrize("body", ["No\nI did not get it", "no code came", "no 12", "Nº\n\n5"])
def test_other_sentences_with_no_are_none(harness: Harness, body: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(body)
    assert harness.status(id)["customStatus"]["status"] == "pending"


def test_no_in_the_language_of_the_text_before_is_no(harness: Harness) -> None:
    harness.start_and_send(locale="de")
    harness.forward(20)
    id = harness.start_and_send(locale="ja")["id"]
    harness.text("nein")
    assert harness.status(id)["customStatus"]["cause"] == "disowned"


@pytest.mark.parametrize("rest", ["© 2026 Acme", "Acme Ltd, est. 1984"])
def test_a_year_in_a_signature_is_no_second_code(harness: Harness, rest: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(f"{harness.code()}\n{rest}")
    assert harness.status(id)["output"] is True


def test_a_report_of_21610_ends_the_verification(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    report(harness, id, "undelivered", code=21610)
    assert harness.status(id)["customStatus"]["status"] == "failed"


def test_dashes_between_the_letters_of_stop_may_be_long_ones() -> None:
    assert keyword(prepare("S–T–O–P")) is Keyword.STOP


def test_keywords_on_a_short_code_are_answered_a_few_times_a_day(tmp_path) -> None:
    with open_harness(tmp_path, TWILIO_PHONE_NUMBER="12345", SERVICE_NAME="Contoso") as short:
        said = [sms(short, "HELP", To="12345").text for _ in range(6)]
        assert [text.endswith("<Response />") for text in said] == [False] * 3 + [True] * 3
        assert sms(short, "STOP", To="12345").text.endswith("<Response />")
        satellite = sms(short, "HELP", To="12345", From="+881612345678").text
        assert satellite.endswith("<Response />")
        short.forward(86_400)
        assert not sms(short, "HELP", To="12345").text.endswith("<Response />")


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("", {"json": {"createdTimeTo": "2020-06-01T00:00:00Z"}}),
        ("", {"data": {"createdTimeTo": "2020-06-01T00:00:00Z"}}),
        ("&taskHub=h%26createdTimeTo=2020-06-01", {}),
        ("&connection=Storage%3BruntimeStatus=Failed", {}),
    ],
)
def test_a_filter_that_missed_the_query_removes_nothing(
    harness: Harness, query: str, more: dict[str, object]
) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    url = f"{INSTANCES}?createdTimeFrom=2020-01-01T00:00:00Z{query}"
    response = harness.call("DELETE", url, **more)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_filter")
    assert harness.status(id)["output"] is True
