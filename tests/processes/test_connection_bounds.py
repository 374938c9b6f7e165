"""Bounds on open files, on connections of one address, and on what connections hold."""

import resource
import signal
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot import settings
from bot.server import file_limit
from bot.server.connection import Connection
from bot.server.connections import Connections
from bot.server.worker import Worker
from tests.harness import WEBHOOK_SECRET, environment
from tests.processes.clients import held_open
from tests.processes.service import ROOT, Service, until

GUNICORN = ("gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app")


@pytest.mark.parametrize(
    ("files", "is_started", "words"),
    [
        (128, False, "may open 128 files"),
        (300, True, "serves 100 connections at once in place of CONNECTIONS=4000"),
    ],
)
def test_a_low_limit_of_files_is_told(
    tmp_path: Path, files: int, is_started: bool, words: str
) -> None:
    service = Service(tmp_path, CONNECTIONS_PER_ADDRESS="0")
    try:
        process = service.run(*GUNICORN, files=(files, files))
        if not is_started:
            assert process.wait(30) == 1
        else:
            until(service.is_ready)
            with held_open(service, [b"G"] * 200):
                until(service.is_ready)  # slow heads make room
        assert words in service.log.read_text()
    finally:
        service.close()


@pytest.mark.parametrize(
    ("changed", "files"),
    [
        ({}, 200),
        ({"SEND_CONCURRENCY": "256"}, 584),
        ({"DATABASE_URL": "postgresql://here/textback", "DATABASE_CONNECTIONS": "500"}, 652),
        ({"WEBHOOK_URLS": ",".join(f"https://example.com/{n}" for n in range(5))}, 280),
    ],
)
def test_files_beside_connections_grow_with_the_settings(
    changed: dict[str, str], files: int
) -> None:
    made = settings.read(environment(WEBHOOK_SECRET=WEBHOOK_SECRET, **changed))
    assert file_limit.of_ours(made) == files


def test_an_ipv6_network_is_one_address() -> None:
    """A host with one IPv6 address has 2**64 of them; IPv4 within IPv6 is a host by itself."""
    connections = Connections(most=100, of_one_address=2, keepalive=5, cut=lambda _: None)

    def admitted(*addresses: str) -> list[bool]:
        with ExitStack() as stack:
            return [
                stack.enter_context(
                    connections.admit(
                        stack.enter_context(Connection(connections)), (address, 1, 0, 0)
                    )
                )
                for address in addresses
            ]

    assert admitted("2001:db8::1", "2001:db8::2", "2001:db8::3") == [True, True, False]
    assert admitted("2001:db8::1", "2001:db8::2", "2001:db8:0:1::3") == [True, True, True]
    assert admitted("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1") == [True, True, False]
    assert admitted("::ffff:192.0.2.1", "::ffff:192.0.2.2", "192.0.2.3") == [True, True, True]
    assert admitted("", "", "") == [True, True, False]


def test_a_reload_makes_room_for_more_connections(tmp_path: Path) -> None:
    service = Service(tmp_path, CONNECTIONS_PER_ADDRESS="0")
    file = tmp_path / ".env"
    file.write_text("CONNECTIONS=100\n")
    try:
        process = service.run(*GUNICORN, folder=tmp_path, files=(700, 900), PYTHONPATH=str(ROOT))
        until(service.is_ready)
        assert "in place of CONNECTIONS" not in service.log.read_text()
        file.write_text("CONNECTIONS=4000\n")
        process.send_signal(signal.SIGHUP)
        words = "serves 700 connections at once in place of CONNECTIONS=4000"
        until(lambda: words in service.log.read_text())
        assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (900, 900)
    finally:
        service.close()


def test_a_request_of_a_connection_that_was_closed_is_not_carried_out() -> None:
    """One that pipelines may be closed to make room after a whole request of it has been read."""
    closed: Any = SimpleNamespace(is_over=True)
    with pytest.raises(StopIteration):
        Worker.handle_request(closed, "127.0.0.1:80", None, closed, None)
