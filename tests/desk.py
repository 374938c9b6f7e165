"""Textback and the simulator in one process, joined by real HTTP, on a clock moved by hand."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from flask import Flask
from werkzeug.serving import make_server

from bot import settings as settings_module
from bot.app import create_app
from bot.settings import Settings
from simulator import faults
from simulator.server import Simulator
from simulator.webhooks import Answer
from simulator.world import Account, Message, Number

ACCOUNT = Account("AC" + "0123456789abcdef" * 2, "an auth token for tests")
NUMBER = "+14255550100"
PHONE = "+14255550123"
START = "/orchestrators/E4_SmsPhoneVerification"
INSTANCES = "/runtime/webhooks/durabletask/instances"
FUNCTION_KEY = "a-function-key-for-tests"
SYSTEM_KEY = "a-system-key-for-tests"
CONSOLE_KEY = "a-console-key-for-tests"


class HandClock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def environment(**more: str) -> dict[str, str]:
    """Settings as the environment has them; an empty value takes one away."""
    return {
        "PUBLIC_BASE_URL": "http://127.0.0.1:1",
        "TWILIO_ACCOUNT_SID": ACCOUNT.sid,
        "TWILIO_AUTH_TOKEN": ACCOUNT.auth_token,
        "TWILIO_PHONE_NUMBER": NUMBER,
        "SECRET_KEY": "a-secret-key-for-tests",
        "FUNCTION_KEY": FUNCTION_KEY,
        "SYSTEM_KEY": SYSTEM_KEY,
        "CONSOLE_KEY": CONSOLE_KEY,
        "ALLOWED_COUNTRIES": "*",
        # Most tests start more than the limits let through.
        "LIMIT_PER_NUMBER": "",
        "LIMIT_PER_COUNTRY": "",
        "LIMIT_PER_KEY": "",
        "LIMIT_TOTAL": "",
        "LIMIT_WRONG_PER_NUMBER": "50/day",
        "BREAKER_TEXTS_PER_PREFIX": "100000",
        "BREAKER_TEXTS_PER_COUNTRY": "100000",
        **more,
    }


class Desk:
    """What a test holds in its hands."""

    def __init__(self, app: Flask, simulator: Simulator, clock: HandClock, url: str) -> None:
        self.app = app
        self.simulator = simulator
        self.clock = clock
        self.url = url
        self.settings: Settings = app.extensions["settings"]
        self.verifications = app.extensions["verifications"]
        self.dispatcher = app.extensions["dispatcher"]
        self._wrongs = 0
        self.http = requests.Session()
        self.http.trust_env = False

    # -- the caller ------------------------------------------------------------------------------

    def call(self, method: str, path: str, *, key: str | None = SYSTEM_KEY, **more: Any) -> Any:
        headers = {**({"x-functions-key": key} if key else {}), **more.pop("headers", {})}
        return self.http.request(
            method, self.url + path, headers=headers, allow_redirects=False, timeout=20, **more
        )

    def post_start(self, number: str = PHONE, **more: Any) -> requests.Response:
        more = {"key": FUNCTION_KEY, **more}
        return self.call("POST", START, json=number, **more)

    def start(self, number: str = PHONE, **more: Any) -> dict[str, Any]:
        """Started; the text not yet sent."""
        response = self.post_start(number, **more)
        assert response.status_code == 202, response.text
        return response.json()

    def start_and_send(self, number: str = PHONE, **more: Any) -> dict[str, Any]:
        links = self.start(number, **more)
        self.run_once()
        return links

    def status(self, id: str) -> dict[str, Any]:
        return self.call("GET", f"{INSTANCES}/{id}").json()

    def answer(self, id: str, value: Any) -> requests.Response:
        return self.call("POST", f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse", json=value)

    # -- the phone -------------------------------------------------------------------------------

    def text(self, body: str, phone: str = PHONE) -> Answer:
        return self.simulator.webhooks.receive(phone, body)

    def texts(self, phone: str = PHONE) -> list[Message]:
        """The challenges that have reached a phone."""
        return [m for m in self.simulator.world.of_phone(phone) if m.direction == "outbound-api"]

    def answers(self, phone: str = PHONE) -> list[str]:
        found = self.simulator.world.of_phone(phone)
        return [m.body for m in found if m.direction == "outbound-reply"]

    def code(self, phone: str = PHONE) -> str:
        """The code in the newest text."""
        found = re.search(r"code is ([0-9]+)\.", self.texts(phone)[-1].body)
        assert found
        return found[1]

    def wrong(self, phone: str = PHONE) -> str:
        """Another one each time: the same wrong code again is no further attempt."""
        code = self.code(phone)
        self._wrongs = self._wrongs % 9 + 1
        return str((int(code) + self._wrongs) % 10 ** len(code)).zfill(len(code))

    # -- time ------------------------------------------------------------------------------------

    def run_once(self) -> None:
        """The dispatcher does what is due now, until nothing is."""
        while self.dispatcher.run_once():
            pass

    def forward(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.run_once()

    def history(self, id: str) -> list[str]:
        view = self.verifications.view(id, with_history=True)
        return [line.event for line in view.history]


@contextmanager
def desk(path: Path, **settings: str) -> Iterator[Desk]:
    clock = HandClock()
    holder: dict[str, Any] = {}
    server = make_server("127.0.0.1", 0, lambda *args: holder["app"](*args), threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    simulator = Simulator(
        ACCOUNT,
        Number(NUMBER, sms_url=f"{url}/twilio/sms"),
        clock=clock,
        report_delay_seconds=0,
        service_url=url,
        function_key=FUNCTION_KEY,
    )
    simulator.start()
    # Reports come when a test posts them.
    simulator.faults.add(faults.REPORTS_NEVER, times=10**9)
    try:
        values = environment(
            PUBLIC_BASE_URL=url,
            TWILIO_API_BASE_URL=simulator.url,
            TWILIO_TIMEOUT_SECONDS="1",
            DATABASE_URL=f"sqlite:///{path}/textback.db",
        )
        app = create_app(
            settings_module.read({**values, **settings}), clock=clock, database_clock=clock
        )
        holder["app"] = app
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        made = Desk(app, simulator, clock, url)
        yield made
        server.shutdown()
        thread.join()
        made.http.close()
        made.dispatcher.stop()
        made.verifications.store.close()
    finally:
        server.server_close()
        simulator.stop()
