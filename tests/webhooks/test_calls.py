"""A call to an endpoint ends at its deadline, whatever the receiver or the resolver does."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bot.domain.webhook_response import WebhookResult
from bot.webhooks import client as client_module
from tests.webhooks.listener import accepting, client, listening, post, read_event

DEAD = "https://dead.example.com/"


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

    def stays(connection: socket.socket) -> None:
        behave(connection)
        is_over.wait(10)

    with accepting(stays) as url:
        assert post(url).result is result
        is_over.set()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("99999", 3600),
        ("1.5", 1.5),
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


def test_the_longest_of_several_retry_after_counts() -> None:
    """A proxy may add its own."""

    def refuse(connection: socket.socket) -> None:
        connection.recv(65536)
        waits = b"Retry-After: 60\r\nRetry-After: 120\r\nRetry-After: 1\r\n"
        connection.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n" + waits + b"\r\n")

    with accepting(refuse) as url:
        assert post(url).retry_after_seconds == 120


def test_a_kept_connection_that_the_receiver_closes_costs_no_try() -> None:
    """A server closes what was idle for some seconds, perhaps as the next event goes out."""
    unanswered: list[bytes] = []

    def answer_once(connection: socket.socket) -> None:
        read_event(connection)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        unanswered.append(read_event(connection))

    with accepting(answer_once) as url:
        made = client()
        for number in range(3):
            assert made.post(url, f"msg_{number}", "{}").result is WebhookResult.DELIVERED
        assert len(unanswered) == 2


def test_a_new_connection_that_the_receiver_closes_does() -> None:
    called: list[bytes] = []
    with accepting(lambda connection: called.append(read_event(connection))) as url:
        assert post(url).result is WebhookResult.UNREACHABLE
    assert len(called) == 1


def test_a_name_that_hangs_holds_up_no_other_host(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over, hanging = threading.Event(), []
    resolve = socket.getaddrinfo

    def hangs(host: str, *args: Any, **more: Any) -> Any:
        if host == "dead.example.com" and not more.get("flags"):
            hanging.append(host)
            is_over.wait(20)
        return resolve(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    monkeypatch.setattr(client_module, "CALL_SECONDS", 0.3)
    made = client(endpoints=3)
    try:
        with ThreadPoolExecutor(8) as threads:
            calls = [threads.submit(made.post, DEAD, "msg_1", "{}") for _ in range(8)]
            assert {call.result().result for call in calls} == {WebhookResult.TIMEOUT}
        assert len(hanging) == 2, "its share of the look-ups"
        monkeypatch.setattr(client_module, "CALL_SECONDS", 10)
        with listening() as listener:
            url = f"http://localhost:{listener.port}/"
            assert made.post(url, "msg_2", "{}").result is WebhookResult.DELIVERED
    finally:
        is_over.set()
