"""Bounds on the bytes that a client sends, and on the time of everything it leaves behind."""

import json
import re
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.harness import FUNCTION_KEY, START, SYSTEM_KEY
from tests.processes.clients import (
    FORM,
    exchange,
    held_open,
    reading_nothing,
    said,
    started,
    unread,
)
from tests.processes.service import Service, memory, until


def is_full_of_answers(service: Service, connections: int) -> bool:
    """Nothing is written for more than a second: a busy machine may hold the service up."""
    before = unread(service)
    if sum(count > 0 for count in before) != connections:
        return False
    for _ in range(4):
        time.sleep(0.3)
        if unread(service) != before:
            return False
    return True


@pytest.mark.parametrize(
    ("path", "status"), [("/healthz", 404), ("/twilio/sms", 400)], ids=["unread", "read"]
)
def test_trailers_without_an_end_are_not_kept(tmp_path: Path, path: str, status: int) -> None:
    """`/healthz` has no POST and reads no body."""
    head = FORM.replace(b"/twilio/sms", path.encode()) + b"Transfer-Encoding: chunked\r\n\r\n"
    with started(tmp_path) as service:
        connection = socket.create_connection(("127.0.0.1", service.port), timeout=10)
        with connection:
            connection.sendall(head + b"0\r\nX: " + b"a" * 60_000)
            answers = re.findall(rb"HTTP/1.1 ([0-9]+)", said(connection))
            assert answers == [str(status).encode()]


def test_chunks_of_one_byte_are_bounded_by_what_they_take(tmp_path: Path) -> None:
    head = FORM + b"Transfer-Encoding: chunked\r\n\r\n"
    with started(tmp_path) as service:
        sent = head + b"1\r\na\r\n" * 20_000 + b"0\r\n\r\n"
        assert exchange(service, sent).startswith(b"HTTP/1.1 403"), "the signature is wrong"
        assert service.cut()["long"] == 0
        sent = head + b"1\r\na\r\n" * 60_000 + b"0\r\n\r\n"
        assert exchange(service, sent).startswith(b"HTTP/1.1 400")
        assert service.cut()["long"] == 1


@pytest.mark.timed
def test_many_bodies_that_stall_take_little_memory(tmp_path: Path) -> None:
    with ExitStack() as stack:
        service = stack.enter_context(started(tmp_path))
        (process,) = service.processes
        before = memory(process)
        body = FORM + b"Content-Length: 65536\r\n\r\n" + b"a" * 65_500
        stack.enter_context(held_open(service, [body] * 1500))
        assert until(lambda: service.cut()["crowded"] >= 900)
        assert memory(process) - before < 200
        began = time.monotonic()
        assert service.is_ready()
        assert time.monotonic() - began < 1


def waiting_caller(service: Service, phone: str) -> socket.socket:
    body = json.dumps(phone).encode()
    head = f"POST {START}/wait?timeout=60 HTTP/1.1\r\nHost: x\r\nx-functions-key: {FUNCTION_KEY}"
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    connection.sendall(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def test_callers_that_stop_waiting_leave_their_places(tmp_path: Path) -> None:
    with started(tmp_path, CONNECTIONS="20", WINDOW_SECONDS="600") as service:
        service.http.close()
        phones = [f"+1425555{number:04}" for number in range(200, 216)]
        callers = [waiting_caller(service, phone) for phone in phones]
        until(lambda: all(service.texts(phone) for phone in phones))
        for caller in callers:
            caller.close()
        over = f'"message": "POST {START}/wait 202"'
        assert until(lambda: service.log.read_text().count(over) == len(phones), 15), "not sixty"


LONG = b"x" * 400_000
BODY = b"Content-Length: 600000\r\n\r\n" + b"x" * 600_000


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /" + LONG + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "address_too_long"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + LONG + b"\r\n\r\n", 431, "headers_too_large"),
        (FORM + BODY, 413, "body_too_large"),
        (FORM + b"Connection: close\r\n" + BODY, 413, "body_too_large"),
        ("GET /?reason=Größe HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 400, "invalid_request"),
        (FORM + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, "invalid_request"),
    ],
)
def test_a_client_that_sends_what_is_refused_reads_why(
    tmp_path: Path, sent: bytes, status: int, code: str
) -> None:
    with started(tmp_path) as service:
        answer = exchange(service, sent)
        assert answer.startswith(f"HTTP/1.1 {status}".encode())
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == code


def test_a_client_that_does_not_read_leaves_no_traceback_at_sigterm(tmp_path: Path) -> None:
    ask = f"GET /openapi.json HTTP/1.1\r\nHost: x\r\nx-functions-key: {SYSTEM_KEY}\r\n\r\n"
    with started(tmp_path) as service, reading_nothing(service, ask.encode() * 400, 10):
        (process,) = service.processes
        until(lambda: is_full_of_answers(service, 10))
        assert service.terminate(process) == 0
        log = service.log.read_text()
        assert "10 connections are cut" in log
        assert "Traceback" not in log


