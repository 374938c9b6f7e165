"""Where events may go: resolved addresses are checked, and the checked one is connected to."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from urllib3.exceptions import ConnectTimeoutError

from bot import settings
from bot.concurrency.watchdog import Watchdog
from bot.domain.webhook_response import WebhookResponse, WebhookResult
from bot.outbound import addresses, bounded
from bot.outbound.addresses import ForbiddenAddress
from bot.outbound.bounded import Call, direct_pool, under_way
from bot.settings import SettingsError
from bot.webhooks import client as client_module
from bot.webhooks.client import WebhookClient
from tests.harness import WEBHOOK_SECRET, environment

NEVER = [
    "169.254.169.254", "169.254.0.1", "0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1",
    "240.0.0.1", "168.63.129.16", "100.100.100.200", "fe80::1", "fe80::1%eth0", "fd00:ec2::254",
    "::", "ff02::1", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::169.254.169.254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
    "192.0.0.192", "::ffff:0:a9fe:a9fe", "2606:4700::5efe:a9fe:a9fe", "64:ff9b:1::a9fe:a9fe",
    "2606:4700::200:5efe:a9fe:a9fe", "fd20:ce::254", "fd00:42::42", "fd00:a9fe:a9fe::1",
    "fd00:c1::a9fe:a9fe",
]  # fmt: skip
PRIVATE = [
    "10.0.0.1", "172.16.5.4", "192.168.1.1", "100.64.0.1", "127.0.0.1", "127.1.2.3", "::1",
    "fc00::1", "fd12::1", "fec0::1", "198.18.0.1", "192.0.2.1", "::ffff:10.0.0.1",
    "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1", "64:ff9b:1::1",
    "2001:0:a00:1::f5ff:fffe", "3fff::1", "192.0.0.8", "::ffff:0:7f00:1", "2606:4700::5efe:a00:1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", NEVER)
def test_addresses_that_are_never_allowed(address: str) -> None:
    with pytest.raises(ForbiddenAddress):
        addresses.require_allowed(address, allows_private=True, allows_loopback=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_allowed_on_request(address: str) -> None:
    with pytest.raises(ForbiddenAddress):
        addresses.require_allowed(address, allows_private=False)
    addresses.require_allowed(address, allows_private=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    addresses.require_allowed(address, allows_private=False)


class Listener:
    """An HTTP server on loopback that counts what reaches it."""

    def __init__(self, status: int = 204, headers: dict[str, str] | None = None) -> None:
        self.seen: list[dict[str, str]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                listener.seen.append(dict(self.headers))
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@contextmanager
def listening(**more: Any) -> Iterator[Listener]:
    listener = Listener(**more)
    try:
        yield listener
    finally:
        listener.close()


def client(*, allows_private: bool = False, own_port: int = 1) -> WebhookClient:
    return WebhookClient(
        [WEBHOOK_SECRET],
        allows_private=allows_private,
        own_port=own_port,
        clock=lambda: datetime.now(UTC),
    )


def post(url: str, **more: Any) -> WebhookResponse:
    return client(**more).post(url, "msg_1", "{}")


def resolve(monkeypatch: pytest.MonkeyPatch, answers: list[list[str]]) -> None:
    """A resolver that gives each of these in turn."""

    def look_up(connection: Any, call: Any) -> list[Any]:
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (address, connection.port)) for address in found]

    monkeypatch.setattr(bounded, "resolve", look_up)


def test_loopback_that_the_operator_wrote_is_called() -> None:
    with listening() as listener:
        assert post(f"http://127.0.0.1:{listener.port}/hook").result is WebhookResult.DELIVERED
        assert listener.seen[0]["webhook-id"] == "msg_1"


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["169.254.169.254"]])
def test_a_name_that_leads_inside_is_not_called(
    monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    with listening() as listener:
        resolve(monkeypatch, [found])
        answer = post(f"http://inside.example:{listener.port}/")
        assert answer.result is WebhookResult.FORBIDDEN_ADDRESS
        assert listener.seen == []


def test_a_name_that_leads_inside_at_the_second_look_is_not_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection goes to the address that was checked: there is one look-up for a call."""
    with listening() as listener:
        url = f"http://rebound.example:{listener.port}/"
        resolve(monkeypatch, [["127.0.0.1"], ["169.254.169.254"]])
        caller = client(allows_private=True)
        assert caller.post(url, "msg_1", "{}").result is WebhookResult.DELIVERED
        caller = client(allows_private=True)  # on a new connection, there is a new look-up
        assert caller.post(url, "msg_2", "{}").result is WebhookResult.FORBIDDEN_ADDRESS
        assert len(listener.seen) == 1


