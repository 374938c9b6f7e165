"""An operator who is signed in, without a browser."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.harness import CONSOLE_KEY, Harness


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
