"""An HTTP server on loopback that counts what reaches it, and the client that posts to it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bot.domain.webhook_response import WebhookResponse
from bot.webhooks.client import WebhookClient
from tests.harness import WEBHOOK_SECRET


class Listener:
    """An HTTP server on loopback that counts what reaches it."""

    def __init__(self, status: int = 204, headers: dict[str, str] | None = None) -> None:
        self.seen: list[dict[str, str]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                listener.seen.append(dict(self.headers))
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@contextmanager
def listening(**more: Any) -> Iterator[Listener]:
    listener = Listener(**more)
    try:
        yield listener
    finally:
        listener.close()


@contextmanager
def accepting(behave: Callable[[socket.socket], object]) -> Iterator[str]:
    """The address of a server that hands each connection to `behave`, in a thread of its own."""

    def run(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            behave(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=run, args=(server.accept()[0],)).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            server.shutdown(socket.SHUT_RDWR)  # wakes `accept`
            thread.join()


def read_event(connection: socket.socket) -> bytes:
    """A request with the body {}, which may arrive after the head; less if it was closed."""
    received = b""
    while not received.endswith(b"{}") and (more := connection.recv(65536)):
        received += more
    return received


def client(*, allows_private: bool = False, own_port: int = 1, endpoints: int = 1) -> WebhookClient:
    return WebhookClient(
        [WEBHOOK_SECRET],
        allows_private=allows_private,
        own_port=own_port,
        endpoints=endpoints,
        clock=lambda: datetime.now(UTC),
    )


def post(url: str, **more: Any) -> WebhookResponse:
    return client(**more).post(url, "msg_1", "{}")