def test_a_redirect_is_not_followed() -> None:
    with (
        listening() as inside,
        listening(status=302, headers={"Location": f"http://127.0.0.1:{inside.port}/"}) as outside,
    ):
        answer = post(f"http://127.0.0.1:{outside.port}/")
        assert (answer.result, answer.status) == (WebhookResult.REDIRECTED, 302)
        assert inside.seen == []


def test_a_port_of_ours_is_not_called() -> None:
    with listening() as listener:
        url = f"http://127.0.0.1:{listener.port}/"
        answer = post(url, own_port=listener.port, allows_private=True)
        assert answer.result is WebhookResult.FORBIDDEN_ADDRESS
        assert listener.seen == []


def test_spellings_of_an_address_are_resolved_before_they_are_checked() -> None:
    for host in ("2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[::ffff:169.254.169.254]"):
        assert post(f"https://{host}/").result is WebhookResult.FORBIDDEN_ADDRESS, host


def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as proxy, listening() as listener:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        assert post(f"http://127.0.0.1:{listener.port}/").result is WebhookResult.DELIVERED
        assert proxy.seen == []


@pytest.mark.parametrize("host", ["hooks..example.org", f"{'x' * 64}.example.org"])
def test_what_cannot_be_a_host_name_is_unreachable(host: str) -> None:
    assert post(f"https://{host}/x").result is WebhookResult.UNREACHABLE


def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert post(f"http://127.0.0.1:{port}/").result is WebhookResult.UNREACHABLE


def _silent(connection: socket.socket) -> None:
    connection.recv(65536)


