"""Limits on the starts of a number."""

import pytest

from tests.domain.numbers import SPELLINGS
from tests.harness import INSTANCES, PHONE, Harness
from tests.harness import harness as open_harness
from tests.usecases.refusals import refused

OTHER_PHONE = "+14255550199"


def test_a_number_is_started_so_often_and_no_more(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="5/10 minutes; 7/day") as harness:
        for place in range(5):
            harness.start_and_send(SPELLINGS[place])
            harness.clock.forward(60)
        told = refused(harness.post_start(SPELLINGS[1]))
        assert told == {"limit": "LIMIT_PER_NUMBER=5/10 minutes", "after": 300}
        assert len(harness.texts()) == 5
        harness.forward(300)
        harness.start_and_send()
        harness.forward(600)
        harness.start_and_send()
        told = refused(harness.post_start())
        assert told["limit"] == "LIMIT_PER_NUMBER=7/day"
        harness.start(OTHER_PHONE)


def test_ten_spellings_share_one_limit(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="1/hour") as harness:
        assert len(SPELLINGS) >= 10
        harness.start(SPELLINGS[0])
        for spelling in SPELLINGS:
            refused(harness.post_start(spelling))


def test_approved_starts_do_not_count(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="2/hour") as harness:
        for _ in range(6):
            harness.start_and_send()
            harness.text(harness.code())


def test_a_purge_buys_no_other_start(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="1/hour") as harness:
        id = harness.start()["id"]
        harness.call("POST", f"{INSTANCES}/{id}/terminate")
        assert harness.call("DELETE", f"{INSTANCES}/{id}").status_code == 200
        refused(harness.post_start())


@pytest.mark.parametrize("ends", ["approved", "unsent"])
def test_a_purge_and_the_same_id_again_buy_none_either(tmp_path, ends: str) -> None:
    """The approval or failure of one run gave back every later start with its id."""
    with open_harness(tmp_path, LIMIT_PER_NUMBER="2/10 minutes") as harness:
        own = f"{INSTANCES.replace('instances', 'orchestrators')}/E4_SmsPhoneVerification/user-1"

        def start():
            return harness.call("POST", own, json=PHONE)

        if ends == "unsent":
            harness.simulator.faults.add("refuse", code=21408)
        assert start().status_code == 202
        harness.run_once()
        if ends == "approved":
            harness.text(harness.code())
        for _ in range(2):
            assert harness.call("DELETE", f"{INSTANCES}/user-1").status_code == 200
            assert start().status_code == 202
            harness.terminate("user-1", None)
        assert harness.call("DELETE", f"{INSTANCES}/user-1").status_code == 200
        refused(start())


def test_the_first_answer_is_given_again_though_the_limit_is_reached(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="1/hour") as harness:
        headers = {"Idempotency-Key": "k"}
        first = harness.start(headers=headers)
        assert harness.start(headers=headers) == first
        refused(harness.post_start())


def test_a_restart_counts(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="2/hour") as harness:
        id = harness.start()["id"]
        assert harness.call("POST", f"{INSTANCES}/{id}/restart").status_code == 202
        refused(harness.call("POST", f"{INSTANCES}/{id}/restart"))


def test_countries_that_are_not_allowed_are_403(tmp_path) -> None:
    with open_harness(tmp_path, ALLOWED_COUNTRIES="US") as harness:
        harness.start()
        response = harness.post_start("+33612345678")
        assert (response.status_code, response.json()["code"]) == (403, "country_not_allowed")
        assert harness.texts("+33612345678") == []


def test_starts_while_twilio_is_away_are_given_back(harness: Harness) -> None:
    """Each supersedes the one before, whose text never left."""
    harness.restart(LIMIT_PER_NUMBER="3/10 minutes", TWILIO_API_BASE_URL="http://127.0.0.1:9")
    for _ in range(6):
        harness.start_and_send()
        harness.forward(20)
    links = harness.start_and_send()
    harness.terminate(links["id"], "enough")
    harness.start()


def test_starts_that_are_replaced_at_once_count(harness: Harness) -> None:
    harness.restart(LIMIT_PER_NUMBER="3/10 minutes")
    for _ in range(3):
        harness.start()
    assert harness.post_start().status_code == 429


def test_a_further_text_of_a_probe_needs_a_probe_of_its_own(harness: Harness) -> None:
    harness.restart(BREAKER_TEXTS_PER_PREFIX="5", WINDOW_SECONDS="120")
    for number in range(6):
        harness.start_and_send(f"+1425555{number:04}")
    harness.forward(400)
    id = harness.start_and_send("+14255550777")["id"]
    harness.clock.forward(16)
    resend = f"{INSTANCES}/{id}/raiseEvent/ResendSmsChallenge"
    assert harness.call("POST", resend, json={}).json()["code"] == "breaker_open"
    harness.clock.forward(45)
    assert harness.call("POST", resend, json={}).status_code == 202
    assert harness.post_start("+14255550778").status_code == 429
