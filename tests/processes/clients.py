"""Clients that send a part of a request, send slowly, or do not read."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.processes.service import Service


@contextmanager
def held_open(service: Service, sent: list[bytes]) -> Iterator[list[socket.socket]]:
    """A connection for each of these beginnings."""
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
