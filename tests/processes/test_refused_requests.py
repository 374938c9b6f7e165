"""Requests that never reach a view: each is answered with a body, counted and logged. Also what a
client leaves unread, or sends behind a request."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from bot.server.connection import Connection, State
from bot.server.connections import Connections
from tests.harness import SYSTEM_KEY
from tests.processes.clients import FORM, exchange, started
from tests.processes.service import Service

AS_SYSTEM = {"Authorization": f"Bearer {SYSTEM_KEY}"}


def lines(service: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.log.read_text().splitlines() if line[:1] == "{"]


def refused(service: Service, code: str) -> float:
    text = service.http.get(f"{service.url}/metrics", headers=AS_SYSTEM, timeout=10).text
    found = re.search(rf'textback_refusals_total\{{code="{code}"\}} ([0-9.]+)', text)
    return float(found[1]) if found else 0.0


def test_a_request_that_gunicorn_refuses_reads_why(tmp_path: Path) -> None:
    """It has a body, and is refused before the application sees it."""
    head = b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n"
    with started(tmp_path) as service:
        assert exchange(service, head + b"hello").startswith(b"HTTP/1.1 400")
        (line,) = [one for one in lines(service) if "answered a request" in one["message"]]
        assert line["client"] == "127.0.0.1"
        assert refused(service, "invalid_request") == 1


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /healthz HTTP/1.1\r\nHost: a..b\r\n\r\n",
        FORM + b"Transfer-Encoding: chunked\r\n\r\nx\r\n",
    ],
    ids=["a host that can be no name", "a body that is not valid"],
)
def test_one_that_flask_refuses_reads_why(tmp_path: Path, request_bytes: bytes) -> None:
    with started(tmp_path) as service:
        answer = exchange(service, request_bytes)
        assert answer.startswith(b"HTTP/1.1 400")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "invalid_request"
        assert refused(service, "invalid_request") == 1


def test_answers_that_nobody_reads_take_little_of_the_system(tmp_path: Path) -> None:
    ask = f"GET /openapi.json HTTP/1.1\r\nHost: x\r\nx-functions-key: {SYSTEM_KEY}\r\n\r\n"
    with started(tmp_path) as service, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", service.port))
        connection.sendall(ask.encode() * 100)
        for _ in range(60):  # it takes turns with each
            service.http.get(f"{service.url}/healthz", timeout=5)
        answered = [line for line in lines(service) if line.get("path") == "/openapi.json"]
        assert 1 <= len(answered) <= 10


def test_a_head_that_begins_behind_a_request_has_its_deadline(tmp_path: Path) -> None:
    connections = Connections(most=1, of_one_address=0, keepalive=5, cut=lambda _: None)
    connection = Connection(connections)
    connection.begin_waiting(has_begun=True)
    assert connection.state is State.HEAD
    connection.close()


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/x/healthz", "SCRIPT_NAME: /x"),
        ("//evil.example/console/", "SCRIPT_NAME: //evil.example"),
        ("/nothing", "PATH_INFO: /healthz"),
    ],
)
def test_no_header_of_a_client_changes_the_path(tmp_path: Path, path: str, header: str) -> None:
    """Though it comes from this machine, as from a proxy."""
    ask = f"GET {path} HTTP/1.1\r\nHost: x\r\n{header}\r\nConnection: close\r\n\r\n"
    with started(tmp_path) as service:
        assert exchange(service, ask.encode()).startswith(b"HTTP/1.1 404")


def test_a_number_in_place_of_the_method_is_masked(tmp_path: Path) -> None:
    ask = b"+14255550177 /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with started(tmp_path) as service:
        exchange(service, ask)
        methods = [one["method"] for one in lines(service) if "method" in one]
        assert methods[-1] == "*****"
        assert "4255550177" not in service.log.read_text()
