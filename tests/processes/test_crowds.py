"""Crowds of clients that are answered and do not go: they shut nobody out, and hold nobody up."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.processes.clients import FORM, exchange, held_open, reading_nothing, started

OK = b"HTTP/1.0 200"


def test_answered_clients_with_a_body_to_send_shut_nobody_out(tmp_path: Path) -> None:
    """As many as there may be connections, each answered before its body, and renewed at once."""
    sent = b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    with started(tmp_path, CONNECTIONS="50") as service:
        service.http.close()
        for _ in range(3):
            with held_open(service, [sent] * 50) as opened:
                for connection in opened[:50]:
                    with suppress(OSError):
                        connection.recv(12)
                assert exchange(service, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(OK)
        assert service.cut()["refused"] == 0


@pytest.mark.timed
def test_many_clients_that_pipeline_hold_nobody_up(tmp_path: Path) -> None:
    """They do not even read. By turns of one request each, a reply took seconds."""
    ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2000
    with started(tmp_path) as service, reading_nothing(service, ask, 600):
        time.sleep(0.5)  # each has begun
        seconds = []
        for _ in range(5):
            began = time.monotonic()
            assert exchange(service, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(OK)
            seconds.append(time.monotonic() - began)
        assert min(seconds) < 0.1, seconds


@pytest.mark.timed
def test_many_bodies_of_tiny_chunks_hold_nobody_up(tmp_path: Path) -> None:
    """Parsing one takes a tenth of a second, and others must not wait for a turn of each."""
    body = FORM + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 30_000
    with started(tmp_path) as service, ExitStack() as stack:
        service.http.close()
        for _ in range(150):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            connection.setblocking(False)
            with suppress(OSError):
                connection.send(body)
        ask = b"GET /healthz HTTP/1.0\r\n\r\n"
        assert exchange(service, ask).startswith(OK)  # once the first part of each is parsed
        began = time.monotonic()
        for _ in range(5):
            assert exchange(service, ask).startswith(OK)
        assert time.monotonic() - began < 2


def test_a_large_form_does_not_wait_until_all_before_it_are_through(tmp_path: Path) -> None:
    """Whose turn is over goes behind those that wait, so a form needs four turns of each, not the
    twelve that a body of tiny chunks may take."""
    body = FORM + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 40_000
    form = FORM + b"Content-Length: 60000\r\n\r\n" + b"x" * 60_000
    count = 60
    with started(tmp_path) as service, ThreadPoolExecutor(count) as pool:
        for _ in range(count):
            pool.submit(exchange, service, body)
        time.sleep(0.5)
        assert exchange(service, form).startswith(b"HTTP/1.1 403")
        assert service.cut()["long"] < count / 2
