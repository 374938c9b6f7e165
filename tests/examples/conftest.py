"""The example application on a port of its own, beside Textback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from werkzeug.serving import make_server

from tests.browser.conftest import browser, visit
from tests.harness import FUNCTION_KEY, WEBHOOK_SECRET
from tests.ports import free_port

__all__ = ["browser", "visit"]  # fixtures of the tests here too


class Example:
    """Its server starts before the application is made: each of the two needs the other's
    address."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.app: Flask | None = None
        self.settings = {
            "ALLOWED_ORIGINS": self.url,
            "WEBHOOK_URLS": f"{self.url}/webhooks",
            "WEBHOOK_SECRET": WEBHOOK_SECRET,
        }

    def environment(self, textback_url: str, folder: Path) -> dict[str, str]:
        return {
            "PUBLIC_BASE_URL": textback_url,
            "FUNCTION_KEY": FUNCTION_KEY,
            "WEBHOOK_SECRET": WEBHOOK_SECRET,
            "SIGNUP_DATABASE": str(folder / "signup.db"),
        }


@contextmanager
def example() -> Iterator[Example]:
    made = Example(free_port())
    port = int(made.url.rpartition(":")[2])
    server = make_server("127.0.0.1", port, lambda *args: made.app(*args), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
