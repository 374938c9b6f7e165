"""As many callers wait as there may be connections: others are served all the same."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

from tests.harness import FUNCTION_KEY, START
from tests.processes.service import Service, until

CONNECTIONS = 50  # the fewest that a service starts with
HEADERS = {"x-functions-key": FUNCTION_KEY, "Content-Type": "application/json"}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path, CONNECTIONS=str(CONNECTIONS), CONNECTIONS_PER_ADDRESS="0")
    # They come over connections of the simulator's, as many at once as there are texts.
    made.simulator.faults.add("reports_never", times=10**9)
    try:
        made.start()
        made.http.close()
        yield made
    finally:
        made.close()


def is_served(service: Service) -> bool:
    try:
        health = f"{service.url}/healthz"
        return requests.get(health, timeout=3, headers={"Connection": "close"}).ok
    except requests.RequestException:
        return False


@pytest.mark.parametrize("are_kept", [False, True])
def test_callers_that_all_begin_to_wait_at_once_leave_room(
    service: Service, are_kept: bool
) -> None:
    """Also on connections that were opened before, for other requests."""
    with ExitStack() as stack:
        callers = [
            stack.enter_context(closing(HTTPConnection("127.0.0.1", service.port, timeout=60)))
            for _ in range(CONNECTIONS)
        ]
        for caller in callers if are_kept else []:
            caller.request("GET", "/healthz")
            caller.getresponse().read()
        for number, caller in enumerate(callers):
            body = json.dumps(f"+1425555{1000 + number}")
            caller.request("POST", f"{START}/wait?timeout=50", body, HEADERS)
        begun = "SELECT count(*) FROM verification"
        until(lambda: service.rows(begun) == [(CONNECTIONS,)])
        ended = f'"message": "POST {START}/wait 202"'
        assert until(lambda: service.log.read_text().count(ended) >= CONNECTIONS // 10, 5)
        assert [is_served(service) for _ in range(5)] == [True] * 5
