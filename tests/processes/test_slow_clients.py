"""Nothing that a client does on a connection holds up another."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import SOAK
from tests.harness import PHONE, SYSTEM_KEY
from tests.processes.clients import dribbling, held_open
from tests.processes.service import Service, memory, until

SLOW = 1000 if SOAK > 1 else 400
HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half:"
NO_BODY = b"POST /twilio/sms HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
HALF_A_FORM = (
    b"POST /twilio/sms HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
    b"X-Twilio-Signature: " + b"x" * 27 + b"=\r\n\r\nBody="
)
# Seconds for an answer. By itself it takes well under one; other tests share the cores. It stays
# below the time after which the service cuts a silent client, which would free a held worker.
PROMPT = 8


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path, CONNECTIONS_PER_ADDRESS="0")
    yield made
    made.close()


def begin(service: Service, phone: str = PHONE) -> str:
    id = service.begin(phone)
    until(lambda: service.texts(phone))
    until(lambda: service.status(id)["runtimeStatus"] == "Running")
    return id


def answer(service: Service, phone: str = PHONE) -> float:
    """Texts the right code. Returns the seconds until the answer."""
    code = service.code(phone)
    began = time.monotonic()
    assert "Thank you" in service.simulator.webhooks.receive(phone, code).body
    return time.monotonic() - began


@pytest.mark.parametrize("beginning", [HALF_A_HEAD, NO_BODY, HALF_A_FORM, b"", b"\r\n\r\n"])
def test_forty_half_sent_requests_hold_nobody_up(service: Service, beginning: bytes) -> None:
    service.start()
    id = begin(service)
    with held_open(service, [beginning] * 40):
        assert answer(service) < PROMPT
        assert service.status(id)["output"] is True


@pytest.mark.timed
def test_a_thousand_half_sent_and_a_thousand_that_dribble(service: Service) -> None:
    process = service.start()
    phones = [f"+142555503{number:02}" for number in range(24)]
    ids = [begin(service, phone) for phone in phones]
    before = memory(process)
    halves = [HALF_A_HEAD] * (SLOW // 2) + [HALF_A_FORM] * (SLOW // 2)
    with held_open(service, halves), dribbling(service, SLOW):
        times = []
        for phone in phones:
            times.append(answer(service, phone))
            time.sleep(0.5)
        grown = memory(process) - before
        # All are answered within a second on an idle machine; on a busy one, most are.
        assert sorted(times)[len(times) * 9 // 10] < 1, times
        assert max(times) < 5, times
        assert grown < 200, f"{grown} MiB"
        counted = until(lambda: (c := service.cut())["head"] >= SLOW * 3 // 2 and c, 15)
    assert all(service.status(id)["output"] is True for id in ids)
    assert counted["crowded"] == counted["refused"] == 0
    assert service.terminate(process) == 0  # it logs what it has counted since its last line
    log = service.log.read_text()
    assert "connections: head" in log
    assert "Traceback" not in log


def test_a_head_and_a_body_have_their_deadlines(service: Service) -> None:
    service.start()
    began = time.monotonic()
    with held_open(service, [HALF_A_HEAD, HALF_A_FORM]) as (head, body):
        for connection in (head, body):
            connection.settimeout(30)
        assert head.recv(100) == b""
        assert 9 < time.monotonic() - began < 12
        assert body.recv(100)[:12] in (b"HTTP/1.1 400", b"")
        assert 19 < time.monotonic() - began < 22
    assert service.cut() | {"head": 1, "body": 1} == service.cut()


def test_one_address_has_its_bound(tmp_path: Path) -> None:
    service = Service(tmp_path, CONNECTIONS_PER_ADDRESS="20")
    try:
        service.start()
        service.http.close()
        with held_open(service, [HALF_A_HEAD] * 60) as opened:
            closed = 0
            for connection in opened:
                connection.settimeout(0.2)
                try:
                    closed += connection.recv(10) == b""
                except ConnectionResetError:
                    closed += 1
                except TimeoutError:
                    continue
            assert closed >= 40
        until(lambda: service.cut()["address"] >= 40)
    finally:
        service.close()


def test_those_that_wait_make_room_for_new_ones(tmp_path: Path) -> None:
    service = Service(tmp_path, CONNECTIONS="50", CONNECTIONS_PER_ADDRESS="0")
    try:
        service.start()
        whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        with held_open(service, [whole] * 120) as opened:
            for connection in opened:
                connection.settimeout(5)
                assert connection.recv(12) == b"HTTP/1.1 200"
            assert service.is_ready()
        until(lambda: service.cut()["crowded"] >= 70)
        assert service.cut()["refused"] == 0
    finally:
        service.close()


def test_a_client_that_never_reads_holds_nobody_up(service: Service) -> None:
    service.start()
    id = begin(service)
    ask = (
        f"GET /openapi.json HTTP/1.1\r\nHost: x\r\nx-functions-key: {SYSTEM_KEY}\r\n\r\n"
    ).encode()
    with held_open(service, [ask * 50] * 30):
        assert answer(service) < PROMPT
        assert service.status(id)["output"] is True


def test_sigterm_with_half_sent_requests_open(service: Service) -> None:
    process = service.start()
    with held_open(service, [HALF_A_HEAD] * 30 + [HALF_A_FORM] * 30), dribbling(service, 30):
        began = time.monotonic()
        assert service.terminate(process) == 0
        assert time.monotonic() - began < 10


@pytest.mark.timed
def test_a_client_that_floods_holds_nobody_up(service: Service) -> None:
    """Bytes that are always ready: an endless body to a route that reads none, and long heads."""
    service.start()
    id = begin(service)
    body = b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    is_over = threading.Event()

    def flood(beginning: bytes) -> None:
        while not is_over.is_set():
            with suppress(OSError), held_open(service, [beginning]) as (connection,):
                while not is_over.is_set():
                    connection.sendall(b"x" * 65536)

    threads = [threading.Thread(target=flood, args=(b,)) for b in (body, HALF_A_HEAD)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.5)
        assert max(answer(service), *[healthy(service) for _ in range(20)]) < PROMPT
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert service.status(id)["output"] is True
    assert "Traceback" not in service.log.read_text()


def healthy(service: Service) -> float:
    began = time.monotonic()
    assert service.is_ready()
    return time.monotonic() - began
