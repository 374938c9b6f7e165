"""Three web and two dispatch processes, as on hosts whose clocks differ, over one PostgreSQL."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from bot.store.rows import to_instant
from simulator import faults
from tests import invariants
from tests.builders import wrong_code
from tests.conftest import SEED, SOAK
from tests.harness import FUNCTION_KEY, PHONE, START, SYSTEM_KEY
from tests.postgres import Server
from tests.processes.hosts import Hosts, begin, replies
from tests.processes.load import Load, check
from tests.processes.service import until


@contextmanager
def running(folder: Path, server: Server, **settings: str) -> Iterator[Hosts]:
    made = Hosts(folder, server.new_database(), **settings)
    try:
        made.start_all()
        yield made
    finally:
        made.close()


@pytest.fixture
def hosts(tmp_path: Path, postgres: Server) -> Iterator[Hosts]:
    with running(tmp_path, postgres, WINDOW_SECONDS="4", SEND_WITHIN_SECONDS="5") as made:
        yield made


@pytest.fixture
def patient_hosts(tmp_path: Path, postgres: Server) -> Iterator[Hosts]:
    """With the usual window."""
    with running(tmp_path, postgres) as made:
        yield made


def events(hosts: Hosts) -> Counter[str]:
    return Counter(row["event"] for row in hosts.ask("SELECT event FROM history"))


def test_the_whole_flow_and_its_races(hosts: Hosts) -> None:
    """Two hundred simultaneous replies, spread over all: four attempts, one end; one approval."""
    first = begin(hosts)
    answers = replies(hosts, [wrong_code(hosts.code(PHONE), n) for n in range(1, 201)])
    status = hosts.status(first)
    assert (status["output"], status["customStatus"]["attemptsUsed"]) == (False, 4)
    counts = events(hosts)
    assert (counts["wrong_answer"], counts["max_attempts_reached"]) == (4, 1)
    assert answers['<?xml version="1.0" encoding="UTF-8"?><Response />'] >= 194
    second = begin(hosts)
    answers = replies(hosts, [hosts.code(PHONE)] * 200)
    assert hosts.status(second)["output"] is True
    assert sum(count for answer, count in answers.items() if "Thank you" in answer) == 1
    assert events(hosts)["approved"] == 1
    assert invariants.broken(hosts.ask) == []


@pytest.mark.timed
def test_each_host_sees_in_time_what_the_others_do(hosts: Hosts) -> None:
    seen_elsewhere_within_250_ms(hosts)
    expired_within_a_second(hosts)


def seen_elsewhere_within_250_ms(hosts: Hosts) -> None:
    """The start is sent by another process; who waits on one host hears what another decided."""
    delays = []
    for number in range(7):
        phone = f"+142555503{number:02}"
        began = time.monotonic()
        hosts.begin(phone)
        until(lambda phone=phone: hosts.texts(phone))
        delays.append(time.monotonic() - began)
    assert sorted(delays)[3] < 0.35, delays  # a tenth for a busy machine
    waits = []
    with ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            id = begin(hosts)
            url = f"http://127.0.0.1:{hosts.web_ports[0]}/runtime/webhooks/durabletask"
            headers = {"x-functions-key": SYSTEM_KEY}
            waiting = pool.submit(
                requests.post,
                f"{url}/orchestrators/E4_SmsPhoneVerification/waits-{id}?timeout=8",
                json="+14255550188",
                headers=headers,
                timeout=20,
            )
            until(lambda id=id: hosts.ask(f"SELECT 1 FROM verification WHERE id = 'waits-{id}'"))
            time.sleep(0.3)
            other = f"http://127.0.0.1:{hosts.web_ports[1]}/runtime/webhooks/durabletask"
            decided = time.monotonic()
            requests.post(
                f"{other}/instances/waits-{id}/terminate?reason=x", headers=headers, timeout=20
            ).raise_for_status()
            assert waiting.result().json()["output"] == "x"
            waits.append(time.monotonic() - decided)
    assert sorted(waits)[1] < 0.35, waits


def expired_within_a_second(hosts: Hosts) -> None:
    id = begin(hosts)
    until(lambda: hosts.status(id)["runtimeStatus"] == "Completed")
    assert hosts.status(id)["output"] is False
    (row,) = hosts.ask(
        "SELECT accepted_at, deadline_at, (SELECT at FROM history WHERE event = 'expired'"
        f" AND verification_id = '{id}') AS at FROM verification WHERE id = '{id}'"
    )
    accepted, deadline, at = (
        to_instant(row[name]) for name in ("accepted_at", "deadline_at", "at")
    )
    assert deadline - accepted == timedelta(seconds=4), "whatever the hosts' own clocks say"
    assert timedelta(0) <= at - deadline < timedelta(seconds=1)


STARTS = 100 if SOAK == 1 else 1000
_random = random.Random(SEED)


@pytest.fixture
def unhurried_hosts(tmp_path: Path, postgres: Server) -> Iterator[Hosts]:
    """With Twilio's usual time: a busy machine may take half a second for an answer, and the text
    may be looked up before the simulator has it."""
    with running(tmp_path, postgres, TWILIO_TIMEOUT_SECONDS="8") as made:
        yield made


def test_many_starts_are_as_many_texts(unhurried_hosts: Hosts) -> None:
    hosts = unhurried_hosts
    phones = [f"+1425556{number:04}" for number in range(STARTS)]
    with ThreadPoolExecutor(30) as pool:
        ids = list(pool.map(hosts.begin, phones))
    assert len(set(ids)) == STARTS
    until(
        lambda: (
            hosts.ask("SELECT count(*) AS n FROM outbox WHERE state = 'accepted'")[0]["n"] >= STARTS
        ),
        60,
    )
    sent = Counter(message.recipient for message in hosts.simulator.world.messages())
    assert sent == Counter(phones)


def test_any_of_them_killed_and_the_database_restarted_under_load(
    hosts: Hosts, postgres: Server
) -> None:
    with Load(hosts) as load:
        for number in range(2):
            time.sleep(_random.uniform(0.2, 0.8))
            hosts.kill(hosts.webs[number])
            hosts.webs[number] = hosts.start_web(number)
        time.sleep(_random.uniform(0.2, 0.8))
        hosts.kill(hosts.dispatchers[0])
        hosts.dispatchers[0] = hosts.start_dispatcher(0)
        for how in (signal.SIGINT, signal.SIGQUIT):  # at once; and as after a crash
            time.sleep(1)
            postgres.stop(how)
            time.sleep(0.5)
            postgres.start()
        time.sleep(0.5)
        load.wait()
    hosts.wait_until_all_ended()
    check(hosts, load)


def test_a_process_paused_beyond_its_lease_comes_back(patient_hosts: Hosts) -> None:
    """The other process looks its text up and takes it over; its own late result changes nothing.
    It may still send the same code once more: only Twilio could prevent that."""
    hosts = patient_hosts
    hosts.simulator.faults.add(faults.DELAY, seconds=1.0, times=1)
    id = hosts.begin(PHONE)
    until(lambda: hosts.ask("SELECT 1 FROM outbox WHERE state = 'sending'"))
    for process in hosts.dispatchers:  # whichever has it
        os.killpg(process.pid, signal.SIGSTOP)
    time.sleep(2.0)  # a lease is three timeouts of half a second
    os.killpg(hosts.dispatchers[1].pid, signal.SIGCONT)
    until(lambda: hosts.ask("SELECT 1 FROM outbox WHERE state = 'accepted'"))
    os.killpg(hosts.dispatchers[0].pid, signal.SIGCONT)
    until(lambda: hosts.status(id)["runtimeStatus"] == "Running")
    hosts.simulator.webhooks.receive(PHONE, hosts.code(PHONE))
    assert hosts.status(id)["output"] is True
    time.sleep(0.5)
    texts = hosts.texts(PHONE)
    assert len(texts) <= 2
    assert len(set(texts)) == 1
    assert invariants.broken(hosts.ask) == []


def test_a_minute_without_the_database_is_503_and_nothing_is_lost(
    hosts: Hosts, postgres: Server
) -> None:
    """Not a whole minute here: the answers are the same from the fifth second on."""
    id = begin(hosts)
    right = hosts.code(PHONE)
    postgres.stop()
    try:
        refused = hosts.http.post(
            hosts.url + START,
            json="+14255550144",
            headers={"x-functions-key": FUNCTION_KEY},
            timeout=20,
        )
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        assert refused.headers["Retry-After"] == "5"
        assert hosts.http.get(f"{hosts.url}/readyz", timeout=20).status_code == 503
        assert hosts.http.get(f"{hosts.url}/healthz", timeout=20).status_code == 200
    finally:
        postgres.start()
    answer = hosts.simulator.webhooks.receive(PHONE, right)
    # Past its deadline it is 503 until Twilio's list of replies has been read.
    assert answer.status in (200, 503)
    status = until(lambda: (read := hosts.status(id)).get("runtimeStatus") == "Completed" and read)
    if answer.status == 200:
        late = "expired" in answer.body
        assert status["output"] is (not late), "judged by when it came, and the window is honest"
    assert until(lambda: hosts.begin("+14255550144"))
