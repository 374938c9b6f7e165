"""A gateway to a server of one function, and the time that a call takes."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from bot.channels.twilio.client import TwilioGateway
from tests.harness import PHONE, environment


@contextmanager
def listener(serve: Any) -> Iterator[int]:
    """A server of one function for each connection; its port."""
    server = socket.create_server(("127.0.0.1", 0), backlog=16)

    def serve_one(connection: socket.socket) -> None:
        with connection:
            serve(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=serve_one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(server.getsockname()[1])
    finally:
        server.close()


def gateway(port: int, host: str = "127.0.0.1", seconds: str = "0.5") -> TwilioGateway:
    from bot import settings

    values = environment(
        TWILIO_API_BASE_URL=f"http://{host}:{port}", TWILIO_TIMEOUT_SECONDS=seconds
    )
    return TwilioGateway(settings.read(values))


def send(to: TwilioGateway, until: float | None = None) -> tuple[object, float]:
    """The result, and how long it took."""
    began = time.monotonic()
    result = to.send(
        to=PHONE, body="x", validity_seconds=60, text_id="t", until=until or began + 60
    )
    return result, time.monotonic() - began
