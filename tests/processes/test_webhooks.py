"""Outcome webhooks with a real gunicorn: killed at every step, a burst, a dead endpoint."""

import contextlib
import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from simulator.receiver import Received
from tests.harness import RECEIVER, WEBHOOK_SECRET
from tests.processes.service import Service, until

PHONE = "+14255550123"
BURST = 200


@pytest.fixture
def telling(tmp_path: Path, database_url: str) -> Iterator[Service]:
    service = Service(tmp_path, database_url, WEBHOOK_URLS=RECEIVER, WEBHOOK_SECRET=WEBHOOK_SECRET)
    yield service
    service.close()


def received(service: Service) -> list[Received]:
    return service.simulator.receiver.events()


def reply(service: Service) -> None:
    service.simulator.webhooks.receive(PHONE, service.code(PHONE))


@pytest.mark.parametrize(
    "step", ["judge_text", "claim_events", "event claimed", "received", "answered"]
)
def test_killed_on_the_way_to_the_receiver(telling: Service, step: str) -> None:
    process = telling.start("tests.processes.crashing:app", CRASH_AT=step)
    id = telling.begin(PHONE)
    with contextlib.suppress(requests.RequestException):
        reply(telling)
    assert process.wait(15) == -signal.SIGKILL
    telling.start()
    until(lambda: any(event.is_accepted for event in received(telling)))
    until(lambda: telling.rows("SELECT state FROM webhook_event") == [("delivered",)])
    (event,) = received(telling)
    assert json.loads(event.body)["data"]["id"] == id
    assert (event.is_verified, event.is_same) == (True, True)
    assert event.tries == (2 if step == "received" else 1)


@pytest.mark.timed
def test_a_burst_is_told_beside_an_endpoint_that_never_answers(tmp_path: Path) -> None:
    """It takes connections and answers none, so each of its calls lasts ten seconds."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        urls = f"{RECEIVER},http://127.0.0.1:{silent.getsockname()[1]}/"
        service = Service(tmp_path, WEBHOOK_URLS=urls, WEBHOOK_SECRET=WEBHOOK_SECRET)
        try:
            service.start()
            ids = [service.begin(f"+1425556{place:04}") for place in range(BURST)]
            until(lambda: not service.ask("SELECT 1 FROM outbox WHERE state <> 'accepted'"), 60)
            for id in ids:
                end(service, id)
            until(lambda: len(received(service)) == BURST, 15)
            assert {event.tries for event in received(service)} == {1}
            # A text does not wait for it either.
            began = time.monotonic()
            service.begin(PHONE)
            until(lambda: service.texts(PHONE), 5)
            assert time.monotonic() - began < 2
        finally:
            service.close()


def end(service: Service, id: str) -> None:
    path = f"/runtime/webhooks/durabletask/instances/{id}/terminate"
    key = {"x-functions-key": "a-system-key-for-tests"}
    assert service.http.post(service.url + path, headers=key, timeout=20).status_code == 202
