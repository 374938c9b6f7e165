"""The example applications on a port of their own, beside Textback, and a person who signs up."""

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from examples.signup.app import create_app
from tests.browser.conftest import browser, visit
from tests.harness import FUNCTION_KEY, WEBHOOK_SECRET, Harness
from tests.harness import harness as open_harness
from tests.ports import free_port

__all__ = ["browser", "visit"]  # fixtures of the tests here too

OTHER = "+14255550124"


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


def rows(folder: Path, sql: str) -> list[Any]:
    """Reads the sign-up form's own database."""
    db = sqlite3.connect(folder / "signup.db")
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


@pytest.fixture
def told(tmp_path: Path) -> Iterator[tuple[Example, Harness]]:
    """The sign-up form, and the harness that tells it outcomes."""
    with example() as made, open_harness(tmp_path, **made.settings) as harness:
        made.app = create_app(made.environment(harness.url, tmp_path))
        yield made, harness


def change(folder: Path, sql: str, *values: str) -> None:
    """Changes the sign-up form's own database."""
    with closing(sqlite3.connect(folder / "signup.db")) as db, db:
        db.execute(sql, values)


class Person:
    """A minimal browser, without JavaScript."""

    def __init__(self, example: Example) -> None:
        assert example.app is not None
        self.client: FlaskClient = example.app.test_client()

    def hidden(self, path: str = "/") -> dict[str, str]:
        page = self.client.get(path).text
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))

    def sign_up(self, number: str = "(425) 555-0123", **more: str) -> Any:
        form = {**self.hidden(), "name": "Ada", "country": "US", "number": number, **more}
        return self.client.post("/", data=form)

    def post(self, path: str, **form: str) -> Any:
        return self.client.post(path, data={**self.hidden("/verify"), **form})

    def verify_page(self) -> str:
        return self.client.get("/verify").text


@pytest.fixture
def person(told: tuple[Example, Harness]) -> Person:
    return Person(told[0])