def _broken(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
    connection.shutdown(socket.SHUT_RDWR)


def _gone_without_end(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 410 Gone\r\nContent-Length: 1000\r\n\r\n")
    threading.Event().wait(1)


def _without_end(begin: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(begin)
        while True:
            connection.sendall(piece)
            threading.Event().wait(0.05)

    return behave


@pytest.mark.parametrize(
    ("behave", "result"),
    [
        (_silent, WebhookResult.TIMEOUT),
        (_without_end(b"HTTP/1.1 204 No Content\r\n", b"X-More: y\r\n"), WebhookResult.TIMEOUT),
        (_without_end(b"HTTP/1.1 500 Error\r\n\r\n", b"x" * 8192), WebhookResult.REFUSED),
        (_broken, WebhookResult.DELIVERED),
        (_without_end(b"HTTP/1.1 200 OK\r\n\r\n", b"x"), WebhookResult.DELIVERED),
        (_gone_without_end, WebhookResult.GONE),
    ],
)
def test_a_call_ends_at_its_deadline_and_the_status_counts(
    monkeypatch: pytest.MonkeyPatch, behave: Callable[[socket.socket], None], result: WebhookResult
) -> None:
    monkeypatch.setattr(client_module, "CALL_SECONDS", 0.4)
    is_over = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            try:
                behave(connection)
                is_over.wait(10)
            except OSError:
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        assert post(f"http://127.0.0.1:{server.getsockname()[1]}/").result is result
    finally:
        is_over.set()
        server.close()
        thread.join()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("99999", 3600),
        ("soon", 0),
        ("-5", 0),
        ("", 0),
        ("٣", 0),
        (f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT", 0),
    ],
)
def test_retry_after(value: str, seconds: float) -> None:
    headers = {"Retry-After": value.encode().decode("latin-1")}
    with listening(status=503, headers=headers) as listener:
        assert post(f"http://127.0.0.1:{listener.port}/").retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"WEBHOOK_URLS": "http://example.com/"}, "https"),
        ({"WEBHOOK_URLS": "https://user:word@example.com/"}, "user or password"),
        ({"WEBHOOK_URLS": "https://example.com/#here"}, "fragment"),
        ({"WEBHOOK_URLS": "https://a.example/,https://a.example/"}, "more than once"),
        ({"WEBHOOK_URLS": ",".join(f"https://a{n}.example/" for n in range(6))}, "more than 5"),
        ({"WEBHOOK_URLS": "https://169.254.169.254/latest"}, "link-local"),
        ({"WEBHOOK_URLS": "https://[::ffff:169.254.169.254]/"}, "link-local"),
        ({"WEBHOOK_URLS": "https://0.0.0.0/"}, "no host"),
        ({"WEBHOOK_URLS": "https://10.0.0.1/"}, "WEBHOOK_ALLOW_PRIVATE"),
        ({"WEBHOOK_URLS": "https://verify.example.com/hook"}, "PUBLIC_BASE_URL"),
        ({"WEBHOOK_URLS": "ftp://example.com/"}, "https"),
        ({"WEBHOOK_URLS": "https://exa mple.com/"}, "ASCII"),
        ({"WEBHOOK_URLS": "https://example.com:port/"}, "no address"),
        ({"WEBHOOK_SECRET": ""}, "WEBHOOK_SECRET is not set"),
        ({"WEBHOOK_SECRET": "whsec_c2hvcnQ="}, "24 to 64"),
        ({"WEBHOOK_SECRET": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "whsec_"),
        ({"WEBHOOK_SECRET": "whsec_" + "A" * 44}, "guess"),
        ({"WEBHOOK_SECRET": "whsec_kJ3-x_Zq8Yt2Lw5Rb7mXc4pV9nHs6dFgT1aQeUoIyE0"}, "not - and _"),
        ({"WEBHOOK_URLS": "https://A.example/x,https://a.example/x"}, "more than once"),
        ({"WEBHOOK_SECRET": f"{WEBHOOK_SECRET},{WEBHOOK_SECRET}"}, "one secret"),
    ],
)
def test_senseless_settings_stop_the_start(changed: dict[str, str], said: str) -> None:
    good = environment(
        PUBLIC_BASE_URL="https://verify.example.com",
        WEBHOOK_URLS="https://app.example.com/hook",
        WEBHOOK_SECRET=WEBHOOK_SECRET,
    )
    assert settings.read(good).webhook_urls == ("https://app.example.com/hook",)
    with pytest.raises(SettingsError, match=said) as fault:
        settings.read({**good, **changed})
    assert "word" not in str(fault.value).replace("password", "")
    assert WEBHOOK_SECRET not in str(fault.value)


def test_names_that_hang_leave_look_ups_to_twilio() -> None:
    with ExitStack() as stack:
        for _ in range(bounded.FOREIGN_LOOK_UPS_AT_ONCE):
            assert bounded.foreign_look_ups.acquire(blocking=False)
            stack.callback(bounded.foreign_look_ups.release)
        with listening() as listener:
            url = f"http://localhost:{listener.port}/"
            monotonic = time.monotonic() + 0.2
            with pytest.raises(ConnectTimeoutError):
                ask(url, Call(monotonic, look_ups=bounded.foreign_look_ups))
            assert ask(url, Call(time.monotonic() + 10)) == 204


def ask(url: str, call: Call) -> int:
    with under_way(call, Watchdog()), direct_pool(retries=False) as pool:
        return pool.request("POST", url).status
