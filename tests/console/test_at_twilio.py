"""The page of Twilio's list tells whether a reply reached Textback, was withheld or got lost."""

import pytest

from bot.channels.gateway import Conversation, Direction, ListedMessage
from bot.explanations import why
from simulator import faults
from tests.builders import NOON
from tests.console.conftest import Operator
from tests.console.page import Page
from tests.console.pages import is_told, said_words, show
from tests.harness import Harness

TWILIO = '[aria-labelledby="twilio-title"]'
CONCLUSION = f"{TWILIO} .why"
SIGHTINGS = f"{TWILIO} .timeline li"


def at_twilio(operator: Operator, id: str) -> Page:
    return show(operator, f"/verifications/{id}/at-twilio")


def test_twilios_list_is_asked_on_request_and_names_what_was_withheld(
    operator: Operator, harness: Harness
) -> None:
    id = harness.start_and_send()["id"]
    assert "Twilio has seen no reply" in at_twilio(operator, id).says(CONCLUSION)
    harness.simulator.faults.add(faults.WITHHOLD, code=30038)
    harness.text(harness.code())
    page = at_twilio(operator, id)
    assert "Twilio withheld the reply, so Textback never saw it." in page.says(CONCLUSION)
    said = "Twilio's error 30038: Twilio took the reply for a one-time passcode"
    assert is_told(said, page.texts(SIGHTINGS))
    harness.text(harness.wrong())
    page = at_twilio(operator, id)
    assert is_told("A reply, which reached Textback.", page.texts(SIGHTINGS))
    assert is_told("An answer to the phone.", page.texts(SIGHTINGS))
    assert harness.code() not in said_words(page.says("main"))


def test_a_reply_that_did_not_reach_us_is_told_from_one_that_did(
    operator: Operator, harness: Harness
) -> None:
    first = harness.start_and_send()["id"]
    harness.simulator.faults.add(faults.WEBHOOK_NEVER)
    harness.text(harness.code())
    page = at_twilio(operator, first)
    assert "Twilio has the reply that did not reach Textback" in page.says(CONCLUSION)
    assert is_told("A reply that has not reached Textback.", page.texts(SIGHTINGS))
    harness.forward(100 + 600 + 60)
    second = harness.start_and_send()["id"]
    harness.text(harness.code())
    said = at_twilio(operator, first).says("main")
    assert "which reached Textback" not in said, "that one belongs to the next verification"
    assert "Textback has received the reply" in at_twilio(operator, second).says(CONCLUSION)


def test_a_list_that_does_not_reach_back_is_said_to(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(1000)
    for _ in range(50):
        harness.simulator.faults.add(faults.WEBHOOK_NEVER)
        harness.text("later")
    assert "does not reach back that far" in at_twilio(operator, id).says(CONCLUSION)


@pytest.mark.parametrize("code", [30009, 11200])
def test_other_troubles_of_a_reply_are_not_taken_for_withholding(code: int) -> None:
    seen = ListedMessage("SM1", Direction.REPLY, "failed", code, NOON)
    assert "has not reached" in why.message_in_words(seen, frozenset())
    concluded = why.conclusion(Conversation([seen], True), frozenset())
    assert "withheld" not in concluded
    assert "Its error below says what to do" in concluded, "PUBLIC_BASE_URL is not at fault"
    assert "not one that Textback knows" not in why.message_in_words(seen, frozenset())


def test_where_twilios_list_does_not_answer_the_page_says_so(
    operator: Operator, harness: Harness
) -> None:
    id = harness.start_and_send()["id"]
    harness.simulator.faults.add(faults.LIST_ERROR, times=2)
    response = operator.get(f"/console/verifications/{id}/at-twilio")
    assert response.status_code == 502
    fault = Page(response).says(f"{TWILIO} .fault")
    assert fault == "Twilio answered with error 20500. Try again in a moment."


def test_a_withheld_reply_is_not_caught_up_with(harness: Harness) -> None:
    """Without its body it would be judged as chatter."""
    id = harness.start_and_send()["id"]
    harness.simulator.faults.add(faults.WITHHOLD, code=30039)
    harness.text(harness.code())
    harness.simulator.faults.add(faults.WEBHOOK_NEVER)
    harness.text(harness.wrong())
    harness.dispatcher.catch_up()
    assert harness.history(id)[-1] == "wrong_answer", "another reply was read"
    assert "unread_reply" not in harness.history(id)
