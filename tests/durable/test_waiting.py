"""Callers who wait for the outcome."""

import threading
import time

import pytest

from bot.http.waiting import Waiting
from bot.store.tx import StoreUnavailable, Tx
from simulator import faults
from tests.harness import FUNCTION_KEY, INSTANCES, PHONE, START, Harness

MANAGED = "/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification"


class Waiter(threading.Thread):
    """A caller in a thread of its own."""

    def __init__(self, harness: Harness, path: str, phone: str = PHONE) -> None:
        super().__init__()
        self.harness, self.path, self.phone = harness, path, phone
        self.start()

    def run(self) -> None:
        import requests

        self.response = requests.post(
            self.harness.url + self.path,
            json=self.phone,
            headers={"x-functions-key": "a-system-key-for-tests"},
            timeout=30,
        )
        self.at = time.monotonic()

    def done(self):
        self.join(30)
        return self.response


def until_sent(harness: Harness, phone: str = PHONE) -> None:
    while not harness.texts(phone):
        harness.run_once()
        time.sleep(0.005)


def test_what_another_process_decides_during_a_look_is_told(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller begins to wait after the check has collected its ids and before its query, which
    already reads the decision in the history."""
    first, second = harness.start("+14255550171")["id"], harness.start("+14255550172")["id"]
    ended: set[str] = set()
    registered: set[str] = set()
    waiting = Waiting(harness.store)
    threads = []

    def wait(id: str) -> None:
        def is_finished() -> bool:
            has_ended = id in ended
            registered.add(id)  # the first check comes after the caller is registered
            return has_ended

        thread = threading.Thread(
            target=waiting.wait, args=(id, is_finished), kwargs={"seconds": 20.0}
        )
        thread.start()
        threads.append(thread)

    def finished(tx: Tx, ids: list[str]) -> list[str]:
        if ids and len(threads) == 1:
            wait(second)
            while second not in registered:
                time.sleep(0.001)
            ended.add(second)
            return []
        return [id for id in ids if id in ended]

    monkeypatch.setattr("bot.usecases.ended.verifications.finished", finished)
    wait(first)
    while len(threads) < 2:
        time.sleep(0.001)
    threads[1].join(5)
    assert not threads[1].is_alive()
    waiting.release()
    threads[0].join(5)


@pytest.mark.timed
def test_the_caller_is_answered_as_soon_as_it_is_decided(harness: Harness) -> None:
    waiter = Waiter(harness, f"{MANAGED}?timeout=20&pollingInterval=10")
    until_sent(harness)
    harness.text(harness.code())
    decided = time.monotonic()
    response = waiter.done()
    assert (response.status_code, response.json()) == (200, True)
    assert waiter.at - decided < 0.15


def test_what_did_not_complete_is_told_by_its_status(harness: Harness) -> None:
    harness.simulator.faults.add(faults.REFUSE, code=21614)
    waiter = Waiter(harness, f"{MANAGED}?timeout=20&pollingInterval=1")
    while waiter.is_alive():
        harness.run_once()
        time.sleep(0.005)
    response = waiter.done()
    assert response.status_code == 200
    assert response.json()["runtimeStatus"] == "Failed"


def test_false_is_told_too(harness: Harness) -> None:
    waiter = Waiter(harness, f"{START}/wait")
    until_sent(harness)
    for _ in range(4):
        harness.text(harness.wrong())
    assert (waiter.done().status_code, waiter.done().json()) == (200, False)


def test_when_the_time_is_over_the_ordinary_202_comes(harness: Harness) -> None:
    response = harness.call("POST", f"{START}/wait?timeout=0.3&retryInterval=0.1", json=PHONE)
    assert response.status_code == 202
    assert response.json()["id"]
    assert response.headers["Retry-After"] == "10"


def test_an_interval_longer_than_the_time_is_400_but_it_has_been_started(harness: Harness) -> None:
    response = harness.call("POST", f"{MANAGED}?timeout=1&pollingInterval=2", json=PHONE)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_wait")
    assert len(harness.newest(10)) == 1


@pytest.mark.parametrize("timeout", ["soon", "nan", "inf", "-1", "0", "", "1_0", "%D9%A1"])
def test_a_time_that_is_none_is_absent(harness: Harness, timeout: str) -> None:
    began = time.monotonic()
    assert harness.call("POST", f"{MANAGED}?timeout={timeout}", json=PHONE).status_code == 202
    assert time.monotonic() - began < 10


def test_restart_waits_too(harness: Harness) -> None:
    id = harness.start()["id"]
    response = harness.call("POST", f"{INSTANCES}/{id}/restart?timeout=0.2&pollingInterval=0.1")
    assert response.status_code == 202


def test_the_function_key_waits_on_the_samples_route(harness: Harness) -> None:
    path = f"{START}/wait?timeout=0.1&retryInterval=0.1"
    assert harness.call("POST", path, key=FUNCTION_KEY, json=PHONE).status_code == 202
    assert harness.call("POST", path, key="wrong", json=PHONE).status_code == 401


def test_as_many_wait_as_like(harness: Harness) -> None:
    phones = [f"+142555502{number:02}" for number in range(30)]
    waiters = [Waiter(harness, f"{MANAGED}?timeout=20", phone) for phone in phones]
    for phone in phones:
        until_sent(harness, phone)
    for phone in phones:
        harness.text(harness.code(phone), phone=phone)
    assert [waiter.done().json() for waiter in waiters] == [True] * 30


def test_an_error_while_looking_ends_no_looking(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = Waiting(harness.store)
    looks: list[int] = []

    def finished(tx: Tx, ids: list[str]) -> list[str]:
        looks.append(len(looks))
        if len(looks) == 1:
            raise RuntimeError("a library is at fault")
        return ["an-id"]

    monkeypatch.setattr("bot.usecases.ended.verifications.finished", finished)
    began = time.monotonic()
    waiting.wait("an-id", lambda: len(looks) > 1, seconds=20)
    assert time.monotonic() - began < 10
    assert "could not be looked for" in caplog.text
    waiting.release()


def test_the_one_that_waits_longest_makes_room_with_the_ordinary_202(harness: Harness) -> None:
    harness.service.waiting.end_oldest()  # nobody waits
    first = Waiter(harness, f"{MANAGED}?timeout=20")
    until_sent(harness)
    second = Waiter(harness, f"{MANAGED}?timeout=20", "+14255550124")
    until_sent(harness, "+14255550124")
    harness.service.waiting.end_oldest()
    assert first.done().status_code == 202
    harness.text(harness.code("+14255550124"), "+14255550124")
    assert second.done().status_code == 200


def test_all_are_released_at_the_stop(harness: Harness) -> None:
    waiter = Waiter(harness, f"{MANAGED}?timeout=20")
    until_sent(harness)
    harness.service.waiting.release()
    began = time.monotonic()
    assert waiter.done().status_code == 202
    assert waiter.at - began < 5


@pytest.mark.timed
def test_a_decision_in_another_process_is_seen_within_250_ms(harness: Harness, tmp_path) -> None:
    from functools import partial

    from bot.store.opening import open_store
    from bot.usecases import control

    waiter = Waiter(harness, f"{MANAGED}/mine?timeout=20")
    until_sent(harness)
    other = open_store(harness.settings.database_url, connections=1, clock=harness.clock)
    other.write(partial(control.cancel, id="mine", reason="elsewhere"))
    decided = time.monotonic()
    assert waiter.done().json()["output"] == "elsewhere"
    assert waiter.at - decided < 0.35  # and a little for a busy machine
    other.close()


def test_a_start_whose_outcome_cannot_be_read_is_answered_as_started(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 says that nothing was done."""

    def wait(*_: object, **__: object) -> bool:
        raise StoreUnavailable("the server is away")

    monkeypatch.setattr(harness.service.waiting, "wait", wait)
    response = harness.call("POST", f"{START}?timeout=5", json=PHONE)
    assert response.status_code == 202
    assert harness.status(response.json()["id"])["runtimeStatus"] == "Pending"
