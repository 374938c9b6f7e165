"""Limits on the starts of a number, a country, a key and all together, and on wrong answers."""

import time
from datetime import timedelta

import pytest

from bot.admission.rate_limits import RateLimits
from bot.admission.usage_follower import UsageFollower
from bot.domain.guess_budget import guess_budget
from bot.domain.limits import Limit, LimitName
from bot.store import hourly_counts
from bot.store.opening import open_store
from bot.store.rows import to_text
from bot.store.sqlite import SqliteStore
from bot.store.tx import Done, Tx
from tests.domain.test_phone import SPELLINGS
from tests.harness import FUNCTION_KEY, INSTANCES, PHONE, SYSTEM_KEY, Harness, database_in
from tests.harness import harness as open_harness

OTHER_PHONE = "+14255550199"


def refused(response) -> dict:
    assert response.status_code == 429, response.text
    body = response.json()
    assert body["code"] == "limit_reached"
    assert int(response.headers["Retry-After"]) > 0
    return {"limit": body["limit"], "after": int(response.headers["Retry-After"])}


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


def test_a_rate_limit_ends_with_its_window(tmp_path) -> None:
    numbers = [f"+1425555{place:04}" for place in range(200, 206)]
    with open_harness(tmp_path, LIMIT_TOTAL="2/minute") as harness:
        for number in numbers[:2]:
            harness.start_and_send(number)
        harness.clock.forward(59)
        assert refused(harness.post_start(numbers[2]))["after"] <= 2
        harness.clock.forward(2)
        harness.start(numbers[3])


def test_the_wait_is_that_of_the_country_itself(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_PER_COUNTRY="2/hour") as harness:
        harness.start_and_send("+14255550201")
        harness.clock.forward(1800)
        for number in ("+33612345601", "+33612345602"):
            harness.start_and_send(number)
        wait = refused(harness.post_start("+33612345603"))["after"]
        assert wait > 3500
        harness.clock.forward(wait)
        harness.start_and_send("+33612345603")


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


@pytest.mark.parametrize(
    ("setting", "numbers"),
    [
        ("LIMIT_PER_COUNTRY", ["+14255550201", "+14255550202", "+14255550203"]),
        ("LIMIT_PER_KEY", ["+14255550201", "+33612345678", "+14255550203"]),
        ("LIMIT_TOTAL", ["+14255550201", "+33612345678", "+4915112345678"]),
    ],
)
def test_rate_limits_hold(tmp_path, setting: str, numbers: list[str]) -> None:
    with open_harness(tmp_path, **{setting: "2/hour"}) as harness:
        for number in numbers[:2]:
            harness.start(number)
        told = refused(harness.post_start(numbers[2]))
        assert told["limit"] == f"{setting}=2/hour"
        if setting == "LIMIT_PER_COUNTRY":
            harness.start("+33612345678")
        if setting == "LIMIT_PER_KEY":
            harness.start(numbers[2], key=SYSTEM_KEY)
        harness.forward(3660)
        harness.start(numbers[2], key=FUNCTION_KEY)


def test_rate_limits_know_of_starts_before_a_restart_and_elsewhere(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_TOTAL="2/hour") as harness:
        harness.start("+14255550201")
        harness.start("+14255550202")
        limits = (Limit(LimitName.TOTAL, 2, 3600),)
        other = open_store(database_in(tmp_path), connections=2, clock=harness.clock)
        rate_limits = RateLimits(limits)
        UsageFollower(other, longest=rate_limits.longest, counters=[rate_limits.count]).refresh()
        assert rate_limits.hit(country="US", started_by="x", now=harness.clock.now) is not None
        other.close()


def test_countries_that_are_not_allowed_are_403(tmp_path) -> None:
    with open_harness(tmp_path, ALLOWED_COUNTRIES="US") as harness:
        harness.start()
        response = harness.post_start("+33612345678")
        assert (response.status_code, response.json()["code"]) == (403, "country_not_allowed")
        assert harness.texts("+33612345678") == []


def begin_32(path: str) -> list[str]:
    """In a process of its own: thirty-two starts of one number at once."""
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from bot.admission.admission import Admission
    from bot.domain.errors import LimitReached
    from bot.usecases.start import start
    from tests.builders import RULES
    from tests.builders import start as wanted
    from tests.harness import HandClock

    store = SqliteStore(Path(path), clock=HandClock())
    admission = Admission(starts_per_number=(Limit(LimitName.PER_NUMBER, 5, 600),))

    def begin(_: int) -> str:
        try:
            store.write(start, wanted(), RULES, admission)
        except LimitReached:
            return "refused"
        return "started"

    with ThreadPoolExecutor(32) as pool:
        outcomes = list(pool.map(begin, range(32)))
    store.close()
    return outcomes


def test_64_starts_at_once_over_two_processes_keep_the_limit(tmp_path) -> None:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    path = str(tmp_path / "textback.db")
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imports are most of a process
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        outcomes = [word for words in pool.map(begin_32, [path, path]) for word in words]
    assert (outcomes.count("started"), outcomes.count("refused")) == (5, 59)


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


def test_rate_limits_count_on_after_the_newest_usage_was_cleared(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_TOTAL="3/hour") as harness:
        harness.start("+14255550201")
        harness.start("+14255550202")
        harness.service.admission.refresh()
        harness.clear_limits("+14255550202")
        harness.start("+14255550203")
        refused(harness.post_start("+14255550204"))
        assert harness.clear_limits("+14255550203") == 1


def test_a_number_that_is_verified_every_minute_costs_no_more(harness: Harness) -> None:
    """4,320 approved starts took six seconds when each was compared with each."""
    harness.restart(LIMIT_PER_NUMBER="5/10 minutes; 10/day; 100/30 days")
    now = harness.clock.now
    sql = """
        INSERT INTO usage (kind, phone, country, started_by, verification_id, at)
        VALUES (:kind, :phone, 'US', 'default', :run, :at)
    """

    def insert(tx: Tx, first: int) -> Done[None]:
        for number in range(first, first + 432):
            at = to_text(now - timedelta(minutes=10 * number))
            for kind in ("start", "approval"):
                tx.run(sql, kind=kind, phone=PHONE, run=f"run-{number}", at=at)
        return Done(None)

    for first in range(0, 4_320, 432):
        harness.store.write(insert, first)
    began = time.process_time()
    harness.start()
    assert time.process_time() - began < 1


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


def test_ids_of_many_removed_verifications_are_not_looked_up_among_each_other(
    harness: Harness,
) -> None:
    """40,000 ids took a quarter of a minute."""
    ids = [f"id-{number}" for number in range(10_000)]
    began = time.process_time()
    harness.store.write(lambda tx: Done(hourly_counts.count_removed(tx, ids)))
    assert time.process_time() - began < 0.5
