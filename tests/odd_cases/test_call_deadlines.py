"""One deadline bounds a whole call to Twilio, however slow the network and the answer are."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from bot.channels.gateway import Postponed, Unknown
from bot.outbound import bounded
from tests.harness import Harness
from tests.odd_cases.gateways import gateway, listener, send


def dribble(connection: socket.socket) -> None:
    """An answer of a byte at a time: no timeout of a single read ends it."""
    with suppress(OSError):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.1)


def dribble_headers(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.recv(65536)
        for _ in range(100):
            connection.sendall(b"H")
            time.sleep(0.1)


@pytest.mark.timed
@pytest.mark.parametrize("serve", [dribble, dribble_headers, lambda connection: time.sleep(5)])
def test_an_answer_that_dribbles_is_cut_at_the_deadline(serve: Any) -> None:
    with listener(serve) as port:
        result, seconds = send(gateway(port))
    assert isinstance(result, Unknown)
    assert seconds < 4, "the deadline is half a second, the answer takes five or more"


@pytest.mark.timed
def test_silent_addresses_leave_time_for_one_that_answers(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six that never answer, then a good one: within the call's time, and one text."""
    port = int(harness.simulator.url.rpartition(":")[2])
    with silent_address() as silent:
        good = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        monkeypatch.setattr(bounded, "resolve", lambda *_: [silent] * 6 + [good])
        result, seconds = send(gateway(port, seconds="2"))
        assert type(result).__name__ == "Accepted"
        assert seconds < 2
        monkeypatch.setattr(bounded, "resolve", lambda *_: [silent] * 6)
        result, seconds = send(gateway(port, seconds="0.6"))
        assert result == Postponed(None), "nothing was written"
        assert seconds < 1


@contextmanager
def silent_address() -> Iterator[tuple[Any, ...]]:
    """A listener whose queue is full: further connections get no answer."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        with suppress(BlockingIOError):
            filler.connect(server.getsockname())
        fillers.append(filler)
    try:
        yield (socket.AF_INET, socket.SOCK_STREAM, 6, "", server.getsockname())
    finally:
        for opened in (*fillers, server):
            opened.close()


def test_a_resolver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def hang(host: str, *args: Any, **more: Any) -> Any:
        if more.get("flags"):
            return look_up(host, *args, **more)
        time.sleep(3)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    made = gateway(1)
    made.client.http_client.base_url = "http://twilio.invalid:1"
    result, seconds = send(made)
    assert result == Postponed(None)
    assert seconds < 2.5, "the resolver takes three"


def test_nothing_is_written_once_the_lease_is_over(harness: Harness) -> None:
    """A process that was paused between its claim and its call."""
    port = int(harness.simulator.url.rpartition(":")[2])
    result, _ = send(gateway(port), until=time.monotonic() - 0.001)
    assert result == Postponed(None)
    assert harness.texts() == []


def test_a_deadline_of_a_send_bounds_no_later_call(harness: Harness) -> None:
    made = gateway(int(harness.simulator.url.rpartition(":")[2]))
    send(made, until=time.monotonic() - 0.001)
    made.check()


def test_a_lease_that_ran_out_before_the_call_hands_the_text_back(harness: Harness) -> None:
    id = harness.start()["id"]
    send = harness.dispatcher.send
    (claim,) = send.claim(1)
    send.monotonic = lambda: claim.asked_at + 100
    send.carry_out(claim)
    assert harness.texts() == []
    assert harness.view(id).text.state == "queued"


def test_nothing_is_sent_after_its_time(harness: Harness) -> None:
    """A process that was halted between its claim and its call, within its lease."""
    id = harness.start()["id"]
    harness.clock.forward(59)
    send = harness.dispatcher.send
    (claim,) = send.claim(1)
    harness.clock.forward(2)
    send.monotonic = lambda: claim.asked_at + 2
    send.carry_out(claim)
    harness.run_once()
    assert harness.texts() == []
    assert harness.status(id)["customStatus"]["cause"] == "send_given_up"


FRAMINGS = {
    "kept": b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n",
    "closed": b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n",
    "old": b"HTTP/1.0 201 Created\r\nContent-Length: 1000\r\n\r\n",
    "without a length": b"HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n",
    "in chunks": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a fault": b"HTTP/1.1 503 Away\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n",
}


@pytest.mark.parametrize("framing", FRAMINGS)
def test_the_deadline_holds_however_an_answer_is_framed(framing: str) -> None:
    def serve(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.recv(65536)
            connection.sendall(FRAMINGS[framing])
            for _ in range(50):
                connection.sendall(b"1\r\nx\r\n" if framing == "in chunks" else b"x")
                time.sleep(0.1)

    with listener(serve) as port:
        result, seconds = send(gateway(port))
    assert isinstance(result, Unknown)
    assert seconds < 4, "the deadline is half a second, the answer takes five or more"
