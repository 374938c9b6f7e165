"""What a number, a country, a key and all together may start, and how often a number may guess."""

import pytest

from bot.admission.rate_limits import RateLimits
from bot.admission.usage_follower import UsageFollower
from bot.domain.limits import Limit, guess_budget
from bot.store.sqlite import SqliteStore
from tests.desk import FUNCTION_KEY, INSTANCES, PHONE, SYSTEM_KEY, Desk
from tests.desk import desk as open_desk
from tests.domain.test_phone import SPELLINGS

OTHER_PHONE = "+14255550199"


def refused(response) -> dict:
    assert response.status_code == 429, response.text
    body = response.json()
    assert body["code"] == "limit_reached"
    assert int(response.headers["Retry-After"]) > 0
    return {"limit": body["limit"], "after": int(response.headers["Retry-After"])}


def test_a_number_is_started_so_often_and_no_more(tmp_path) -> None:
    with open_desk(tmp_path, LIMIT_PER_NUMBER="5/10 minutes; 7/day") as desk:
        for place in range(5):
            desk.start_and_send(SPELLINGS[place])
            desk.clock.forward(60)
        told = refused(desk.post_start(SPELLINGS[1]))
        assert told == {"limit": "LIMIT_PER_NUMBER=5/600 seconds", "after": 300}
        assert len(desk.texts()) == 5
        desk.forward(300)
        desk.start_and_send()
        desk.forward(600)
        desk.start_and_send()
        told = refused(desk.post_start())
        assert told["limit"] == "LIMIT_PER_NUMBER=7/86400 seconds"
        desk.start(OTHER_PHONE)


def test_ten_spellings_share_one_limit(tmp_path) -> None:
    with open_desk(tmp_path, LIMIT_PER_NUMBER="1/hour") as desk:
        assert len(SPELLINGS) >= 10
        desk.start(SPELLINGS[0])
        for spelling in SPELLINGS:
            refused(desk.post_start(spelling))


def test_approved_starts_do_not_count(tmp_path) -> None:
    with open_desk(tmp_path, LIMIT_PER_NUMBER="2/hour") as desk:
        for _ in range(6):
            desk.start_and_send()
            desk.text(desk.code())


def test_a_purge_buys_no_other_start(tmp_path) -> None:
    with open_desk(tmp_path, LIMIT_PER_NUMBER="1/hour") as desk:
        id = desk.start()["id"]
        desk.call("POST", f"{INSTANCES}/{id}/terminate")
        assert desk.call("DELETE", f"{INSTANCES}/{id}").status_code == 200
        refused(desk.post_start())


def test_the_first_answer_is_given_again_though_the_limit_is_reached(tmp_path) -> None:
    with open_desk(tmp_path, LIMIT_PER_NUMBER="1/hour") as desk:
        headers = {"Idempotency-Key": "k"}
        first = desk.start(headers=headers)
        assert desk.start(headers=headers) == first
        refused(desk.post_start())


def test_a_restart_counts(tmp_path) -> None:
    with open_desk(tmp_path, LIMIT_PER_NUMBER="2/hour") as desk:
        id = desk.start()["id"]
        assert desk.call("POST", f"{INSTANCES}/{id}/restart").status_code == 202
        refused(desk.call("POST", f"{INSTANCES}/{id}/restart"))


def test_wrong_answers_count_over_all_verifications_of_a_number(tmp_path) -> None:
    with open_desk(tmp_path, LIMIT_WRONG_PER_NUMBER="6/hour", CODE_LENGTH="6") as desk:
        desk.start_and_send()
        for _ in range(4):
            desk.text(desk.wrong())
        desk.clock.forward(600)
        id = desk.start_and_send()["id"]
        desk.text(desk.wrong())
        assert desk.status(id)["runtimeStatus"] == "Running"
        desk.text(desk.wrong())
        status = desk.status(id)["customStatus"]
        assert (status["status"], status["attemptsUsed"]) == ("max_attempts_reached", 2)
        told = refused(desk.post_start())
        assert told == {"limit": "LIMIT_WRONG_PER_NUMBER=6/3600 seconds", "after": 3000}
        desk.forward(3000)
        desk.start()


def test_the_right_answer_counts_though_it_would_be_the_last(tmp_path) -> None:
    with open_desk(tmp_path, LIMIT_WRONG_PER_NUMBER="1/hour") as desk:
        id = desk.start_and_send()["id"]
        desk.text(desk.code())
        assert desk.status(id)["output"] is True


def test_limits_clear_lifts_them(tmp_path) -> None:
    with open_desk(tmp_path, LIMIT_PER_NUMBER="1/hour") as desk:
        desk.start()
        refused(desk.post_start())
        runner = desk.app.test_cli_runner()
        assert runner.invoke(args=["limits", "clear", "+1 425 555 0123"]).exit_code == 0
        desk.start()
        assert runner.invoke(args=["limits", "clear", "nonsense"]).exit_code == 1


