"""Two web processes of one machine on one database of either kind."""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import invariants
from tests.builders import wrong_code
from tests.conftest import SEED, SOAK
from tests.processes.service import Service, children, until
from tests.processes.test_torture import SETTINGS, Load, check

PHONE, OTHER = "+14255550123", "+14255550124"
KILLS = 2 * SOAK
_random = random.Random(SEED)


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    made = Service(tmp_path, database_url, **SETTINGS, WEB_CONCURRENCY="2")
    yield made
    made.close()


def answers(service: Service, phone: str, bodies: list[str]) -> Counter[bool]:
    """Replies, all at once; how many were thanked for."""
    receive = service.simulator.webhooks.receive
    with ThreadPoolExecutor(20) as pool:
        return Counter("Thank you" in a.body for a in pool.map(lambda b: receive(phone, b), bodies))


def test_simultaneous_replies_are_judged_one_after_the_other(service: Service) -> None:
    service.start(WINDOW_SECONDS="90")
    guessed, verified = service.begin(PHONE), service.begin(OTHER)
    right = service.code(PHONE)
    answers(service, PHONE, [wrong_code(right, number) for number in range(1, 61)])
    status = service.status(guessed)
    assert (status["output"], status["customStatus"]["attemptsUsed"]) == (False, 4)
    assert answers(service, OTHER, [service.code(OTHER)] * 60)[True] == 1
    assert service.status(verified)["output"] is True
    events = Counter(row["event"] for row in service.ask("SELECT event FROM history"))
    assert (events["wrong_answer"], events["max_attempts_reached"], events["approved"]) == (4, 1, 1)
    assert invariants.broken(service.ask) == []


@pytest.mark.timeout(120 + 5 * KILLS)
def test_one_of_them_killed_under_load(service: Service) -> None:
    """gunicorn starts another one, and what the killed one was sending is looked up."""
    process = service.start()
    killed: list[int] = []

    def pair() -> list[int] | None:
        pids = [pid for pid in children(process) if pid not in killed]
        return pids if len(pids) == 2 else None

    with Load(service) as load:
        for _ in range(KILLS):
            begun = len(load.started)
            until(lambda before=begun: len(load.started) > before + 3)
            killed.append(_random.choice(until(pair)))
            os.kill(killed[-1], signal.SIGKILL)
        load.wait()
    service.wait_until_all_ended()
    check(service, load)
    assert service.terminate(process) == 0
