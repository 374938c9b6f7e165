"""A call to an endpoint ends at its deadline, whatever the receiver or the resolver does."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from urllib3.exceptions import ConnectTimeoutError

from bot.concurrency.watchdog import Watchdog
from bot.domain.webhook_response import WebhookResult
from bot.outbound import bounded
from bot.outbound.bounded import Call, direct_pool, under_way
from bot.webhooks import client as client_module
from tests.webhooks.listener import listening, post


@pytest.mark.parametrize("host", ["hooks..example.org", f"{'x' * 64}.example.org"])
def test_what_cannot_be_a_host_name_is_unreachable(host: str) -> None:
    assert post(f"https://{host}/x").result is WebhookResult.UNREACHABLE


def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert post(f"http://127.0.0.1:{port}/").result is WebhookResult.UNREACHABLE


def _silent(connection: socket.socket) -> None:
    connection.recv(65536)


def _broken(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
    connection.shutdown(socket.SHUT_RDWR)


def _gone_without_end(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 410 Gone\r\nContent-Length: 1000\r\n\r\n")
    threading.Event().wait(1)


def _without_end(begin: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(begin)
        while True:
            connection.sendall(piece)
            threading.Event().wait(0.05)

    return behave


@pytest.mark.parametrize(
    ("behave", "result"),
    [
        (_silent, WebhookResult.TIMEOUT),
        (_without_end(b"HTTP/1.1 204 No Content\r\n", b"X-More: y\r\n"), WebhookResult.TIMEOUT),
        (_without_end(b"HTTP/1.1 500 Error\r\n\r\n", b"x" * 8192), WebhookResult.REFUSED),
        (_broken, WebhookResult.DELIVERED),
        (_without_end(b"HTTP/1.1 200 OK\r\n\r\n", b"x"), WebhookResult.DELIVERED),
        (_gone_without_end, WebhookResult.GONE),
    ],
)
def test_a_call_ends_at_its_deadline_and_the_status_counts(
    monkeypatch: pytest.MonkeyPatch, behave: Callable[[socket.socket], None], result: WebhookResult
) -> None:
    monkeypatch.setattr(client_module, "CALL_SECONDS", 0.4)
    is_over = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            try:
                behave(connection)
                is_over.wait(10)
            except OSError:
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        assert post(f"http://127.0.0.1:{server.getsockname()[1]}/").result is result
    finally:
        is_over.set()
        server.close()
        thread.join()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("99999", 3600),
        ("soon", 0),
        ("-5", 0),
        ("", 0),
        ("٣", 0),
        (f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT", 0),
    ],
)
def test_retry_after(value: str, seconds: float) -> None:
    headers = {"Retry-After": value.encode().decode("latin-1")}
    with listening(status=503, headers=headers) as listener:
        assert post(f"http://127.0.0.1:{listener.port}/").retry_after_seconds == seconds


def test_names_that_hang_leave_look_ups_to_twilio() -> None:
    with ExitStack() as stack:
        for _ in range(bounded.FOREIGN_LOOK_UPS_AT_ONCE):
            assert bounded.foreign_look_ups.acquire(blocking=False)
            stack.callback(bounded.foreign_look_ups.release)
        with listening() as listener:
            url = f"http://localhost:{listener.port}/"
            monotonic = time.monotonic() + 0.2
            with pytest.raises(ConnectTimeoutError):
                ask(url, Call(monotonic, look_ups=bounded.foreign_look_ups))
            assert ask(url, Call(time.monotonic() + 10)) == 204


def ask(url: str, call: Call) -> int:
    with under_way(call, Watchdog()), direct_pool(retries=False) as pool:
        return pool.request("POST", url).status
