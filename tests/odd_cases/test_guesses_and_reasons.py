"""Free text decides nothing, and a repeated guess is no further attempt."""

from pathlib import Path

import pytest

from tests.builders import wrong_code
from tests.databases import bytes_in
from tests.harness import INSTANCES, PHONE, Harness
from tests.harness import harness as open_harness

# -- free text decides nothing ---------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["opted_out", "superseded by me", "true", "key_retired"])
def test_a_reason_is_text_and_nothing_else(harness: Harness, reason: str) -> None:
    first = harness.start_and_send()
    older = harness.code()
    link = first["terminatePostUri"].replace("{text}", reason)
    assert harness.http.post(link).status_code == 202
    status = harness.status(first["id"])
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", reason)
    assert status["customStatus"]["cause"] == "terminated"
    page = harness.view(first["id"])
    from bot.explanations import why

    said = why.explain(page, harness.clock.now)
    assert said.startswith("It was canceled")
    second = harness.start_and_send()
    if older != harness.code():
        harness.text(older)
        used = harness.status(second["id"])["customStatus"]["attemptsUsed"]
        assert used == 1, "the older code is a wrong one: nothing superseded its verification"


def test_every_cause_is_told(harness: Harness) -> None:
    def cause(id: str) -> str:
        return harness.status(id)["customStatus"]["cause"]

    approved = harness.start_and_send()["id"]
    assert cause(approved) is None
    harness.text(harness.code())
    assert cause(approved) == "answered"
    first, second = harness.start_and_send()["id"], harness.start_and_send()["id"]
    assert cause(first) == "superseded"
    harness.text("STOP")
    assert cause(second) == "opted_out"
    harness.text("START")
    expired = harness.start_and_send()["id"]
    harness.forward(90)
    assert cause(expired) == "window_over"
    used = harness.start_and_send()["id"]
    for _ in range(4):
        harness.text(harness.wrong())
    assert cause(used) == "attempts_used"
    harness.simulator.faults.add("refuse", code=21211)
    assert cause(harness.start_and_send()["id"]) == "send_refused"
    given_up = harness.start()["id"]
    harness.forward(60)
    assert cause(given_up) == "send_given_up"


# -- repeated guesses, and attempts left -----------------------------------------------------------


def test_the_same_wrong_reply_again_is_no_further_attempt(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    wrong, other = wrong_code(harness.code()), wrong_code(harness.code(), 2)
    for body in (wrong, wrong, f" {wrong}. ", " ".join(wrong)):
        harness.text(body)
    harness.answer(id, wrong)
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 1
    assert len(set(harness.answers())) == 1
    harness.text(other)
    harness.text(wrong)  # not directly after itself
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 3
    assert harness.history(id).count("repeated_answer") == 4


def test_no_guess_is_kept(sqlite_harness: Harness, tmp_path: Path) -> None:
    sqlite_harness.restart(CODE_LENGTH="10")  # too long to be met by chance
    id = sqlite_harness.start_and_send()["id"]
    wrong = sqlite_harness.wrong()
    sqlite_harness.text(wrong)
    sqlite_harness.answer(id, wrong)
    assert sqlite_harness.history(id)[-2:] == ["wrong_answer", "repeated_answer"]
    stored = bytes_in(tmp_path)
    assert id.encode() in stored, "the search would find what is there"
    assert wrong.encode() not in stored


def test_tries_left_are_what_the_numbers_bound_leaves(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_WRONG_PER_NUMBER="2/day") as harness:
        id = harness.start_and_send()["id"]
        assert harness.status(id)["customStatus"]["attemptsLeft"] == 2
        harness.text(harness.wrong())
        assert "Tries left: 1" in harness.answers()[-1]
        assert harness.status(id)["customStatus"]["attemptsLeft"] == 1
        harness.text(harness.wrong())
        assert "no tries are left" in harness.answers()[-1]
        custom = harness.status(id)["customStatus"]
        assert (custom["status"], custom["attemptsLeft"]) == ("max_attempts_reached", 0)


def test_lifting_the_limits_lifts_what_is_left_too(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_WRONG_PER_NUMBER="3/day") as harness:
        harness.start_and_send()
        harness.text(harness.wrong())
        harness.text(harness.wrong())
        id = harness.start_and_send()["id"]
        assert harness.status(id)["customStatus"]["attemptsLeft"] == 1
        harness.clear_limits(PHONE)
        assert harness.status(id)["customStatus"]["attemptsLeft"] == 3


def test_suspending_a_thousand_times_leaves_a_bounded_history(harness: Harness) -> None:
    links = harness.start_and_send()
    for _ in range(150):
        harness.call("POST", f"{INSTANCES}/{links['id']}/suspend", params={"reason": "x" * 3000})
        harness.call("POST", f"{INSTANCES}/{links['id']}/resume")
    harness.text(harness.code())
    shown = harness.call("GET", f"{INSTANCES}/{links['id']}?showHistory=true")
    assert shown.json()["output"] is True
    assert len(shown.content) < 100_000


def test_repeats_leave_answers_for_what_comes(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    wrong = wrong_code(harness.code())
    for _ in range(10):
        harness.text(wrong)
    harness.text(harness.code())
    assert harness.status(id)["output"] is True
    assert harness.answers()[-1] == "Thank you, this number is verified."


def test_repeats_leave_answers_for_later_attempts_too(harness: Harness) -> None:
    """After a hint, repeats of one wrong code and two others, the end is still answered."""
    harness.start_and_send()
    harness.text("hello?")
    first, second, third = (harness.wrong() for _ in range(3))
    for body in (*[first] * 5, second, second, third):
        harness.text(body)
    harness.text(harness.code())
    assert harness.answers()[-1] == "Thank you, this number is verified."
