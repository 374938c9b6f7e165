"""Which answers of Twilio are refusals, and which failures count against a number."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.admission.circuit_breaker import CircuitBreaker, Thresholds
from bot.channels.gateway import Postponed, Refused, Unknown
from bot.domain.effects import UsageKind
from bot.store.usage import Usage
from simulator import faults
from tests.harness import INSTANCES, Harness
from tests.harness import harness as open_harness
from tests.odd_cases.gateways import gateway, listener, send
from tests.odd_cases.phones import OTHER
from tests.sms.webhooks import report


def test_what_nothing_ever_tried_to_send_was_not_sent(harness: Harness) -> None:
    """No dispatcher ran until after the latest deadline."""
    id = harness.start()["id"]
    harness.clock.forward(200)
    harness.dispatcher.turn()
    harness.run_once()
    assert harness.status(id)["customStatus"]["cause"] == "send_given_up"
    assert harness.texts() == []


PROBLEM = b'{"type": "about:blank", "title": "No", "status": %d, "code": %d, "detail": ""}'
ODD_ANSWERS = {
    (400, 21211): Refused,
    (401, 20003): Refused,
    (429, 20429): Postponed,
    (503, 20503): Unknown,
}


@pytest.mark.parametrize(("status", "code"), ODD_ANSWERS)
def test_a_refusal_as_problem_details_is_a_refusal(status: int, code: int) -> None:
    """The library has an exception of its own for it (RFC 9457)."""
    body = PROBLEM % (status, code)

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        head = f"HTTP/1.1 {status} No\r\nContent-Type: application/problem+json\r\n"
        length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + length.encode() + body)
        connection.close()

    with listener(serve) as port:
        result, _ = send(gateway(port))
    assert isinstance(result, ODD_ANSWERS[status, code])


@pytest.mark.parametrize("head", ["103 Early Hints", "302 Found", "304 Not Modified"])
def test_only_a_4xx_is_a_refusal(head: str) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode())
        connection.close()

    with listener(serve) as port:
        result, _ = send(gateway(port))
    assert isinstance(result, Unknown)


# -- failures that are ours ------------------------------------------------------------------------


@pytest.mark.parametrize("code", [21408, 20404, 21606, 30037, 21703])
def test_refusals_that_are_ours_do_not_count_against_the_number(tmp_path: Path, code: int) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="5/10 minutes", LIMIT_TOTAL="8/hour") as harness:
        harness.simulator.faults.add(faults.REFUSE, code=code, times=6)
        for _ in range(6):
            assert harness.status(harness.start_and_send()["id"])["runtimeStatus"] == "Failed"
        assert harness.post_start().status_code == 202
        assert harness.post_start(OTHER).status_code == 202
        assert harness.post_start("+14255550166").json()["limit"].startswith("LIMIT_TOTAL")


def test_passing_troubles_and_reports_of_ours_do_not_count_either(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="1/day") as harness:
        harness.simulator.faults.add(faults.REFUSE, code=20429, times=1000)
        harness.start_and_send()
        for _ in range(70):
            harness.forward(1)
        harness.simulator.faults.clear()
        harness.simulator.faults.add(faults.REPORTS_NEVER, times=1000)
        id = harness.start_and_send()["id"]
        report(harness, id, "failed", code=30034)
        assert harness.status(id)["customStatus"]["cause"] == "not_delivered"
        harness.start_and_send()
        assert harness.post_start().json()["code"] == "limit_reached"


def test_a_further_text_that_is_refused_through_us_does_not_count_either(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="3/hour", LIMIT_TOTAL="4/hour") as harness:
        id = harness.start_and_send()["id"]
        for _ in range(2):
            harness.forward(16)
            harness.simulator.faults.add(faults.REFUSE, code=21408)
            resent = f"{INSTANCES}/{id}/raiseEvent/ResendSmsChallenge"
            assert harness.call("POST", resent, json={}).status_code == 202
            harness.run_once()
        assert harness.history(id)[-1] == "further_text_failed"
        assert harness.post_start().status_code == 202
        assert harness.post_start(OTHER).json()["limit"].startswith("LIMIT_TOTAL")


@pytest.mark.parametrize(
    ("code", "refusal"),
    [(21211, "limit_reached"), (21614, "limit_reached"), (21610, "opted_out")],
)
def test_what_the_number_is_to_blame_for_counts(tmp_path: Path, code: int, refusal: str) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="1/day") as harness:
        harness.simulator.faults.add(faults.REFUSE, code=code)
        harness.start_and_send()
        assert harness.post_start().json()["code"] == refusal


def test_a_failure_buys_no_guesses(tmp_path: Path) -> None:
    """A start with guesses while Twilio is away still counts."""
    with open_harness(tmp_path, LIMIT_PER_NUMBER="1/day", CODE_LENGTH="10") as harness:
        id = harness.start()["id"]
        harness.answer(id, "0" * 10)
        harness.forward(700)
        status = harness.status(id)
        assert (status["runtimeStatus"], status["customStatus"]["attemptsUsed"]) == ("Failed", 1)
        assert harness.post_start().json()["code"] == "limit_reached"


def test_texts_that_never_went_out_open_no_area(tmp_path: Path) -> None:
    with open_harness(tmp_path, BREAKER_TEXTS_PER_PREFIX="5") as harness:
        harness.simulator.faults.add(faults.REFUSE, code=21408, times=10)
        for number in range(10):
            harness.start_and_send(f"+1425555{number:04}")
        harness.forward(200)
        assert harness.open_areas() == []


def test_a_probe_that_failed_through_us_closes_no_circuit() -> None:
    """A probe's text was not counted, so its failure must not subtract one."""
    breaker = CircuitBreaker(Thresholds(texts_per_prefix=5), answer_time=timedelta(seconds=150))
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def count(kind: UsageKind, id: str) -> None:
        breaker.count(Usage(1, kind, "+14255550123", "US", "function", id, at))

    for number in range(5):
        count(UsageKind.START, f"id-{number}")
    later = at + timedelta(seconds=200)
    assert [area.name for area in breaker.open_areas(later)] == ["+1425555"]
    count(UsageKind.PROBE, "probed")
    count(UsageKind.UNSENT, "probed")
    assert [area.name for area in breaker.open_areas(later)] == ["+1425555"]
    count(UsageKind.UNSENT, "id-0")
    assert breaker.open_areas(later) == []
