"""Textback with the terms that forms for Verify expect, and Twilio's own client, changed by nothing
but the lines of docs/verify.md. All traffic is held against Twilio's description."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.harness import FUNCTION_KEY, PHONE, Harness
from tests.harness import harness as open_harness
from tests.verify.description import complaints
from tests.verify.page import snippet
from tests.verify.traffic import Exchange, Recorder

FORMS = {"CODE_LENGTH": "6", "WINDOW_SECONDS": "600", "MAX_ATTEMPTS": "5", "MAX_SENDS": "5"}


def client_of(url: str, key: str = FUNCTION_KEY) -> Client:
    names: dict[str, Any] = {}
    exec(compile(snippet("python"), "docs/verify.md", "exec"), names)
    client: Client = names["textback_client"](url, key)
    return client


class Verify:
    """A caller with Twilio's client, and the harness behind it."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.client = client_of(harness.url)
        self.recorded: list[Exchange] = []
        self._record()

    def _record(self) -> None:
        recorder = Recorder(self.harness.app.wsgi_app)
        recorder.exchanges = self.recorded
        self.harness.app.wsgi_app = recorder  # type: ignore[method-assign]

    def restart(self, **settings: str) -> None:
        self.harness.restart(**settings)
        self._record()

    @property
    def sid(self) -> str:
        return str(self.harness.settings.service_sid)

    @property
    def service(self) -> Any:
        return self.client.verify.v2.services(self.sid)

    def create(self, to: str = PHONE, channel: str = "sms", **more: Any) -> Any:
        return self.service.verifications.create(to=to, channel=channel, **more)

    def create_and_send(self, to: str = PHONE, **more: Any) -> Any:
        created = self.create(to, **more)
        self.harness.run_once()
        return created

    def check(self, code: str, to: str | None = PHONE, **more: Any) -> Any:
        told = {**({"to": to} if to else {}), **more}
        return self.service.verification_checks.create(code=code, **told)

    def fetch(self, which: str) -> Any:
        return self.service.verifications(which).fetch()

    def cancel(self, which: str) -> Any:
        return self.service.verifications(which).update(status="canceled")

    def post(self, path: str, form: Any = None, *, method: str = "POST", **more: Any) -> Any:
        """Posts without the library, which cannot send such a request."""
        url = f"{self.harness.url}/v2/Services/{self.sid}{path}"
        auth = more.pop("auth", ("anyone", FUNCTION_KEY))
        return self.harness.http.request(method, url, data=form, auth=auth, timeout=20, **more)

    def use_attempts(self, to: str = PHONE) -> None:
        for _ in range(self.harness.settings.max_attempts):
            self.check(self.harness.wrong(to), to)

    @property
    def last(self) -> Exchange:
        return [one for one in self.recorded if one.path.startswith("/v2/")][-1]


def refused(ask: Any) -> tuple[int, int]:
    """The status and Twilio's code that the library raises."""
    with pytest.raises(TwilioRestException) as caught:
        ask()
    return caught.value.status, caught.value.code


@pytest.fixture
def verify(tmp_path: Path) -> Iterator[Verify]:
    with open_harness(tmp_path, **FORMS) as harness:
        made = Verify(harness)
        yield made
        theirs = [one for one in made.recorded if one.path.startswith("/v2/")]
        assert [fault for one in theirs for fault in complaints(one)] == []
