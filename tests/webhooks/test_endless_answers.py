"""A receiver that never stops sending ends its own call, and holds up nothing else."""

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from urllib3.exceptions import HTTPError

from bot.channels.twilio.http import PooledHttpClient
from bot.domain.webhook_response import WebhookResult
from bot.outbound import answers
from tests.harness import PHONE, WEBHOOK_SECRET
from tests.processes.service import Service, until
from tests.webhooks.listener import post

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FLOODS = {
    "informational answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
    "trailers": (CHUNKED + b"0\r\n", b"X: y\r\n" * 1000),
    "extensions of chunks": (CHUNKED, b"1;" + b"x" * 60_000 + b"\r\na\r\n"),
    "chunks": (CHUNKED, b"1\r\na\r\n" * 1000),
}


@contextmanager
def flooding(begin: bytes, piece: bytes) -> Iterator[str]:
    """The address of a receiver that sends without end."""
    server = socket.create_server(("127.0.0.1", 0))

    def flood(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(begin)
                while True:
                    connection.sendall(piece)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=flood, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


@pytest.mark.parametrize("name", FLOODS)
def test_its_call_ends_long_before_its_deadline(name: str) -> None:
    with flooding(*FLOODS[name]) as url:
        began = time.monotonic()
        answer = post(url)
        assert time.monotonic() - began < 5
    status = None if name in ("informational answers", "headers") else 200
    assert answer.status == status
    assert (answer.result is WebhookResult.DELIVERED) is (status == 200)


def test_the_web_process_goes_on(tmp_path: Path) -> None:
    with flooding(*FLOODS["informational answers"]) as url:
        service = Service(tmp_path, WEBHOOK_URLS=url, WEBHOOK_SECRET=WEBHOOK_SECRET)
        service.start()
        try:
            service.begin(PHONE)
            service.simulator.webhooks.receive(PHONE, service.code(PHONE))
            tries = "SELECT tries FROM webhook_event"
            until(lambda: service.rows(tries) == [(1,)], 10)
            assert service.is_ready()
        finally:
            service.close()


def test_a_body_without_end_ends_a_call_to_twilio() -> None:
    with flooding(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536) as url:
        client = PooledHttpClient(url.removesuffix("/hook"), timeout=8.0, connections=1)
        began = time.monotonic()
        with pytest.raises(HTTPError, match="too long"):
            client.request("GET", "https://api.twilio.com/2010-04-01/Accounts.json")
        assert time.monotonic() - began < 5


class Sent:
    """Stands in for a socket: what a server has sent already."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(self._data))


CHUNKS = CHUNKED + b"1\r\na\r\n" * 1000 + b"0\r\n\r\n"


def test_an_answer_of_many_pieces_is_read_in_turns_with_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns: list[None] = []
    monkeypatch.setattr(answers, "yield_control", lambda: turns.append(None))
    response = answers.response_class(lambda: 1.0)(Sent(CHUNKS))
    response.begin()
    assert response.read() == b"a" * 1000
    assert len(turns) > 30


def test_reading_ends_at_the_deadline_though_everything_is_there() -> None:
    left = iter([1.0] * 100)
    response = answers.response_class(lambda: next(left, 0.0))(Sent(CHUNKS))
    response.begin()
    with pytest.raises(answers.Endless, match="the deadline passed"):
        response.read()
