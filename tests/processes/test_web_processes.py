"""Two web processes of one machine on one database of either kind."""

import os
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from itertools import chain, count
from pathlib import Path

import pytest
import requests

from simulator import faults
from tests import invariants
from tests.builders import wrong_code
from tests.conftest import SEED, SOAK
from tests.postgres import Server
from tests.processes.clients import clients_of_each, halted, new_client, pair, reply
from tests.processes.load import SETTINGS, Load, check
from tests.processes.service import Service, children, is_overdue, until

PHONE, OTHER = "+14255550123", "+14255550124"
KILLS = 2 * SOAK
# Of the 120 replies; each process writes its sums at its end.
IGNORED = "SELECT value FROM metric_sample WHERE sample LIKE '%no_verification%' AND value > 0"
SENDING = """
    SELECT 1 FROM outbox JOIN verification ON verification.id = verification_id
    WHERE phone = '{}' AND state = 'sending'
"""
_random = random.Random(SEED)


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    made = Service(tmp_path, database_url, **SETTINGS, WEB_CONCURRENCY="2")
    yield made
    made.close()


def test_simultaneous_replies_are_judged_one_after_the_other(service: Service) -> None:
    process = service.start(WINDOW_SECONDS="90", SEND_WITHIN_SECONDS="30")
    guessed, verified = service.begin(PHONE), service.begin(OTHER)
    right, wrong = service.code(OTHER), [wrong_code(service.code(PHONE), n) for n in range(1, 61)]
    with clients_of_each(service, process, 10) as (one, other), ThreadPoolExecutor(20) as pool:

        def answers(phone: str, bodies: list[str]) -> list[str]:
            """Replies of twenty clients, all at once."""

            def send(number: int, client: requests.Session) -> list[str]:
                return [reply(client, service, phone, body) for body in bodies[number::20]]

            return list(chain(*pool.map(send, range(20), one + other)))

        answers(PHONE, wrong)
        thanks = Counter("Thank you" in answer for answer in answers(OTHER, [right] * 60))
    assert thanks == {True: 1, False: 59}
    status = service.status(guessed)
    assert (status["output"], status["customStatus"]["attemptsUsed"]) == (False, 4)
    assert service.status(verified)["output"] is True
    events = Counter(row["event"] for row in service.ask("SELECT event FROM history"))
    assert (events["wrong_answer"], events["max_attempts_reached"], events["approved"]) == (4, 1, 1)
    assert invariants.broken(service.ask) == []
    assert service.terminate(process) == 0
    assert [row["value"] > 50 for row in service.ask(IGNORED)] == [True, True], "each had half"


def test_one_that_cannot_begin_ends_no_other(tmp_path: Path, postgres: Server) -> None:
    """The database is a standby for a while, and gunicorn replaces a process meanwhile."""
    service = Service(tmp_path, postgres.new_database(), WEB_CONCURRENCY="2")
    name = service.database_url.rpartition("/")[2]
    try:
        process = service.start()
        killed, kept = children(process)
        service.ask(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        os.kill(killed, signal.SIGKILL)
        until(lambda: b"this process cannot start" in service.log.read_bytes())
        service.ask(
            "BEGIN READ WRITE;"
            f" ALTER DATABASE {name} SET default_transaction_read_only = off; COMMIT"
        )
        until(lambda: len(children(process)) == 2)
        assert kept in children(process)
        until(lambda: has_begun(service))
    finally:
        service.close()


def has_begun(service: Service) -> bool:
    """False: a connection of its pool is a standby's still; that error replaces it."""
    with suppress(AssertionError):
        return bool(service.begin(PHONE))
    return False


def test_what_a_halted_one_has_missed_is_read_by_the_other(service: Service) -> None:
    """Before the verification expires; gunicorn would replace the halted one after 30 s."""
    process = service.start(WINDOW_SECONDS="6", SEND_WITHIN_SECONDS="30")
    id = service.begin(PHONE)
    until(lambda: service.status(id)["runtimeStatus"] == "Running")
    until(lambda: len(service.ask("SELECT * FROM heartbeat")) == 2)
    service.http.close()  # its connections may lead to the halted one
    service.simulator.faults.add(faults.WEBHOOK_NEVER)  # as if that one had it
    service.simulator.webhooks.receive(PHONE, service.code(PHONE))
    standing = halt_one(service, children(process))
    try:
        until(lambda: service.ask("SELECT status FROM verification")[0]["status"] != "pending")
        assert service.ask("SELECT status FROM verification")[0]["status"] == "approved"
    finally:
        os.kill(standing, signal.SIGCONT)


def test_a_reply_that_came_while_all_stood_still_is_judged_as_of_then(service: Service) -> None:
    """As on a machine that is suspended: the deadline passes with the reply in a socket."""
    process = service.start(WINDOW_SECONDS="6", SEND_WITHIN_SECONDS="30")
    id = service.begin(PHONE)
    until(lambda: service.status(id)["runtimeStatus"] == "Running")
    right = service.code(PHONE)
    with ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        for pid in children(process):
            stack.enter_context(halted(pid))
        texted = pool.submit(service.simulator.webhooks.receive, PHONE, right)
        until(partial(is_overdue, service))
        stack.close()
        texted.result()
    until(lambda: service.status(id)["runtimeStatus"] == "Completed")
    assert service.status(id)["output"] is True


def halt_one(service: Service, pids: list[int]) -> int:
    """At an instant at which it does not hold the lock of a file."""
    while True:
        os.kill(pids[0], signal.SIGSTOP)
        if is_free(service):
            return pids[0]
        os.kill(pids[0], signal.SIGCONT)


def is_free(service: Service) -> bool:
    if not service.database_url.startswith("sqlite:"):
        return True
    path = service.folder / "textback.db"
    with closing(sqlite3.connect(path, timeout=0.2, isolation_level=None)) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True


def was_killed_as_it_sent(service: Service, pid: int, other: int, phone: str) -> bool:
    """Kills a process whose text for this phone is at Twilio. The other one stands still until
    then, so that it cannot be the one that sends; False: it may have stood still with a lock."""
    waiting = service.simulator.faults.waiting
    service.simulator.faults.add(faults.DELAY, seconds=0.4, phone=phone)
    with halted(other), new_client() as client:
        with suppress(requests.RequestException, AssertionError):
            service.begin(phone, client)
            until(lambda: phone not in {fault.phone for fault in waiting()})
        os.kill(pid, signal.SIGKILL)
        return bool(service.ask(SENDING.format(phone)))


@pytest.mark.timeout(120 + 15 * KILLS)
def test_one_of_them_killed_under_load(service: Service) -> None:
    """gunicorn starts another one, and what the killed one was sending is looked up."""
    process = service.start()
    phones = (f"+1206{number}" for number in count(5_550_200))
    with Load(service) as load:
        met = 0
        while met < KILLS:
            begun = len(load.started)
            until(lambda before=begun: len(load.started) > before + 3)
            pid, other = _random.sample(until(lambda: pair(service, process)), 2)
            met += was_killed_as_it_sent(service, pid, other, next(phones))
            until(lambda pid=pid: pid not in children(process))
        load.wait()
    service.wait_until_all_ended()
    check(service, load)
    assert service.terminate(process) == 0
