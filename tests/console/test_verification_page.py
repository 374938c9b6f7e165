"""The page of a verification tells its history, and why it stands as it does."""

from pathlib import Path

import pytest

from bot.channels import sentences
from bot.domain.events import EventName
from bot.explanations.timeline import sentence_of
from bot.store.history import HistoryLine
from bot.store.tx import Done
from simulator import faults
from tests.builders import NOON
from tests.console.conftest import Operator
from tests.console.page import Page
from tests.console.pages import HISTORY, OTHER_PHONE, WHY, is_told, one, said_words
from tests.harness import Harness
from tests.harness import harness as open_harness


def test_tag_and_locale_stand_on_the_page_where_set(operator: Operator, harness: Harness) -> None:
    page = one(operator, harness.start(tag="order-1", locale="es")["id"])
    assert (page.fact("Tag"), page.fact("Language")) == ("order-1", "es")
    labels = [label for label, _ in one(operator, harness.start(OTHER_PHONE)["id"]).facts()]
    assert "Tag" not in labels


def test_an_id_nobody_has_is_not_found(operator: Operator) -> None:
    for path in ("nobody", "nobody/at-twilio", "..%2f", "%00", "x" * 300):
        assert operator.get(f"/console/verifications/{path}").status_code == 404


# -- history ---------------------------------------------------------------------------------------


