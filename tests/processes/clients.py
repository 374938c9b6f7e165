"""Clients of one of several processes, and clients that send a part of a request, send slowly, or
do not read."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import requests
from twilio.request_validator import RequestValidator

from simulator.world import new_sid
from tests.harness import ACCOUNT, NUMBER
from tests.processes.service import Process, Service, children, until


def new_client() -> requests.Session:
    """A client with a persistent connection of its own."""
    made = requests.Session()
    made.trust_env = False
    return made


@contextmanager
def halted(pid: int) -> Iterator[None]:
    """The process stands still; its connections stay open, and it accepts none."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def pair(service: Service, process: Process) -> list[int] | None:
    """The two web processes, once both are ready."""
    log = service.log.read_text()
    pids = [pid for pid in children(process) if f"process {pid} is ready" in log]
    return pids if len(pids) == 2 else None


@contextmanager
def clients_of_each(
    service: Service, process: Process, count: int
) -> Iterator[list[list[requests.Session]]]:
    """For each of two web processes, `count` clients whose connections it has accepted."""
    one, other = until(lambda: pair(service, process))
    with ExitStack() as stack:
        made = [[stack.enter_context(new_client()) for _ in range(count)] for _ in range(2)]
        for stopped, clients in ((other, made[0]), (one, made[1])):
            with halted(stopped):
                for client in clients:
                    assert client.get(f"{service.url}/healthz", timeout=20).ok
        yield made


def reply(client: requests.Session, service: Service, phone: str, body: str, sid: str = "") -> str:
    """Posts a signed reply. Returns the answer."""
    form = {"MessageSid": sid or new_sid("SM"), "From": phone, "To": NUMBER, "Body": body}
    url = f"{service.url}/twilio/sms"
    signature = RequestValidator(ACCOUNT.auth_token).compute_signature(url, form)
    headers = {"X-Twilio-Signature": signature}
    response = client.post(url, data=form, headers=headers, timeout=30)
    assert response.status_code == 200, response.status_code
    return response.text


@contextmanager
def held_open(service: Service, sent: list[bytes]) -> Iterator[list[socket.socket]]:
    """Opens a connection for each of these partial requests."""
    opened: list[socket.socket] = []
    try:
        for beginning in sent:
            connection = socket.create_connection(("127.0.0.1", service.port), timeout=10)
            connection.sendall(beginning)
            opened.append(connection)
        yield opened
    finally:
        for connection in opened:
            connection.close()


@contextmanager
def dribbling(service: Service, count: int) -> Iterator[None]:
    """Connections that send a byte of a head each second."""
    is_over = threading.Event()
    with held_open(service, [b"G"] * count) as opened:

        def dribble() -> None:
            while not is_over.wait(1.0):
                for connection in opened:
                    with suppress(OSError):
                        connection.sendall(b"x")

        thread = threading.Thread(target=dribble)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()


def unread(service: Service) -> list[int]:
    """Bytes that the client of each connection has not taken."""
    return [sent for sent, _ in _queues(service)]


def unanswered(service: Service) -> list[int]:
    """Bytes of the client of each connection that the service has not taken."""
    return [received for _, received in _queues(service)]


def _queues(service: Service) -> list[tuple[int, int]]:
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()]
    ours = [row for row in rows if row[1].endswith(f":{service.port:04X}") and row[3] == "01"]
    queues = [row[4].split(":") for row in ours]
    return [(int(sent, 16), int(received, 16)) for sent, received in queues]


FORM = (
    b"POST /twilio/sms HTTP/1.1\r\nHost: x\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
    b"X-Twilio-Signature: " + b"x" * 27 + b"=\r\n"
)


PROMPT_SECONDS = 8  # other tests share the cores


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[Service]:
    service = Service(folder, **{"CONNECTIONS_PER_ADDRESS": "0", **settings})
    try:
        service.start()
        yield service
    finally:
        service.close()


@contextmanager
def reading_nothing(service: Service, sent: bytes, count: int) -> Iterator[None]:
    """Opens as many connections, sends this on each as far as the service lets it, and reads
    none of the answers."""
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", service.port))
            connection.setblocking(False)
            with suppress(OSError):
                connection.send(sent)
        yield


def said(connection: socket.socket, seconds: float = PROMPT_SECONDS) -> bytes:
    """Reads everything that is answered until the connection is closed."""
    connection.settimeout(seconds)
    found = b""
    while data := connection.recv(65536):
        found += data
    return found


def exchange(service: Service, sent: bytes) -> bytes:
    """Sends everything, as far as the service lets it, then returns the answer."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        with suppress(OSError):
            connection.sendall(sent)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        return said(connection)