def test_all_that_was_cut_is_in_the_log(tmp_path: Path) -> None:
    with started(tmp_path, CONNECTIONS_PER_ADDRESS="20") as service:
        (process,) = service.processes
        service.http.close()
        with held_open(service, [b"G"] * 40):
            until(lambda: "connections: address" in service.log.read_text())
            with held_open(service, [b"G"] * 10) as more:
                for connection in more:
                    with suppress(ConnectionResetError):
                        said(connection)
        until(service.is_ready)
        counted = service.cut()["address"]
        assert counted >= 30
        service.terminate(process)
        logged = re.findall(r"cut ([0-9]+) connections: address", service.log.read_text())
        assert len(logged) >= 2
        assert sum(map(int, logged)) == counted


@pytest.mark.parametrize("end", ["fin", "sigterm"])
def test_a_body_that_breaks_off_starts_nothing(tmp_path: Path, end: str) -> None:
    """A cut request may look like a whole one."""
    half = (
        f"POST {START} HTTP/1.1\r\nHost: x\r\nx-functions-key: {FUNCTION_KEY}\r\n"
        'Content-Length: 100\r\n\r\n"+14255550188"'
    )
    with started(tmp_path) as service, held_open(service, [half.encode()]) as (connection,):
        (process,) = service.processes
        if end == "fin":
            connection.shutdown(socket.SHUT_WR)
            assert said(connection).startswith(b"HTTP/1.1 400")
        else:
            assert service.terminate(process) == 0
        assert service.rows("SELECT id FROM verification") == []


@pytest.mark.parametrize("size", [65_535, 65_536])
def test_an_unread_body_of_the_bound_keeps_the_connection(tmp_path: Path, size: int) -> None:
    one = b"POST /healthz HTTP/1.1\r\nHost: x\r\n"
    chunked = one + f"Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n".encode() + b"a" * size
    measured = one + f"Content-Length: {size}\r\n\r\n".encode() + b"a" * size
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with started(tmp_path) as service:
        answers = exchange(service, chunked + b"\r\n0\r\n\r\n" + measured + last)
        assert re.findall(rb"HTTP/1.1 ([0-9]+)", answers) == [b"404", b"404", b"200"]


@pytest.mark.parametrize("size", [65_537, 300_000])
def test_an_answer_says_that_an_unread_body_will_close_the_connection(
    tmp_path: Path, size: int
) -> None:
    """Otherwise the client sends its next request on a connection that is gone."""
    measured = f"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode()
    with started(tmp_path) as service:
        answer = exchange(service, measured + b"a" * size)
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"\r\nconnection: close\r\n" in answer.lower()


def test_half_sent_bodies_shut_nobody_out(tmp_path: Path) -> None:
    """As many as there may be connections, all of them of forms that never come."""
    head = f"POST /twilio/sms HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: {'a' * 27}=\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n"
    service = Service(tmp_path, CONNECTIONS="50", CONNECTIONS_PER_ADDRESS="0")
    try:
        service.start()
        service.http.close()
        with held_open(service, [(head + form).encode()] * 50):
            until(service.is_ready, 10)  # two seconds after they began to stall
            assert service.cut()["crowded"] > 0
    finally:
        service.close()


@pytest.mark.parametrize("path", ["/openapi.json", "/console/static/console.css"])
def test_clients_that_read_nothing_shut_nobody_out(tmp_path: Path, path: str) -> None:
    """As many as there may be connections, each with many requests."""
    ask = f"GET {path} HTTP/1.1\r\nHost: x\r\nx-functions-key: {SYSTEM_KEY}\r\n\r\n"
    service = Service(tmp_path, CONNECTIONS="50", CONNECTIONS_PER_ADDRESS="0")
    try:
        service.start()
        service.http.close()
        with reading_nothing(service, ask.encode() * 100, 50):
            until(service.is_ready, 15)  # two seconds after they are full
            assert service.cut()["crowded"] > 0
        assert "Traceback" not in service.log.read_text()
    finally:
        service.close()


@pytest.mark.parametrize(
    "sent",
    [b"Content-Length: 100\r\n\r\nFrom=a", b"Transfer-Encoding: chunked\r\n\r\n20\r\nFrom=a"],
    ids=["short", "short chunk"],
)
def test_a_body_that_breaks_off_is_refused_with_a_body(tmp_path: Path, sent: bytes) -> None:
    with started(tmp_path) as service:
        head, _, body = exchange(service, FORM + sent).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400")
        assert json.loads(body)["code"] == "invalid_request"