def test_opt_outs_are_listed_and_cleared(desk: Desk) -> None:
    desk.text("STOP")
    runner = desk.app.test_cli_runner()
    assert PHONE in runner.invoke(args=["optout", "list"]).output
    assert "Cleared." in runner.invoke(args=["optout", "clear", PHONE]).output
    assert "was not marked" in runner.invoke(args=["optout", "clear", PHONE]).output
    assert desk.post_start().status_code == 202


@pytest.mark.parametrize(
    ("setting", "numbers"),
    [
        ("LIMIT_PER_COUNTRY", ["+14255550201", "+14255550202", "+14255550203"]),
        ("LIMIT_PER_KEY", ["+14255550201", "+33612345678", "+14255550203"]),
        ("LIMIT_TOTAL", ["+14255550201", "+33612345678", "+4915112345678"]),
    ],
)
def test_brakes_hold(tmp_path, setting: str, numbers: list[str]) -> None:
    with open_desk(tmp_path, **{setting: "2/hour"}) as desk:
        for number in numbers[:2]:
            desk.start(number)
        told = refused(desk.post_start(numbers[2]))
        assert told["limit"] == f"{setting}=2/3600 seconds"
        if setting == "LIMIT_PER_COUNTRY":
            desk.start("+33612345678")
        if setting == "LIMIT_PER_KEY":
            desk.start(numbers[2], key=SYSTEM_KEY)
        desk.forward(3660)
        desk.start(numbers[2], key=FUNCTION_KEY)


def test_brakes_know_of_starts_before_a_restart_and_elsewhere(tmp_path) -> None:
    with open_desk(tmp_path, LIMIT_TOTAL="2/hour") as desk:
        desk.start("+14255550201")
        desk.start("+14255550202")
        limits = (Limit("LIMIT_TOTAL", 2, 3600),)
        other = SqliteStore(tmp_path / "textback.db", clock=desk.clock)
        rate_limits = RateLimits(limits)
        UsageFollower(other, longest=rate_limits.longest, counters=[rate_limits.count]).refresh()
        from bot.domain.errors import LimitReached

        with pytest.raises(LimitReached):
            rate_limits.admit(country="US", started_by="x", now=desk.clock.now)
        other.close()


def test_countries_that_are_not_allowed_are_403(tmp_path) -> None:
    with open_desk(tmp_path, ALLOWED_COUNTRIES="US") as desk:
        desk.start()
        response = desk.post_start("+33612345678")
        assert (response.status_code, response.json()["code"]) == (403, "country_not_allowed")
        assert desk.texts("+33612345678") == []


def begin_32(path: str) -> list[str]:
    """In a process of its own: thirty-two starts of one number at once."""
    from concurrent.futures import ThreadPoolExecutor
    from functools import partial
    from pathlib import Path

    from bot.domain.errors import LimitReached
    from bot.usecases.start import Bounds, start
    from tests.builders import start as wanted
    from tests.desk import HandClock

    store = SqliteStore(Path(path), clock=HandClock())
    bounds = Bounds(starts=(Limit("LIMIT_PER_NUMBER", 5, 600),))

    def begin(_: int) -> str:
        try:
            store.write(partial(start, wanted=wanted(), bounds=bounds))
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
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        outcomes = [word for words in pool.map(begin_32, [path, path]) for word in words]
    assert (outcomes.count("started"), outcomes.count("refused")) == (5, 59)


def test_whoever_starts_and_guesses_all_day_has_no_more_guesses_than_the_budget(tmp_path) -> None:
    with open_desk(
        tmp_path, LIMIT_PER_NUMBER="5/10 minutes; 10/day", LIMIT_WRONG_PER_NUMBER="12/day"
    ) as desk:
        guesses = 0
        for _ in range(24 * 12):  # every five minutes
            response = desk.post_start()
            if response.status_code == 202:
                desk.run_once()
                for _ in range(6):
                    before = desk.status(response.json()["id"])["customStatus"]["attemptsUsed"]
                    desk.answer(response.json()["id"], desk.wrong())
                    after = desk.status(response.json()["id"])["customStatus"]["attemptsUsed"]
                    guesses += after - before
            desk.clock.forward(299)
        assert guesses == desk.settings.guess_budget.guesses == 12


def test_the_budget_is_the_smaller_of_starts_and_wrong_answers() -> None:
    starts, wrong = [Limit("S", 10, 86400)], [Limit("W", 12, 86400)]
    assert guess_budget(starts, wrong, attempts=4, code_length=4).guesses == 12
    assert guess_budget(starts, [], attempts=4, code_length=4).guesses == 40
    assert guess_budget([], [], attempts=4, code_length=4).guesses is None
    assert not guess_budget([], [], attempts=4, code_length=4).is_sound


def test_brakes_count_on_after_the_newest_tallies_were_cleared(tmp_path) -> None:
    with open_desk(tmp_path, LIMIT_TOTAL="3/hour") as desk:
        desk.start("+14255550201")
        desk.start("+14255550202")
        desk.verifications._bounds.following.refresh()
        desk.verifications.clear_limits("+14255550202")
        desk.start("+14255550203")
        refused(desk.post_start("+14255550204"))
        assert desk.verifications.clear_limits("+14255550203") == 1
