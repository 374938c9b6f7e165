"""Several hosts on one machine: web and dispatch over one PostgreSQL, behind a balancer."""

import contextlib
import itertools
import os
import signal
import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from twilio.request_validator import RequestValidator

from simulator.world import new_sid
from tests.harness import ACCOUNT, NUMBER, PHONE
from tests.ports import free_port
from tests.processes.service import Process, Service, until

# How far each process's own clock is off, in seconds.
WEB_SKEWS = (0, 60, -60)
DISPATCH_SKEWS = (30, -60)


class Balancer:
    """Each connection goes to the next host that answers; bytes are passed on as they are."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = itertools.cycle(ports)
        self._count = len(ports)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        host = self._connect()
        if host is None:
            client.close()
            return
        back = threading.Thread(target=pass_on, args=(host, client), daemon=True)
        back.start()
        pass_on(client, host)
        back.join()
        client.close()
        host.close()

    def _connect(self) -> socket.socket | None:
        for _ in range(self._count):
            with self._lock:
                port = next(self._ports)
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", port), timeout=30)
        return None


def pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Hosts(Service):
    """Three web hosts and two that dispatch. `url` is the balancer's, as the world sees it."""

    def __init__(self, folder: Path, database_url: str, **settings: str) -> None:
        self.web_ports = [free_port() for _ in WEB_SKEWS]
        self.balancer = Balancer(self.web_ports)
        super().__init__(folder, database_url, port=self.balancer.port, **settings)
        self.webs: list[Process] = []
        self.dispatchers: list[Process] = []

    def start_all(self) -> None:
        self.webs = [self.start_web(number) for number in range(len(WEB_SKEWS))]
        self.dispatchers = [self.start_dispatcher(n) for n in range(len(DISPATCH_SKEWS))]
        for port in self.web_ports:
            until(lambda port=port: self._answers(port))
        until(
            lambda: (
                self.log.read_bytes().count(b"The dispatcher is running.") >= len(DISPATCH_SKEWS)
            )
        )

    def start_web(self, number: int) -> Process:
        return self.gunicorn(
            "tests.processes.skewed:app",
            PORT=str(self.web_ports[number]),
            DISPATCH="off",
            SKEW=str(WEB_SKEWS[number]),
        )

    def start_dispatcher(self, number: int) -> Process:
        skew = str(DISPATCH_SKEWS[number])
        app = "tests.processes.skewed"
        return self.begin_to_run("flask", "--app", app, "dispatch", SKEW=skew)

    def close(self) -> None:
        for process in (*self.webs, *self.dispatchers):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
        super().close()
        self.balancer.close()

    def _answers(self, port: int) -> bool:
        with contextlib.suppress(Exception):
            return self.http.get(f"http://127.0.0.1:{port}/healthz", timeout=1).ok
        return False


def begin(hosts: Hosts, phone: str = PHONE) -> str:
    id = hosts.begin(phone)
    until(lambda: hosts.texts(phone))
    until(lambda: hosts.status(id)["runtimeStatus"] == "Running")
    return id


def replies(hosts: Hosts, bodies: list[str]) -> Counter[str]:
    """Signed replies, all at once, one after the other to each host; what they were answered."""
    validator = RequestValidator(ACCOUNT.auth_token)

    def post(number: int) -> str:
        form = {"MessageSid": new_sid("SM"), "From": PHONE, "To": NUMBER, "Body": bodies[number]}
        signature = validator.compute_signature(f"{hosts.url}/twilio/sms", form)
        port = hosts.web_ports[number % len(hosts.web_ports)]
        response = hosts.http.post(
            f"http://127.0.0.1:{port}/twilio/sms",
            data=form,
            headers={"X-Twilio-Signature": signature},
            timeout=30,
        )
        assert response.status_code == 200, response.status_code
        return response.text

    with ThreadPoolExecutor(50) as pool:
        return Counter(pool.map(post, range(len(bodies))))
