"""Receivers over https: their certificates, and a connection that they close."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from bot.domain.webhook_response import WebhookResult
from bot.webhooks.client import trusting
from tests.webhooks.listener import accepting, client, post, read_event


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    """An authority of one's own, which SSL_CERT_FILE names."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    trusting.cache_clear()
    yield made
    trusting.cache_clear()


def over_tls(
    authority: trustme.CA, behave: Callable[[socket.socket], object], name: str = "127.0.0.1"
) -> Callable[[socket.socket], object]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)

    def wrap(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            behave(wrapped)

    return wrap


def take(connection: socket.socket) -> None:
    read_event(connection)
    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


def https(url: str) -> str:
    return url.replace("http:", "https:")


def test_a_certificate_of_an_authority_of_ones_own_is_accepted(authority: trustme.CA) -> None:
    with accepting(over_tls(authority, take)) as url:
        assert post(https(url)).result is WebhookResult.DELIVERED


def test_a_certificate_of_another_authority_is_refused(authority: trustme.CA) -> None:
    with accepting(over_tls(trustme.CA(), take)) as url:
        assert post(https(url)).result is WebhookResult.UNREACHABLE


def test_a_certificate_of_another_name_is_refused(authority: trustme.CA) -> None:
    with accepting(over_tls(authority, take, name="192.0.2.1")) as url:
        assert post(https(url)).result is WebhookResult.UNREACHABLE


def test_a_new_connection_that_the_receiver_closes_is_one_call(authority: trustme.CA) -> None:
    called: list[bytes] = []
    closes = over_tls(authority, lambda connection: called.append(read_event(connection)))
    with accepting(closes) as url:
        assert post(https(url)).result is WebhookResult.UNREACHABLE
    assert len(called) == 1


def test_a_kept_connection_that_the_receiver_closes_costs_no_try(authority: trustme.CA) -> None:
    unanswered: list[bytes] = []

    def answer_once(connection: socket.socket) -> None:
        take(connection)
        unanswered.append(read_event(connection))

    with accepting(over_tls(authority, answer_once)) as url:
        made = client()
        for number in range(3):
            result = made.post(https(url), f"msg_{number}", "{}").result
            assert result is WebhookResult.DELIVERED
        assert len(unanswered) == 2
