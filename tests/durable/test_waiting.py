"""Callers who wait for the outcome."""

import threading
import time

import pytest

from simulator import faults
from tests.desk import FUNCTION_KEY, INSTANCES, PHONE, START, Desk

MANAGED = "/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification"


class Waiter(threading.Thread):
    """A caller in a thread of its own."""

    def __init__(self, desk: Desk, path: str, phone: str = PHONE) -> None:
        super().__init__()
        self.desk, self.path, self.phone = desk, path, phone
        self.start()

    def run(self) -> None:
        import requests

        self.response = requests.post(
            self.desk.url + self.path,
            json=self.phone,
            headers={"x-functions-key": "a-system-key-for-tests"},
            timeout=30,
        )
        self.at = time.monotonic()

    def done(self):
        self.join(30)
        return self.response


def until_sent(desk: Desk, phone: str = PHONE) -> None:
    while not desk.texts(phone):
        desk.run_once()
        time.sleep(0.005)


def test_the_caller_is_answered_as_soon_as_it_is_decided(desk: Desk) -> None:
    waiter = Waiter(desk, f"{MANAGED}?timeout=20&pollingInterval=10")
    until_sent(desk)
    desk.text(desk.code())
    decided = time.monotonic()
    response = waiter.done()
    assert (response.status_code, response.json()) == (200, True)
    assert waiter.at - decided < 0.15


def test_what_did_not_complete_is_told_by_its_status(desk: Desk) -> None:
    desk.simulator.faults.add(faults.REFUSE, code=21614)
    waiter = Waiter(desk, f"{MANAGED}?timeout=20&pollingInterval=1")
    while waiter.is_alive():
        desk.run_once()
        time.sleep(0.005)
    response = waiter.done()
    assert response.status_code == 200
    assert response.json()["runtimeStatus"] == "Failed"


def test_false_is_told_too(desk: Desk) -> None:
    waiter = Waiter(desk, f"{START}/wait")
    until_sent(desk)
    for _ in range(4):
        desk.text(desk.wrong())
    assert (waiter.done().status_code, waiter.done().json()) == (200, False)


def test_when_the_time_is_over_the_ordinary_202_comes(desk: Desk) -> None:
    response = desk.call("POST", f"{START}/wait?timeout=0.3&retryInterval=0.1", json=PHONE)
    assert response.status_code == 202
    assert response.json()["id"]
    assert response.headers["Retry-After"] == "10"


def test_an_interval_longer_than_the_time_is_400_but_it_has_been_started(desk: Desk) -> None:
    response = desk.call("POST", f"{MANAGED}?timeout=1&pollingInterval=2", json=PHONE)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_wait")
    assert len(desk.verifications.newest(10)) == 1


@pytest.mark.parametrize("timeout", ["soon", "nan", "inf", "-1", "0", ""])
def test_a_time_that_is_none_is_absent(desk: Desk, timeout: str) -> None:
    began = time.monotonic()
    assert desk.call("POST", f"{MANAGED}?timeout={timeout}", json=PHONE).status_code == 202
    assert time.monotonic() - began < 2


def test_restart_waits_too(desk: Desk) -> None:
    id = desk.start()["id"]
    response = desk.call("POST", f"{INSTANCES}/{id}/restart?timeout=0.2&pollingInterval=0.1")
    assert response.status_code == 202


def test_the_function_key_waits_on_the_samples_route(desk: Desk) -> None:
    path = f"{START}/wait?timeout=0.1&retryInterval=0.1"
    assert desk.call("POST", path, key=FUNCTION_KEY, json=PHONE).status_code == 202
    assert desk.call("POST", path, key="wrong", json=PHONE).status_code == 401


def test_as_many_wait_as_like(desk: Desk) -> None:
    phones = [f"+142555502{number:02}" for number in range(30)]
    waiters = [Waiter(desk, f"{MANAGED}?timeout=20", phone) for phone in phones]
    for phone in phones:
        until_sent(desk, phone)
    for phone in phones:
        desk.text(desk.code(phone), phone=phone)
    assert [waiter.done().json() for waiter in waiters] == [True] * 30


def test_all_are_released_at_the_stop(desk: Desk) -> None:
    waiter = Waiter(desk, f"{MANAGED}?timeout=20")
    until_sent(desk)
    desk.app.extensions["waiting"].release()
    began = time.monotonic()
    assert waiter.done().status_code == 202
    assert waiter.at - began < 1


def test_a_decision_in_another_process_is_seen_within_250_ms(desk: Desk, tmp_path) -> None:
    from functools import partial

    from bot.store.opening import open_store
    from bot.usecases import control

    waiter = Waiter(desk, f"{MANAGED}/mine?timeout=20")
    until_sent(desk)
    other = open_store(desk.settings.database_url, connections=1, clock=desk.clock)
    other.write(partial(control.terminate, id="mine", reason="elsewhere"))
    decided = time.monotonic()
    assert waiter.done().json()["output"] == "elsewhere"
    assert waiter.at - decided < 0.35  # and a little for a busy machine
    other.close()
