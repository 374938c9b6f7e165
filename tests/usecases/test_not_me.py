"""A person who did not ask for the code says NO."""

import pytest

from tests.harness import PHONE, Harness

OTHER = "+14255550124"


def test_no_ends_it_and_the_number_is_left_alone_for_a_day(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text("No.")
    custom = harness.status(id)["customStatus"]
    assert (custom["status"], custom["cause"], custom["attemptsUsed"]) == (
        "canceled",
        "disowned",
        0,
    )
    assert harness.answers() == ["Thank you. No more codes are sent to this number today."]
    response = harness.post_start()
    assert (response.status_code, response.json()["code"]) == (409, "disowned")
    assert response.headers["Retry-After"] == "86400"
    harness.forward(86_399)
    assert harness.post_start().status_code == 409
    harness.forward(1)
    assert harness.post_start().status_code == 202


def test_other_numbers_go_on(harness: Harness) -> None:
    """A reply is about the number that it came from; verifications of others go on."""
    id = harness.start_and_send()["id"]
    harness.text("NO", OTHER)
    assert harness.status(id)["customStatus"]["status"] == "pending"
    assert harness.post_start(OTHER).status_code == 202, "it had no verification to disown"


def test_start_lifts_it(harness: Harness) -> None:
    harness.start_and_send()
    harness.text("NO")
    harness.text("START")
    assert harness.post_start().status_code == 202


def test_an_operator_lifts_it(harness: Harness) -> None:
    harness.start_and_send()
    harness.text("NO")
    harness.clear_limits(PHONE)
    assert harness.post_start().status_code == 202


def test_the_word_for_no_of_the_language_counts(harness: Harness) -> None:
    id = harness.start_and_send(locale="de-AT")["id"]
    assert harness.texts()[-1].body.startswith("Ihr Code: ")
    assert harness.status(id)["customStatus"]["locale"] == "de"
    harness.text("Nein")
    assert harness.status(id)["customStatus"]["cause"] == "disowned"
    assert harness.answers()[-1].startswith("Danke.")


def test_in_english_nein_is_chatter(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text("Nein")
    assert harness.status(id)["customStatus"]["status"] == "pending"


@pytest.mark.parametrize("said", ["no code came", "No, wait", "no 1234", "not me"])
def test_only_the_word_alone_disowns(harness: Harness, said: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(said)
    assert harness.status(id)["customStatus"]["cause"] is None


def test_after_the_end_it_is_chatter(harness: Harness) -> None:
    harness.start_and_send()
    harness.text(harness.code())
    harness.text("NO")
    assert harness.post_start().status_code == 202


@pytest.mark.parametrize("ends", ["expired", "canceled", "out of tries"])
def test_after_an_end_without_an_approval_it_keeps_the_number_quiet(
    harness: Harness, ends: str
) -> None:
    """A person who did not ask for the code may read it late. The outcome stays."""
    id = harness.start_and_send()["id"]
    if ends == "canceled":
        harness.terminate(id, None)
    elif ends == "out of tries":
        for _ in range(4):
            harness.text(harness.wrong())
    harness.forward(3600)
    before = harness.status(id)["customStatus"]["status"]
    harness.text("NO")
    harness.text("NO")
    assert harness.answers().count("Thank you. No more codes are sent to this number today.") == 1
    assert harness.status(id)["customStatus"]["status"] == before
    assert harness.post_start().json()["code"] == "disowned"
    harness.forward(86_400)
    assert harness.post_start().status_code == 202


def test_a_day_after_the_end_it_is_chatter(harness: Harness) -> None:
    harness.start_and_send()
    harness.forward(2 * 86_400)
    harness.text("NO")
    assert harness.post_start().status_code == 202
    assert [text.reason for text in harness.ignored_texts(10)] == ["no_verification"]


def test_what_was_decided_stays_decided(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.suspend(id, None)
    harness.text(harness.code())
    harness.text("NO")
    harness.resume(id, None)
    assert harness.status(id)["output"] is True
    assert harness.post_start().status_code == 202


def test_answers_are_in_the_language_of_the_verification(harness: Harness) -> None:
    harness.restart(COUNTRY_LOCALES="US:fr", DEFAULT_LOCALE="it")
    id = harness.start_and_send()["id"]
    harness.text("bonjour")
    assert not harness.answers()[-1].startswith("Please")
    assert harness.view(id).verification.locale == "fr"
