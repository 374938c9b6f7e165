"""A real gunicorn with the settings of the Procfile, in a process group of its own."""

import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import requests

from bot.store.rows import to_instant
from simulator.server import Simulator
from simulator.world import Number
from tests import postgres
from tests.harness import (
    ACCOUNT,
    FUNCTION_KEY,
    INSTANCES,
    NUMBER,
    RECEIVER,
    START,
    SYSTEM_KEY,
    WEBHOOK_SECRET,
    environment,
)
from tests.ports import free_port
from tests.processes.starting import Started

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
Process = subprocess.Popen[bytes] | Started


def until(condition: Callable[[], Any], seconds: float = 40.0) -> Any:
    """Waits for another process. Returns the last result of the condition, which is checked less
    and less often, since a check costs both processes time."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < seconds:
        found = condition()
        if found:
            return found
        time.sleep(min(0.02 + waited / 10, 0.2))
    raise AssertionError(f"not within {seconds} s")


def children(process: Process) -> list[int]:
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(pid) for pid in found.split()]


def memory(process: Process) -> int:
    """Of gunicorn and its workers, in MiB."""
    total = 0
    for pid in (process.pid, *children(process)):
        status = Path(f"/proc/{pid}/status").read_text()
        found = re.search(r"VmRSS:\s+([0-9]+) kB", status)
        total += int(found[1]) if found else 0
    return total // 1024


class Service:
    """Textback as processes, which can be restarted on one database."""

    config = "tests/processes/quick.conf.py"
    is_warm = True  # started by a process that has imported everything

    def __init__(
        self, folder: Path, database_url: str = "", *, port: int = 0, **settings: str
    ) -> None:
        """Without an address the database is a file in the folder."""
        self.folder = folder
        self.database_url = database_url or f"sqlite:///{folder}/textback.db"
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.simulator = Simulator(
            ACCOUNT,
            Number(NUMBER, sms_url=f"{self.url}/twilio/sms#rc=2&rp=5xx,ct,rt"),
            report_delay_seconds=0.01,
            service_url=self.url,
            function_key=FUNCTION_KEY,
            system_key=SYSTEM_KEY,
            webhook_secrets=[WEBHOOK_SECRET],
        )
        self.simulator.start()
        self.environment = {
            "PATH": os.environ["PATH"],
            **environment(
                PUBLIC_BASE_URL=self.url,
                PORT=str(self.port),
                TWILIO_API_BASE_URL=self.simulator.url,
                TWILIO_TIMEOUT_SECONDS="0.5",
                DATABASE_URL=self.database_url,
            ),
            **{
                name: value.replace(RECEIVER, self.simulator.receiver_url)
                for name, value in settings.items()
            },
        }
        self.log = folder / "log"
        self.processes: list[Process] = []
        self.http = requests.Session()
        self.http.trust_env = False
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=100)
        self.http.mount("http://", adapter)

    def run(
        self,
        *command: str,
        folder: Path = ROOT,
        files: tuple[int, int] | None = None,
        **more: str,
    ) -> "subprocess.Popen[bytes]":
        """`files`: its soft and hard limit of open files; `more`: environment variables."""
        limit = partial(resource.setrlimit, resource.RLIMIT_NOFILE, files)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [str(BIN / command[0]), *command[1:]],
                cwd=folder,
                env={**self.environment, **more},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=limit if files else None,
            )
        self.processes.append(process)
        return process

    def gunicorn(self, app: str = "wsgi:app", **more: str) -> Process:
        return self.begin_to_run("gunicorn", "-c", self.config, app, **more)

    def begin_to_run(self, *command: str, **more: str) -> Process:
        """Starts gunicorn or flask; `more`: environment variables."""
        if not self.is_warm:
            return self.run(*command, **more)
        process = Started(list(command), {**self.environment, **more}, self.log)
        self.processes.append(process)
        return process

    def start(self, app: str = "wsgi:app", **more: str) -> Process:
        process = self.gunicorn(app, **more)
        until(self.is_ready)
        return process

    def cut(self) -> dict[str, float]:
        """Connections that it has cut, by reason."""
        headers = {"Authorization": f"Bearer {SYSTEM_KEY}"}
        text = self.http.get(f"{self.url}/metrics", headers=headers, timeout=10).text
        pattern = r'textback_connections_cut_total\{reason="([a-z]+)"\} ([0-9.]+)'
        return {reason: float(count) for reason, count in re.findall(pattern, text)}

    def is_ready(self) -> bool:
        try:
            return self.http.get(f"{self.url}/healthz", timeout=1).ok
        except requests.RequestException:
            return False

    def kill(self, process: Process) -> None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def terminate(self, process: Process) -> int:
        process.terminate()
        return process.wait(30)

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                self.kill(process)
        self.http.close()
        self.simulator.stop()

    # -- caller and phone ------------------------------------------------------------------------

    def begin(self, number: str, http: requests.Session | None = None) -> str:
        response = (http or self.http).post(
            self.url + START, json=number, headers={"x-functions-key": FUNCTION_KEY}, timeout=20
        )
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    def status(self, id: str, http: requests.Session | None = None) -> dict[str, Any]:
        response = (http or self.http).get(
            f"{self.url}{INSTANCES}/{id}", headers={"x-functions-key": SYSTEM_KEY}, timeout=20
        )
        found: dict[str, Any] = response.json()
        return found

    def texts(self, phone: str) -> list[str]:
        return [
            message.body
            for message in self.simulator.world.of_phone(phone)
            if message.direction == "outbound-api"
        ]

    def code(self, phone: str) -> str:
        """The code in the newest text of a phone; waits until there is one, or it has failed."""
        failed = f"SELECT reason FROM verification WHERE phone = '{phone}' AND status = 'failed'"
        until(lambda: self.texts(phone) or self.ask(failed))
        assert self.texts(phone), self.ask(failed)
        found = re.search(r"code is ([0-9]{4,})", self.texts(phone)[-1])
        assert found
        return found[1]

    def rows(self, sql: str) -> list[Any]:
        return [tuple(row.values()) for row in self.ask(sql)]

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Rows with their columns' names."""
        if not self.database_url.startswith("sqlite:"):
            return postgres.ask(self.database_url, sql)
        db = sqlite3.connect(self.folder / "textback.db", timeout=10)
        db.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in db.execute(sql)]
        finally:
            db.close()

    def wait_until_all_ended(self) -> None:
        until(lambda: not self.ask("SELECT 1 FROM verification WHERE status = 'pending'"), 40)


def is_overdue(service: Service) -> bool:
    """Returns whether the deadline passed so long ago that it would have been expired."""
    (row,) = service.ask("SELECT deadline_at FROM verification")
    return datetime.now(UTC) > to_instant(row["deadline_at"]) + timedelta(seconds=1)
