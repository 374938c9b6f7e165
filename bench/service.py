"""A real gunicorn with gunicorn.conf.py, on a database with the wanted number of rows."""

import json
import pickle
import secrets
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import requests
from twilio.request_validator import RequestValidator

from bench.load import Job, Result
from bot.domain.code import Keyring
from bot.store.opening import open_store
from bot.store.rows import to_text
from bot.store.tx import Done, Tx
from simulator.world import new_sid
from tests.harness import ACCOUNT, FUNCTION_KEY, NUMBER, SYSTEM_KEY
from tests.ports import free_port
from tests.processes import service
from tests.processes.service import ROOT, until

SECRET_KEY = "a-secret-key-for-the-bench"
KEYRING = Keyring([SECRET_KEY])
NONCE = "00" * 16
CODE = KEYRING.code(key_id=KEYRING.current_id, nonce=NONCE, length=4)
WRONG = str((int(CODE) + 1) % 10000).zfill(4)
CONNECTIONS = 16


class Service(service.Service):
    """Boots the service as the tests do, with limits out of the way, and the bare route beside
    it."""

    config = "gunicorn.conf.py"
    is_warm = False

    def __init__(self, folder: Path, database_url: str = "", **settings: str) -> None:
        super().__init__(
            folder,
            database_url,
            SECRET_KEY=SECRET_KEY,
            ALLOWED_COUNTRIES="US",
            TWILIO_TIMEOUT_SECONDS="8",
            LIMIT_PER_COUNTRY="1000000/hour",
            LIMIT_PER_KEY="1000000/hour",
            LIMIT_TOTAL="1000000/hour",
            **settings,
        )
        self.simulator.faults.add("reports_never", times=10**9)

    def boot(self, **more: str) -> float:
        """Returns the seconds until it answered."""
        began = time.perf_counter()
        self.start(**more)
        return time.perf_counter() - began

    def boot_bare(self, processes: int = 1) -> int:
        """Starts the bare route under gunicorn's gthread worker with 16 threads; `-c /dev/null`
        skips our settings. Returns its port."""
        port = free_port()
        options = ["-c", "/dev/null", "-b", f"127.0.0.1:{port}", "-w", str(processes)]
        options += ["-k", "gthread", "--threads", "16", "--access-logfile", "-"]
        self.run("gunicorn", *options, "bench.bare:app")
        until(lambda: self._is_bare_ready(port))
        return port

    def _is_bare_ready(self, port: int) -> bool:
        try:
            return self.http.get(f"http://127.0.0.1:{port}/healthz", timeout=1).ok
        except requests.RequestException:
            return False

    # -- rows ------------------------------------------------------------------------------------

    def make_pending(self, phones: list[str], *, spread_seconds: float = 0.0) -> None:
        """Inserts pending verifications whose texts Twilio has just accepted. Their deadlines are
        far away or, with `spread_seconds`, spread over that time; the first deadline leaves
        enough time to insert the rows and start the service."""
        now = datetime.now(UTC)
        first = 10 + len(phones) / 4000

        def insert(tx: Tx) -> Done[None]:
            for number, phone in enumerate(phones):
                ahead = first + spread_seconds * number / len(phones) if spread_seconds else 3000
                _insert_pending(tx, phone, now, now + timedelta(seconds=ahead))
            return Done(None)

        store = open_store(self.database_url, connections=1)
        store.write_within(120, insert)
        store.close()

    def make_usage(self, count: int) -> None:
        """Inserts one start of this hour in each of `count` prefixes of a country."""

        def insert(tx: Tx) -> Done[None]:
            at = to_text(tx.now)
            for number in range(count):
                tx.run(
                    "INSERT INTO usage (kind, phone, country, started_by, verification_id, at)"
                    " VALUES ('start', :phone, 'US', 'function', :id, :at)",
                    phone=f"+1{2_000_000_000 + number * 10_000}",
                    id=f"id-{number}",
                    at=at,
                )
            return Done(None)

        store = open_store(self.database_url, connections=1)
        store.write_within(120, insert)
        store.close()

    # -- load ------------------------------------------------------------------------------------

    def drive(
        self,
        requests: list[bytes],
        *,
        connections: int = CONNECTIONS,
        rate: float | None = None,
        port: int | None = None,
    ) -> Result:
        done = self.begin_to_drive(requests, connections=connections, rate=rate, port=port)
        return finish(done)

    def begin_to_drive(
        self,
        requests: list[bytes],
        *,
        connections: int = CONNECTIONS,
        rate: float | None = None,
        port: int | None = None,
    ) -> "subprocess.Popen[bytes]":
        driver = subprocess.Popen(
            [sys.executable, "-m", "bench.load"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert driver.stdin is not None
        pickle.dump(Job(port or self.port, requests, connections, rate), driver.stdin)
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

    def begun(self, phone: str) -> bytes:
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
        "key_id": KEYRING.current_id,
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
    _insert_accepted_text(tx, row["id"], at)


def _insert_accepted_text(tx: Tx, id: str, at: str) -> None:
    tx.run(
        "INSERT INTO outbox (id, verification_id, purpose, channel, from_address, locale, state,"
        " queued_at, sid) VALUES (:id, :v, 'challenge', 'sms', :ours, 'en', 'accepted', :at, :sid)",
        id=secrets.token_hex(8),
        v=id,
        ours=NUMBER,
        at=at,
        sid=new_sid("SM"),
    )
    tx.run(
        "INSERT INTO history (verification_id, number, at, event)"
        " VALUES (:v, 1, :at, 'started'), (:v, 2, :at, 'text_accepted')",
        v=id,
        at=at,
    )
