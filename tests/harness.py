"""Textback and the simulator in one process, joined by real HTTP, on a clock moved by hand."""

import base64
import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from click.testing import Result
from flask import Flask
from werkzeug.serving import make_server

from bot import service as services
from bot import settings as settings_module
from bot.app import create_app
from bot.channels.gateway import Report
from bot.dispatch.loop import Dispatcher
from bot.domain import phone
from bot.domain.verification import Verification
from bot.service import Service
from bot.settings import Settings
from bot.store import inbound, opt_outs, verifications
from bot.store.inbound import IgnoredText
from bot.store.steady import SteadyClock
from bot.store.tx import Store
from bot.store.verification_list import ListFilter
from bot.usecases import clear, control, overview, read
from bot.usecases.answer import judge_text
from bot.usecases.forget import Forgotten, forget_number
from bot.usecases.heartbeat import assume_all_judged
from bot.usecases.inbound_text import InboundText, Judged
from bot.usecases.load import ServiceState, service_state
from bot.usecases.overview import Overview, Period
from bot.usecases.read import VerificationView
from bot.usecases.report import reported
from simulator import faults
from simulator.server import Simulator
from simulator.webhooks import Answer
from simulator.world import Account, Message, Number
from tests import kept, postgres

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


def sqlite_in(folder: Path) -> str:
    """The address of a file, with the schema in it if there was none."""
    path = folder / "textback.db"
    if not path.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        kept.new_database(path)
    return f"sqlite:///{path}"


def database_in(folder: Path) -> str:
    """A file, unless TEST_DATABASE=postgresql says otherwise (`make soak` does)."""
    if os.environ.get("TEST_DATABASE") == "postgresql":
        return postgres.database_of(folder)
    return sqlite_in(folder)


def bytes_in(folder: Path) -> bytes:
    """The bytes of a test's database file and its log."""
    return b"".join(file.read_bytes() for file in folder.glob("textback.db*"))


class HandClock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


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


class Harness:
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

    # -- what use cases tell ---------------------------------------------------------------------

    def find(self, id: str) -> Verification | None:
        return self.store.read(verifications.load, id)

    def view(self, id: str, *, with_history: bool = False) -> VerificationView:
        return self.store.read(read.view, id, with_history=with_history)

    def newest(self, limit: int) -> list[VerificationView]:
        return self.store.read(read.page, ListFilter(limit=limit, newest_first=True)).views

    def load(self) -> ServiceState:
        address, ahead = self.service.rules.from_address, self.store.steady.ahead
        return self.store.read(service_state, from_address=address, ahead=ahead)

    def today(self) -> Overview:
        return self.store.read(overview.overview, Period.TODAY)

    def ignored_texts(self, limit: int) -> list[IgnoredText]:
        return self.store.read(inbound.newest_ignored, limit=limit)

    def open_areas(self) -> list[str]:
        return self.service.admission.open_areas(self.store)

    def forget(self, number: str) -> tuple[Forgotten, bool]:
        return forget_number(self.store, number)

    def clear_limits(self, number: str) -> int:
        return self.store.write(clear.clear_limits, phone.known_as(number), self.service.rules)

    def clear_opt_out(self, number: str) -> bool:
        return self.store.write(clear.clear_opt_out, phone.known_as(number), self.service.rules)

    def opt_outs(self, limit: int) -> list[tuple[str, datetime]]:
        address = self.service.rules.from_address
        return self.store.read(opt_outs.newest, from_address=address, limit=limit)

    def terminate(self, id: str, reason: str | None) -> None:
        self.store.write(control.cancel, id, reason=reason)

    def suspend(self, id: str, reason: str | None) -> None:
        self.store.write(control.suspend, id, reason=reason, judged_until=assume_all_judged)

    def resume(self, id: str, reason: str | None) -> None:
        self.store.write(control.resume, id, reason=reason, judged_until=assume_all_judged)

    def judge_text(self, text: InboundText) -> Judged:
        judged_until = self.service.judged_until
        return self.store.write(
            judge_text, text, rules=self.service.rules, judged_until=judged_until
        )

    def report(self, report: Report) -> None:
        waited = self.store.write(reported, report, self.service.rules).waited
        if waited is not None:
            self.service.admission.delivery_delay.note(waited.delay, now=waited.at)

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
    server = make_server("127.0.0.1", 0, lambda *args: holder["harness"].app(*args), threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    simulator = Simulator(
        ACCOUNT,
        Number(NUMBER, sms_url=f"{url}/twilio/sms"),
        clock=clock,
        report_delay_seconds=0,
        service_url=url,
        function_key=FUNCTION_KEY,
        system_key=SYSTEM_KEY,
        webhook_secrets=[WEBHOOK_SECRET],
    )
    simulator.start()
    # Reports come when a test posts them.
    simulator.faults.add(faults.REPORTS_NEVER, times=10**9)
    try:
        values = environment(
            PUBLIC_BASE_URL=url,
            TWILIO_API_BASE_URL=simulator.url,
            DATABASE_URL=database_in(path),
        )
        settings = {
            name: value.replace(RECEIVER, simulator.receiver_url)
            for name, value in settings.items()
        }
        made = Harness({**values, **settings}, simulator, clock, url)
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
        simulator.stop()
