"""Replies that are judged late: missed ones, those after the deadline, and those to older texts."""

from pathlib import Path

import pytest

from simulator import faults
from tests.dispatch.missing import catch_up, missed
from tests.harness import PHONE, Harness
from tests.harness import harness as open_harness

OTHER = "+14255550124"


def refused(harness: Harness) -> tuple[int, str | None]:
    response = harness.post_start()
    return response.status_code, response.json().get("code")


def test_a_missed_no_keeps_the_number_quiet_though_the_time_was_over(harness: Harness) -> None:
    harness.start_and_send()
    harness.clock.forward(100)
    missed(harness, "NO")
    harness.clock.forward(60)
    catch_up(harness)
    assert refused(harness) == (409, "disowned")


def test_a_no_that_finds_the_deadline_passed_is_thanked_once(harness: Harness) -> None:
    harness.start_and_send()
    harness.clock.forward(91)  # before any timer
    for _ in range(3):
        harness.text("NO")
    assert harness.answers() == ["Thank you. No more codes are sent to this number today."]
    assert refused(harness) == (409, "disowned")


def test_a_no_during_a_suspension_counts_once_the_time_is_over(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.suspend(id, None)
    harness.clock.forward(100)
    for _ in range(2):
        harness.text("NO")
    harness.resume(id, None)
    assert refused(harness) == (409, "disowned")


def test_a_late_code_is_answered_once(harness: Harness) -> None:
    harness.start_and_send()
    code = harness.code()
    harness.clock.forward(91)  # before any timer
    for _ in range(3):
        harness.text(code)
    assert len(harness.answers()) == 1


def test_a_missed_code_of_an_older_text_is_judged_by_when_it_was_sent(harness: Harness) -> None:
    harness.restart(MAX_ATTEMPTS="1")
    harness.start_and_send()
    older = harness.code()
    harness.clock.forward(20)
    id = harness.start_and_send()["id"]
    newer = harness.code()
    harness.clock.forward(20)
    missed(harness, older)
    harness.clock.forward(1)
    missed(harness, newer)
    harness.clock.forward(500)
    catch_up(harness)
    assert harness.status(id)["output"] is True


def test_an_older_code_after_the_newest_is_over_gets_the_answer_of_that(harness: Harness) -> None:
    harness.start_and_send()
    older = harness.code()
    harness.clock.forward(5)
    harness.start_and_send()
    harness.text(harness.code())
    harness.text(older)
    assert "older" not in harness.answers()[-1]
    assert "already" in harness.answers()[-1]


def test_no_needs_no_secret_key(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.restart(SECRET_KEY="another secret key for tests 0123456789")
    harness.text("NO")
    assert harness.status(id)["customStatus"]["cause"] in ("disowned", "key_retired")
    assert refused(harness) == (409, "disowned")


@pytest.mark.parametrize(
    ("text", "code"),
    [("stop texting me, my code 1234", None), ("NO\n\nAnna, room 1234", "disowned")],
)
def test_digits_beside_a_word_need_no_secret_key(
    harness: Harness, text: str, code: str | None
) -> None:
    id = harness.start_and_send()["id"]
    harness.restart(SECRET_KEY="another secret key for tests 0123456789")
    assert harness.text(text).status == 200
    assert harness.status(id)["customStatus"]["status"] != "pending"
    assert refused(harness)[1] == code


def test_a_right_code_shows_that_the_text_arrived(harness: Harness) -> None:
    """Twilio took the text, its answer was lost, and its list does not answer."""
    harness.simulator.faults.add(faults.LOSE_ANSWER)
    harness.simulator.faults.add(faults.LIST_ERROR, times=50)
    id = harness.start()["id"]
    harness.run_once()
    harness.clock.forward(151)
    harness.text(harness.code())
    custom = harness.status(id)["customStatus"]
    assert (custom["status"], custom["cause"]) == ("expired", "window_over")


def test_a_missed_start_does_not_lift_a_newer_no(harness: Harness) -> None:
    harness.start(OTHER)  # its list is read
    harness.run_once()
    harness.clock.forward(1)
    missed(harness, "START")
    harness.clock.forward(3)
    harness.start_and_send()
    harness.clock.forward(5)
    harness.text("NO")
    harness.clock.forward(2)
    catch_up(harness)
    assert refused(harness) == (409, "disowned")


def test_a_missed_start_lifts_the_no_that_was_missed_before_it(harness: Harness) -> None:
    harness.start_and_send()
    for body in ("NO", "START"):
        harness.clock.forward(10)
        missed(harness, body)
    harness.clock.forward(20)
    catch_up(harness)
    assert refused(harness) == (202, None)


def test_our_own_text_copied_back_is_no_stop_whatever_the_service_is_called(
    tmp_path: Path,
) -> None:
    with open_harness(tmp_path, SERVICE_NAME="Stop & Shop") as harness:
        id = harness.start_and_send()["id"]
        (sent,) = harness.texts()
        harness.text(sent.body)
        assert harness.status(id)["customStatus"]["status"] == "pending"


@pytest.mark.parametrize(
    "text",
    ["STOP\n\n> {sent}", "Stop texting me! “{sent}”"],
)
def test_a_stop_above_our_own_text_is_a_stop(harness: Harness, text: str) -> None:
    id = harness.start_and_send()["id"]
    (sent,) = harness.texts()
    harness.text(text.format(sent=sent.body))
    assert harness.status(id)["customStatus"]["cause"] == "opted_out"
    assert harness.answers() == []
    assert refused(harness) == (409, "opted_out")


def test_a_stop_that_twilio_does_not_obey_is_never_tried(harness: Harness) -> None:
    harness.start_and_send()
    harness.text("Stop texting me")
    for _ in range(3):
        harness.clock.forward(86_401)
        assert refused(harness) == (409, "opted_out")
    harness.text("START")
    assert refused(harness) == (202, None)


def test_an_old_opt_out_that_an_answer_disproves_is_removed(harness: Harness) -> None:
    harness.start_and_send()
    harness.text("STOP")
    missed(harness, "START")
    harness.clock.forward(86_401)
    harness.start_and_send()
    harness.text(harness.code())
    assert harness.answers()[-1] == "Thank you, this number is verified."
    assert refused(harness) == (202, None)


def test_a_late_reply_to_what_was_approved_before_a_stop_does_not_disprove_it(
    harness: Harness,
) -> None:
    harness.start_and_send()
    harness.text(harness.code())
    harness.forward(5)
    harness.text("STOP")
    answers = harness.answers()
    harness.forward(5)
    harness.text(harness.code())
    assert harness.answers() == answers
    assert refused(harness) == (409, "opted_out")


@pytest.mark.parametrize(
    ("name", "challenge"),
    [
        ("Contoso", "{code} is your Contoso code"),
        ("Contoso", "Your Contoso code: {code}"),
        ("Acme", "{code} is your Acme login"),
    ],
)
def test_a_reaction_to_a_text_that_names_the_service_is_no_answer(
    tmp_path: Path, name: str, challenge: str
) -> None:
    with open_harness(tmp_path, SERVICE_NAME=name, CHALLENGE_TEXT=challenge) as harness:
        id = harness.start_and_send()["id"]
        (sent,) = harness.texts(PHONE)
        harness.text(f"Loved “{sent.body}”")
        assert harness.status(id)["customStatus"]["status"] == "pending"
        harness.text(harness.code())
        assert harness.status(id)["output"] is True
