"""Textback and the simulator in one process, joined by real HTTP, on a clock moved by hand."""

import base64
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from click.testing import Result
from flask import Flask

from bot import service as services
from bot import settings as settings_module
from bot.app import create_app
from bot.dispatch.loop import Dispatcher
from bot.service import Service
from bot.settings import Settings
from bot.store.steady import SteadyClock
from bot.store.tx import Store
from simulator import faults
from simulator.connections import Server
from simulator.server import Simulator
from simulator.webhooks import Answer
from simulator.world import Account, Message, Number
from tests.clock import HandClock
from tests.databases import database_in
from tests.use_cases import UseCases

ACCOUNT = Account("AC" + "0123456789abcdef" * 2, "7e2b90c4d15fa86330d9e1b7c52f84a6")
NUMBER = "+14255550100"
PHONE = "+14255550123"
START = "/orchestrators/E4_SmsPhoneVerification"
INSTANCES = "/runtime/webhooks/durabletask/instances"
FUNCTION_KEY = "a-function-key-for-tests"
SYSTEM_KEY = "a-system-key-for-tests"
CONSOLE_KEY = "a-console-key-for-tests"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
RECEIVER = "{receiver}"  # in a setting: the address of the simulator's receiver


def environment(**more: str) -> dict[str, str]:
    """Settings as environment variables; an empty value removes one."""
    return {
        "PUBLIC_BASE_URL": "http://127.0.0.1:1",
        # Nothing answers there. Without it, settings are those for Twilio's cloud.
        "TWILIO_API_BASE_URL": "http://127.0.0.1:9",
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


class Harness(UseCases):
    """Everything that a test drives and reads."""

    def __init__(
        self, values: dict[str, str], simulator: Simulator, clock: HandClock, url: str
    ) -> None:
        self.values = values
        self.simulator = simulator
        self.clock = clock
        self.url = url
        self.app = self._new_app()
        self._wrongs = 0
        self.http = requests.Session()
        self.http.trust_env = False

    def _new_app(self) -> Flask:
        read = settings_module.read(self.values)
        return create_app(read, clock=self.clock, database_clock=self.clock)

    @property
    def service(self) -> Service:
        return services.of(self.app)

    @property
    def settings(self) -> Settings:
        return self.service.settings

    @property
    def store(self) -> Store:
        return self.service.store

    @property
    def dispatcher(self) -> Dispatcher:
        return self.service.dispatcher

    def restart(self, **settings: str) -> None:
        """Restarts Textback on the same database with other settings."""
        self.close()
        receiver = self.simulator.receiver_url
        told = {name: value.replace(RECEIVER, receiver) for name, value in settings.items()}
        self.values = {**self.values, **told}
        self.app = self._new_app()

    def close(self) -> None:
        self.dispatcher.stop()
        self.store.close()

    def own_monotonic(self) -> list[float]:
        """Gives the store a monotonic clock of its own and returns its seconds, to be changed:
        where the other clock gains on it, that is a step."""
        seconds = [0.0]
        self.store.steady = SteadyClock(lambda: seconds[0])
        return seconds

    # -- the caller ------------------------------------------------------------------------------

    def call(self, method: str, path: str, *, key: str | None = SYSTEM_KEY, **more: Any) -> Any:
        headers = {**({"x-functions-key": key} if key else {}), **more.pop("headers", {})}
        return self.http.request(
            method, self.url + path, headers=headers, allow_redirects=False, timeout=20, **more
        )

    def post_start(self, number: str = PHONE, **more: Any) -> requests.Response:
        """With `tag` or `locale` the body is an object."""
        more = {"key": FUNCTION_KEY, **more}
        told = {name: more.pop(name) for name in ("tag", "locale") if name in more}
        body = {"phoneNumber": number, **told} if told else number
        return self.call("POST", START, json=body, **more)

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
        found = re.search(r"(?<![0-9])([0-9]{4,10})(?![0-9])", self.texts(phone)[-1].body)
        assert found
        return found[1]

    def wrong(self, phone: str = PHONE) -> str:
        """Returns a new wrong code each time, since a repeated one is no further attempt."""
        code = self.code(phone)
        self._wrongs = self._wrongs % 9 + 1
        return str((int(code) + self._wrongs) % 10 ** len(code)).zfill(len(code))

    # -- time ------------------------------------------------------------------------------------

    def flask(self, *command: str) -> Result:
        """A command, as `flask` runs it."""
        return self.app.test_cli_runner().invoke(args=list(command))

    def run_once(self) -> None:
        """Runs the dispatcher until nothing is due."""
        while self.dispatcher.run_once():
            pass

    def forward(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.run_once()

    def history(self, id: str) -> list[str]:
        view = self.view(id, with_history=True)
        return [line.event for line in view.history]


@contextmanager
def harness(path: Path, **settings: str) -> Iterator[Harness]:
    clock = HandClock()
    holder: dict[str, Any] = {}
    # Its lines hold whole addresses; gunicorn's are short (`bot/server/logger.py`).
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = Server("127.0.0.1", 0, lambda *args: holder["harness"].app(*args))
    url = f"http://127.0.0.1:{server.server_port}"
    simulator = simulator_for(url, clock)
    simulator.start()
    # Reports come when a test posts them.
    simulator.faults.add(faults.REPORTS_NEVER, times=10**9)
    try:
        values = environment(
            PUBLIC_BASE_URL=url, TWILIO_API_BASE_URL=simulator.url, DATABASE_URL=database_in(path)
        )
        receiver = simulator.receiver_url
        told = {name: value.replace(RECEIVER, receiver) for name, value in settings.items()}
        made = Harness({**values, **told}, simulator, clock, url)
        holder["harness"] = made
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
            made.http.close()
            made.close()
    finally:
        server.server_close()
        server.close_kept()
        simulator.stop()


def simulator_for(url: str, clock: HandClock) -> Simulator:
    """A simulated Twilio that calls Textback at this address."""
    return Simulator(
        ACCOUNT,
        Number(NUMBER, sms_url=f"{url}/twilio/sms"),
        clock=clock,
        report_delay_seconds=0,
        service_url=url,
        function_key=FUNCTION_KEY,
        system_key=SYSTEM_KEY,
        webhook_secrets=[WEBHOOK_SECRET],
    )