def test_its_time_line_is_told_in_plain_words(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.clock.forward(12.5)
    harness.text(harness.wrong())
    harness.clock.forward(60)
    harness.text(harness.code())
    page = one(operator, id)
    assert page.texts(HISTORY) == [
        "+ 0:00.0 12:00:00 UTC Started; the text in en was queued.",
        "+ 0:00.0 12:00:00 UTC The text was handed to Twilio.",
        "+ 0:00.0 12:00:00 UTC Twilio took the text: the window to answer opened.",
        "+ 0:12.5 12:00:12 UTC A wrong code was sent by text: attempt 1.",
        "+ 1:12.5 12:01:12 UTC The right code was sent by text.",
        "+ 1:12.5 12:01:12 UTC Approved.",
    ]
    said = page.says(WHY)
    assert "The person sent the right code 72 seconds after Twilio took the text." in said
    assert harness.code() not in said_words(page.says("main"))


@pytest.mark.parametrize("name", EventName)
def test_every_event_of_the_history_has_words(name: EventName) -> None:
    detail = {"delivery": "sent", "attempt": 1, "name": "x", "status": "approved"}
    assert sentence_of(HistoryLine(1, NOON, name, detail)).endswith(".")


@pytest.mark.parametrize("cause", [{}, {"cause": "send_refused"}, {"cause": "not_delivered"}])
def test_the_sentence_of_an_error_is_told_once(cause: dict[str, str]) -> None:
    """Lines of earlier versions have no cause."""
    sentence = sentences.sentence(30003)
    detail = {**cause, "reason": sentence, "error_code": 30003}
    assert (
        sentence_of(HistoryLine(1, NOON, EventName.FURTHER_TEXT_FAILED, detail)).count(sentence)
        == 1
    )


def test_a_reason_of_ours_is_told_beside_the_error() -> None:
    detail = {"cause": "send_given_up", "reason": "It took too long", "error_code": 30003}
    said = sentence_of(HistoryLine(1, NOON, EventName.FAILED, detail))
    assert "It took too long" in said
    assert sentences.sentence(30003) in said


# -- why -------------------------------------------------------------------------------------------


def test_a_disowned_one_says_so(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text("NO")
    assert "did not ask for the code" in one(operator, id).says(WHY)


def test_why_says_what_happened_and_what_to_do(operator: Operator, harness: Harness) -> None:
    id = harness.start()["id"]
    assert "The text is on its way to Twilio." in one(operator, id).says(WHY)
    harness.run_once()
    assert "Waiting for the person to text the code back." in one(operator, id).says(WHY)
    harness.forward(90)
    assert "No code came within 90 seconds." in one(operator, id).says(WHY)

    id = harness.start_and_send()["id"]
    harness.text("My code is 123")
    harness.forward(90)
    assert "The person replied, but without a code of 4 digits." in one(operator, id).says(WHY)

    id = harness.start_and_send()["id"]
    for _ in range(4):
        harness.text(harness.wrong())
    assert "4 wrong codes came." in one(operator, id).says(WHY)

    first = harness.start_and_send()["id"]
    second = harness.start_and_send()["id"]
    assert "A newer start for the same number took its place" in one(operator, first).says(WHY)
    harness.text("STOP")
    assert "The person texted STOP." in one(operator, second).says(WHY)


def deliver(harness: Harness, delivery: str, code: int | None = None) -> None:
    harness.simulator.webhooks.post_report(harness.texts()[-1], delivery, code)


def test_why_tells_delivered_from_not_delivered(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    deliver(harness, "undelivered", 30003)
    assert "Twilio's error 30003: The phone is off or out of reach." in one(operator, id).says(WHY)
    harness.forward(90)
    said = one(operator, id).says(WHY)
    assert "The carrier did not deliver it." in said
    assert "Check the number with the person" not in said, "the error's own sentence has the advice"

    id = harness.start_and_send()["id"]
    deliver(harness, "delivered")
    harness.forward(90)
    assert "The text was delivered: ask the person to look for the text" in one(operator, id).says(
        WHY
    )


@pytest.mark.parametrize("code", [21211, 21408, 21610, 21614, 30005, 30007, 99999])
def test_why_names_twilios_error_and_what_to_do(
    operator: Operator, harness: Harness, code: int
) -> None:
    from bot.channels.twilio import errors

    harness.simulator.faults.add(faults.REFUSE, code=code)
    id = harness.start_and_send()["id"]
    said = one(operator, id).says(WHY)
    assert str(code) in said
    assert errors.with_advice(code) in said or errors.UNKNOWN_PERMANENT.sentence in said


def test_why_of_a_text_twilio_did_not_take_and_one_nobody_knows_of(
    operator: Operator, harness: Harness
) -> None:
    harness.simulator.faults.add(faults.REFUSE, code=20429, times=100)
    id = harness.start_and_send()["id"]
    said = "Twilio did not take the text; it is tried again. Twilio's error 20429"
    assert is_told(said, one(operator, id).texts(HISTORY))
    harness.forward(60)
    assert "Twilio did not take the text within 60 seconds." in one(operator, id).says(WHY)

    harness.simulator.faults.clear()
    harness.simulator.faults.add(faults.ERROR_BEFORE)
    harness.simulator.faults.add(faults.LIST_ERROR, times=100)
    id = harness.start_and_send()["id"]
    said = (
        "Twilio gave no clear answer to the text, so its list is being asked. Twilio's error 20500"
    )
    assert one(operator, id).says(WHY).startswith(said)


def test_a_retired_key_is_explained(operator: Operator, harness: Harness, tmp_path: Path) -> None:
    with open_harness(tmp_path / "other") as other:
        id = other.start_and_send()["id"]
        other.store.write(lambda tx: Done(tx.run("UPDATE verification SET key_id = 'gone'")))
        other.text("1234")
        visitor = Operator(other.app.test_client())
        visitor.sign_in()
        assert "SECRET_KEY_FALLBACKS" in one(visitor, id).says(WHY)


def test_a_day_that_is_used_up_is_named(tmp_path: Path) -> None:
    with open_harness(tmp_path / "strict", LIMIT_WRONG_PER_NUMBER="1/day") as strict:
        id = strict.start_and_send()["id"]
        strict.text(strict.wrong())
        visitor = Operator(strict.app.test_client())
        visitor.sign_in()
        said = one(visitor, id).says(WHY)
        assert "1 wrong code came." in said
        assert "LIMIT_WRONG_PER_NUMBER" in said


def test_one_sentence_stands_once(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.simulator.webhooks.post_report(harness.texts()[-1], "undelivered", 30007)
    harness.forward(90)
    for path in (f"/console/verifications/{id}", f"/console/verifications/{id}/at-twilio"):
        said = Page(operator.get(path)).says("main")
        assert said.count("A carrier or Twilio filtered the text.") == 1, said


@pytest.mark.parametrize(
    ("said", "last"), [("STOP", "Canceled: texted STOP."), ("no", "Canceled: replied NO.")]
)
def test_the_time_line_says_why_it_was_canceled(
    operator: Operator, harness: Harness, said: str, last: str
) -> None:
    id = harness.start_and_send()["id"]
    harness.text(said)
    assert last in one(operator, id).says("main")


def test_the_text_is_not_offered_again_where_that_would_be_refused(
    operator: Operator, harness: Harness
) -> None:
    id = harness.start_and_send()["id"]
    assert "Send the text again" in one(operator, id).says("#doing")
    harness.forward(70)
    assert "Send the text again" not in one(operator, id).says("#doing")
