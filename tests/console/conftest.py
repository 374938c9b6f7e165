"""Operators who are signed in, without a browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.store.audit import AuditFilter
from bot.usecases import audit
from tests.harness import CONSOLE_KEY, Harness
from tests.harness import harness as open_harness

ALICE, BOB, CAROL = "alice-key-0123456789", "bob-key-abcdefghijk", "carol-key-mnopqrstuv"
KEYS = {"CONSOLE_KEY": f"alice:{ALICE},bob:{BOB}", "CONSOLE_VIEWER_KEY": f"carol:{CAROL}"}


class Operator:
    """A visitor of the console who keeps cookies and takes the token out of each page."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **more) -> TestResponse:
        return self.client.get(path, **more)

    def token(self, path: str = "/console/") -> str:
        page = self.client.get(path, follow_redirects=True)
        found = re.search(r'name="token" value="([^"]+)"', page.text)
        assert found
        return found[1]

    def post(self, path: str, **fields: str) -> TestResponse:
        return self.client.post(path, data={"token": self.token(), **fields})

    def sign_in(self, key: str = CONSOLE_KEY, **fields: str) -> TestResponse:
        return self.post("/console/sign-in", key=key, **fields)


@pytest.fixture
def visitor(harness: Harness) -> Operator:
    return Operator(harness.app.test_client())


@pytest.fixture
def operator(visitor: Operator) -> Operator:
    assert visitor.sign_in().status_code == 303
    return visitor


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Harness]:
    """A console that Alice and Bob share, and Carol views."""
    with open_harness(tmp_path, **KEYS) as harness:
        yield harness


def signed_in(harness: Harness, key: str) -> Operator:
    operator = Operator(harness.app.test_client())
    assert operator.sign_in(key).status_code == 303
    return operator


def lines(harness: Harness) -> list[tuple[str, str]]:
    """Operators and their actions, the oldest first."""
    found = harness.store.read(audit.lines, AuditFilter(limit=1000))
    return [(line.entry.operator, line.entry.action.value) for line in reversed(found)]
