"""kill -9 after every step of a verification, then a restart: it completes, once."""

import contextlib
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from bot.store.rows import to_text
from simulator import faults
from tests.processes.service import Service, until

PHONE = "+14255550123"


def wrong(service: Service) -> str:
    return str((int(service.code(PHONE)) + 1) % 10000).zfill(4)


def begin_and_die(service: Service, step: str) -> None:
    """A start whose service dies at this step, whether or not the caller hears of it."""
    process = service.start("tests.processes.crashing:app", CRASH_AT=step)
    with contextlib.suppress(requests.RequestException):
        service.begin(PHONE)
    process.wait(15)
    assert process.returncode == -signal.SIGKILL


def the_id(service: Service) -> str:
    ((id,),) = service.rows("SELECT id FROM verification")
    return str(id)


def events(service: Service) -> list[str]:
    sql = "SELECT event FROM history ORDER BY number"
    return [event for (event,) in service.rows(sql)]


def complete(service: Service) -> None:
    """The verification goes on after the restart, to its end."""
    id = the_id(service)
    until(lambda: service.texts(PHONE))
    until(lambda: service.status(id)["runtimeStatus"] == "Running")
    assert service.simulator.webhooks.receive(PHONE, service.code(PHONE)).status == 200
    assert service.status(id)["output"] is True
    assert len(service.texts(PHONE)) == 1, "Twilio has one message"
    assert events(service).count("approved") == 1


@pytest.fixture
def service(any_service: Service) -> Service:
    return any_service


@pytest.mark.parametrize(
    "step", ["start", "claim_due", "claimed", "accepted by Twilio", "accepted"]
)
def test_killed_on_the_way_to_the_phone(service: Service, step: str) -> None:
    begin_and_die(service, step)
    taken = step in ("accepted by Twilio", "accepted")
    assert len(service.texts(PHONE)) == int(taken)
    service.start()
    complete(service)


@pytest.mark.parametrize("step", ["judge_text"])
def test_killed_after_the_reply_was_committed(service: Service, step: str) -> None:
    first = service.start()
    id = service.begin(PHONE)
    until(lambda: service.texts(PHONE))
    until(lambda: service.status(id)["runtimeStatus"] == "Running")
    service.kill(first)
    second = service.start("tests.processes.crashing:app", CRASH_AT=step)
    answer = service.simulator.webhooks.receive(PHONE, wrong(service))
    assert answer.status == 0, "the service died before it answered"
    assert second.wait(15) == -signal.SIGKILL
    service.start()
    assert service.status(id)["customStatus"]["attemptsUsed"] == 1
    reply = next(m for m in service.simulator.world.messages() if m.direction == "inbound")
    again = service.simulator.webhooks.post_inbound(reply)
    assert "Tries left: 3" in again.body, "the repeat gets the answer that was lost"
    assert service.status(id)["customStatus"]["attemptsUsed"] == 1
    service.simulator.webhooks.receive(PHONE, service.code(PHONE))
    assert service.status(id)["output"] is True


def test_a_reply_sent_while_the_service_was_down_is_judged_after_the_restart(
    tmp_path: Path, database_url: str
) -> None:
    service = Service(tmp_path, database_url, WINDOW_SECONDS="3")
    try:
        first = service.start()
        id = service.begin(PHONE)
        until(lambda: service.texts(PHONE))
        until(lambda: service.status(id)["runtimeStatus"] == "Running")
        service.kill(first)
        assert service.simulator.webhooks.receive(PHONE, service.code(PHONE)).status == 0
        deadline = service.rows("SELECT deadline_at FROM verification")[0][0]
        until(lambda: to_text(datetime.now(UTC)) > deadline)
        service.start()
        assert service.status(id)["output"] is True, "sent inside the window, read after it"
    finally:
        service.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_dispatcher_that_is_stopped_finishes_its_send(
    service: Service, how: signal.Signals
) -> None:
    service.environment["TWILIO_TIMEOUT_SECONDS"] = "5"
    service.start(DISPATCH="off")
    dispatcher = service.run("flask", "dispatch")
    service.simulator.faults.add(faults.DELAY, seconds=0.5)
    service.begin(PHONE)
    until(lambda: not service.simulator.faults.waiting())
    dispatcher.send_signal(how)
    assert dispatcher.wait(30) == 0
    assert service.rows("SELECT state FROM outbox") == [("accepted",)]


def test_sigterm_in_the_middle_of_a_send_leaves_no_unknown_outcome(service: Service) -> None:
    service.environment["TWILIO_TIMEOUT_SECONDS"] = "5"
    process = service.start()
    service.simulator.faults.add(faults.DELAY, seconds=1.0)
    service.begin(PHONE)
    until(lambda: not service.simulator.faults.waiting())
    assert service.terminate(process) == 0
    assert service.rows("SELECT state FROM outbox") == [("accepted",)]
    assert len(service.texts(PHONE)) == 1
    assert "text_unknown" not in events(service)


@pytest.mark.timed
def test_a_dispatcher_beside_the_web_process_sends_within_a_second(service: Service) -> None:
    service.start(DISPATCH="off")
    dispatcher = service.run("flask", "dispatch")
    until(lambda: b"The dispatcher is running." in service.log.read_bytes())
    id = service.begin(PHONE)
    until(lambda: service.texts(PHONE), seconds=2)
    until(lambda: service.status(id)["runtimeStatus"] == "Running")
    service.simulator.webhooks.receive(PHONE, service.code(PHONE))
    assert service.status(id)["output"] is True
    assert service.terminate(dispatcher) == 0
