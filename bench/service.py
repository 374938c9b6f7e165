"""A real gunicorn with the Procfile's settings, on a database with as many rows as are wanted."""

import json
import os
import pickle
import secrets
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from twilio.request_validator import RequestValidator

from bench.load import Job, Result
from bot.domain.code import Keyring
from bot.store.opening import open_store
from bot.store.tx import Done, Tx, to_text
from simulator.server import Simulator
from simulator.world import Account, Number, new_sid

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ACCOUNT = Account("AC" + "0123456789abcdef" * 2, "an auth token for the bench")
NUMBER = "+14255550100"
SECRET_KEY = "a-secret-key-for-the-bench"
SYSTEM_KEY = "a-system-key-for-the-bench"
FUNCTION_KEY = "a-function-key-for-the-bench"
KEYRING = Keyring([SECRET_KEY])
NONCE = "00" * 16
CODE = KEYRING.code(key_id=KEYRING.present_id, nonce=NONCE, length=4)
WRONG = str((int(CODE) + 1) % 10000).zfill(4)
CONNECTIONS = 16


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service:
    def __init__(self, folder: Path, database_url: str = "", **settings: str) -> None:
        self.database_url = database_url or f"sqlite:///{folder}/textback.db"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.simulator = Simulator(ACCOUNT, Number(NUMBER), report_delay_seconds=0)
        self.simulator.faults.add("reports_never", times=10**9)
        self.simulator.start()
        self.environment = {
            "PATH": os.environ["PATH"],
            "PUBLIC_BASE_URL": self.url,
            "PORT": str(self.port),
            "TWILIO_API_BASE_URL": self.simulator.url,
            "TWILIO_ACCOUNT_SID": ACCOUNT.sid,
            "TWILIO_AUTH_TOKEN": ACCOUNT.auth_token,
            "TWILIO_PHONE_NUMBER": NUMBER,
            "SECRET_KEY": SECRET_KEY,
            "FUNCTION_KEY": FUNCTION_KEY,
            "SYSTEM_KEY": SYSTEM_KEY,
            "DATABASE_URL": self.database_url,
            "LIMIT_PER_NUMBER": "",
            "LIMIT_PER_COUNTRY": "1000000/hour",
            "LIMIT_PER_KEY": "1000000/hour",
            "LIMIT_TOTAL": "1000000/hour",
            "BREAKER_TEXTS_PER_PREFIX": "100000",
            "BREAKER_TEXTS_PER_COUNTRY": "100000",
            **settings,
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def run(self, *command: str, **more: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]],
            cwd=ROOT,
            env={**self.environment, **more},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if not os.environ.get("BENCH_LOG") else None,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def start(self, **more: str) -> float:
        """Returns the seconds until it answered."""
        began = time.perf_counter()
        self.run("gunicorn", "bench.wsgi:app", **more)
        while True:
            try:
                urlopen(f"{self.url}/healthz", timeout=1).close()
                return time.perf_counter() - began
            except OSError:
                if time.perf_counter() - began > 60:
                    raise
                time.sleep(0.01)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(40)
        self.processes.clear()

    def close(self) -> None:
        self.stop()
        self.simulator.stop()

    # -- rows ------------------------------------------------------------------------------------

    def make_pending(self, phones: list[str], *, spread_seconds: float = 0.0) -> None:
        """Pending verifications whose texts Twilio took now; deadlines far off, or spread over so
        many seconds, from when all are written and the service runs on."""
        now = datetime.now(UTC)
        first = 10 + len(phones) / 4000

        def insert(tx: Tx) -> Done[None]:
            for number, phone in enumerate(phones):
                ahead = first + spread_seconds * number / len(phones) if spread_seconds else 3000
                _insert_pending(tx, phone, now, now + timedelta(seconds=ahead))
            return Done(None)

        store = open_store(self.database_url, connections=1)
        store.write(insert)
        store.close()

    def ask(self, sql: str) -> list[dict[str, Any]]:
        store = open_store(self.database_url, connections=1)
        try:
            return store.read(lambda tx: [dict(row) for row in tx.all(sql)])
        finally:
            store.close()

    # -- load ------------------------------------------------------------------------------------

    def drive(
        self, requests: list[bytes], *, connections: int = CONNECTIONS, rate: float | None = None
    ) -> Result:
        done = self.begin_to_drive(requests, connections=connections, rate=rate)
        return finish(done)

    def begin_to_drive(
        self, requests: list[bytes], *, connections: int = CONNECTIONS, rate: float | None = None
    ) -> "subprocess.Popen[bytes]":
        driver = subprocess.Popen(
            [sys.executable, "-m", "bench.load"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert driver.stdin is not None
        pickle.dump(Job(self.port, requests, connections, rate), driver.stdin)
        driver.stdin.close()
        driver.stdin = None
        return driver

    def reply(self, phone: str, body: str, *, path: str = "/twilio/sms") -> bytes:
        form = {
            "ToCountry": "US",
            "SmsMessageSid": "",
            "NumMedia": "0",
            "SmsStatus": "received",
            "Body": body,
            "FromCountry": "US",
            "To": NUMBER,
            "NumSegments": "1",
            "MessageSid": new_sid("SM"),
            "AccountSid": ACCOUNT.sid,
            "From": phone,
            "ApiVersion": "2010-04-01",
        }
        signature = RequestValidator(ACCOUNT.auth_token).compute_signature(
            f"{self.url}/twilio/sms", form
        )
        return self.post(
            path,
            urlencode(form).encode(),
            f"X-Twilio-Signature: {signature}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n",
        )

    def begin(self, phone: str) -> bytes:
        head = f"x-functions-key: {FUNCTION_KEY}\r\nContent-Type: application/json\r\n"
        path = "/orchestrators/E4_SmsPhoneVerification"
        return self.post(path, json.dumps(phone).encode(), head)

    def post(self, path: str, body: bytes, head: str) -> bytes:
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Length: {len(body)}\r\n{head}\r\n"
        ).encode() + body

    def read_status(self, id: str) -> bytes:
        path = f"/runtime/webhooks/durabletask/instances/{id}"
        return (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"x-functions-key: {SYSTEM_KEY}\r\n\r\n"
        ).encode()


def finish(driver: "subprocess.Popen[bytes]") -> Result:
    output, _ = driver.communicate()
    return Result(**json.loads(output))


def pending_id(phone: str) -> str:
    return f"id{phone[1:]}"


def _insert_pending(tx: Tx, phone: str, now: datetime, deadline: datetime) -> None:
    at = to_text(now)
    row = {
        "id": pending_id(phone),
        "phone": phone,
        "country": "US",
        "started_by": "function",
        "start_input": json.dumps(phone),
        "request_id": "bench",
        "reference": "KP",
        "nonce": NONCE,
        "key_id": KEYRING.present_id,
        "challenge_text": "Your verification code is {code}. Reply with just these 4 digits",
        "code_length": 4,
        "window_seconds": 3000,
        "max_attempts": 4,
        "send_within_seconds": 60,
        "created_at": at,
        "first_try_at": at,
        "accepted_at": at,
        "deadline_at": to_text(deadline),
        "due_at": to_text(deadline),
        "updated_at": at,
    }
    columns, places = ", ".join(row), ", ".join(f":{name}" for name in row)
    tx.run(f"INSERT INTO verification ({columns}) VALUES ({places})", **row)
    tx.run(
        "INSERT INTO outbox (id, verification_id, state, queued_at, sid)"
        " VALUES (:id, :v, 'accepted', :at, :sid)",
        id=secrets.token_hex(8),
        v=row["id"],
        at=at,
        sid=new_sid("SM"),
    )
    tx.run(
        "INSERT INTO history (verification_id, number, at, event)"
        " VALUES (:v, 1, :at, 'started'), (:v, 2, :at, 'text_accepted')",
        v=row["id"],
        at=at,
    )
