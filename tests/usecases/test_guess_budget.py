"""Wrong answers are limited for each number, so a day of guessing stays within its budget."""

import pytest

from bot.domain.guess_budget import guess_budget
from bot.domain.limits import Limit, LimitName
from tests.harness import FUNCTION_KEY, PHONE, Harness
from tests.harness import harness as open_harness
from tests.usecases.refusals import refused


def test_wrong_answers_count_over_all_verifications_of_a_number(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_WRONG_PER_NUMBER="6/hour", CODE_LENGTH="6") as harness:
        harness.start_and_send()
        for _ in range(4):
            harness.text(harness.wrong())
        harness.clock.forward(600)
        id = harness.start_and_send()["id"]
        harness.text(harness.wrong())
        assert harness.status(id)["runtimeStatus"] == "Running"
        harness.text(harness.wrong())
        status = harness.status(id)["customStatus"]
        assert (status["status"], status["attemptsUsed"]) == ("max_attempts_reached", 2)
        told = refused(harness.post_start())
        assert told == {"limit": "LIMIT_WRONG_PER_NUMBER=6/hour", "after": 3000}
        harness.forward(3000)
        harness.start()


def test_the_right_answer_counts_though_it_would_be_the_last(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_WRONG_PER_NUMBER="1/hour") as harness:
        id = harness.start_and_send()["id"]
        harness.text(harness.code())
        assert harness.status(id)["output"] is True


def test_a_day_of_starts_and_guesses_stays_within_the_budget(tmp_path) -> None:
    with open_harness(
        tmp_path, LIMIT_PER_NUMBER="5/10 minutes; 10/day", LIMIT_WRONG_PER_NUMBER="12/day"
    ) as harness:
        guesses = 0
        for _ in range(24 * 12):  # every five minutes
            response = harness.post_start()
            if response.status_code == 202:
                harness.run_once()
                for _ in range(6):
                    before = harness.status(response.json()["id"])["customStatus"]["attemptsUsed"]
                    harness.answer(response.json()["id"], harness.wrong())
                    after = harness.status(response.json()["id"])["customStatus"]["attemptsUsed"]
                    guesses += after - before
            harness.clock.forward(299)
        assert guesses == harness.settings.guess_budget.guesses == 12


@pytest.mark.parametrize(
    ("wrong", "budget"), [("12/day", 12), ("", 50)], ids=["wrong answers", "starts"]
)
def test_checks_and_resends_are_in_the_budget(tmp_path, wrong: str, budget: int) -> None:
    """A day over Verify's API: a text asked for again and again, and every way of guessing."""
    with open_harness(
        tmp_path,
        LIMIT_PER_NUMBER="5/10 minutes; 10/day",
        LIMIT_WRONG_PER_NUMBER=wrong,
        **{"CODE_LENGTH": "6", "WINDOW_SECONDS": "600", "MAX_ATTEMPTS": "5", "MAX_SENDS": "5"},
    ) as harness:
        verify = f"/v2/Services/{harness.settings.service_sid}"
        client = harness.app.test_client()

        def post(path: str, **form: str) -> int:
            auth = ("anyone", FUNCTION_KEY)
            return client.post(verify + path, data={"To": PHONE, **form}, auth=auth).status_code

        for _ in range(24 * 6):  # every ten minutes
            for _ in range(4):
                if post("/Verifications", Channel="sms") == 201:
                    harness.run_once()
                    post("/VerificationCheck", Code=harness.wrong())
                    harness.text(harness.wrong())
                harness.clock.forward(20)
            harness.forward(520)
        counted = "SELECT count(*) AS n FROM history WHERE event = 'wrong_answer'"
        guesses = harness.store.read(lambda tx: tx.one(counted)["n"])
        assert harness.settings.guess_budget.guesses == budget
        assert guesses == 12 if wrong else 10 < guesses <= budget
        assert len(harness.texts()) <= 10, "each text counts as a start"


def test_the_budget_is_the_smaller_of_starts_and_wrong_answers() -> None:
    starts, wrong = (
        [Limit(LimitName.PER_NUMBER, 10, 86400)],
        [Limit(LimitName.WRONG_PER_NUMBER, 12, 86400)],
    )
    assert guess_budget(starts, wrong, attempts=4, code_length=4).guesses == 12
    assert guess_budget(starts, [], attempts=4, code_length=4).guesses == 40
    assert guess_budget([], [], attempts=4, code_length=4).guesses is None
    assert not guess_budget([], [], attempts=4, code_length=4).is_sound


def test_the_longest_of_all_limits_says_when(harness: Harness) -> None:
    """Two kinds are reached, and what Retry-After says holds."""
    harness.restart(
        LIMIT_PER_NUMBER="1/10 minutes", LIMIT_WRONG_PER_NUMBER="1/day", MAX_ATTEMPTS="1"
    )
    harness.start_and_send()
    harness.text(harness.wrong())
    response = harness.post_start()
    assert response.status_code == 429
    seconds = int(response.headers["Retry-After"])
    assert seconds > 80_000
    harness.forward(seconds)
    assert harness.post_start().status_code == 202


def test_tries_left_grow_once_earlier_wrong_codes_no_longer_count(harness: Harness) -> None:
    harness.restart(LIMIT_WRONG_PER_NUMBER="4/day", MAX_ATTEMPTS="4")
    first = harness.start_and_send()["id"]
    for _ in range(2):
        harness.text(harness.wrong())
    harness.terminate(first, "x")
    harness.clock.forward(86400 - 30)
    harness.start_and_send()
    wrong = harness.wrong()
    harness.text(wrong)
    assert harness.answers()[-1].endswith("1")
    harness.clock.forward(40)
    harness.text(wrong)  # a repeat, which is no attempt
    assert harness.answers()[-1].endswith("3")
