"""Where events may go: resolved addresses are checked, and the checked one is connected to."""

import socket
from typing import Any

import pytest

from bot import settings
from bot.domain.webhook_response import WebhookResult
from bot.outbound import addresses, bounded
from bot.outbound.addresses import ForbiddenAddress
from bot.settings import SettingsError
from tests.harness import WEBHOOK_SECRET, environment
from tests.webhooks.listener import client, listening, post

NEVER = [
    "169.254.169.254", "169.254.0.1", "0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1",
    "240.0.0.1", "168.63.129.16", "100.100.100.200", "fe80::1", "fe80::1%eth0", "fd00:ec2::254",
    "::", "ff02::1", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::169.254.169.254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
    "192.0.0.192", "::ffff:0:a9fe:a9fe", "2606:4700::5efe:a9fe:a9fe", "64:ff9b:1::a9fe:a9fe",
    "2606:4700::200:5efe:a9fe:a9fe", "fd20:ce::254", "fd00:42::42", "fd00:a9fe:a9fe::1",
    "fd00:c1::a9fe:a9fe", "fd00:ec2::23", "fd00:ec2::253", "64:ff9b:1:a9fe:a9:fe00::",
    "64:ff9b:1:a9:fe:a9fe::", "64:ff9b:1:0:a9:fea9:fe00:0",
]  # fmt: skip
PRIVATE = [
    "10.0.0.1", "172.16.5.4", "192.168.1.1", "100.64.0.1", "127.0.0.1", "127.1.2.3", "::1",
    "fc00::1", "fd12::1", "fec0::1", "198.18.0.1", "192.0.2.1", "::ffff:10.0.0.1",
    "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1", "64:ff9b:1::1",
    "2001:0:a00:1::f5ff:fffe", "3fff::1", "192.0.0.8", "::ffff:0:7f00:1", "2606:4700::5efe:a00:1",
    "64:ff9b:1:fffe::a00:5", "64:ff9b:1:e001::a00:5",
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
        ({"WEBHOOK_URLS": "https://10.0.0.1./"}, "WEBHOOK_ALLOW_PRIVATE"),
        ({"WEBHOOK_URLS": "https://verify.example.com/hook"}, "PUBLIC_BASE_URL"),
        ({"WEBHOOK_URLS": "ftp://example.com/"}, "https"),
        ({"WEBHOOK_URLS": "app.example.com/hook"}, "must begin with https://"),
        ({"WEBHOOK_URLS": "https:/app.example.com"}, "needs a host"),
        ({"WEBHOOK_URLS": "https://a..example.com/"}, "cannot be one"),
        ({"WEBHOOK_URLS": "https://exa mple.com/"}, "ASCII"),
        ({"WEBHOOK_URLS": "https://example.com:port/"}, "not an address"),
        ({"WEBHOOK_SECRET": ""}, "WEBHOOK_SECRET is not set"),
        ({"WEBHOOK_SECRET": "whsec_c2hvcnQ="}, "24 to 64"),
        ({"WEBHOOK_SECRET": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "whsec_"),
        ({"WEBHOOK_SECRET": "whsec_" + "A" * 44}, "guess"),
        # Reference libraries refuse one without its =, or with more.
        ({"WEBHOOK_SECRET": "whsec_kJ3x9Zq8Yt2Lw5Rb7mXc4pV9nHs6dFgT1aQeUoIyE0U"}, "= at the end"),
        ({"WEBHOOK_SECRET": "whsec_kJ3x9Zq8Yt2Lw5Rb7mXc4pV9nHs6dFgT1aQeUoIyE0U=="}, "= at the end"),
        ({"WEBHOOK_SECRET": "whsec_kJ3-x_Zq8Yt2Lw5Rb7mXc4pV9nHs6dFgT1aQeUoIyE0"}, "not - and _"),
        ({"WEBHOOK_URLS": "https://A.example/x,https://a.example/x"}, "more than once"),
        ({"WEBHOOK_URLS": "https://a.example/x,https://a.example:443/x"}, "more than once"),
        ({"WEBHOOK_URLS": "https://a.example/x,https://a.example./x"}, "more than once"),
        ({"WEBHOOK_URLS": "https://a.example,https://a.example/"}, "more than once"),
        ({"WEBHOOK_URLS": "https://0x7f000001/"}, "cannot be one"),
        ({"WEBHOOK_URLS": "https://0177.0.0.1/"}, "cannot be one"),
        ({"WEBHOOK_URLS": "https://-a.example/"}, "cannot be one"),
        ({"WEBHOOK_URLS": "https://a.example\\x"}, "backslashes"),
        ({"WEBHOOK_URLS": "https://a.example../x"}, "cannot be one"),
        ({"WEBHOOK_URLS": "https://[2606:4700::1111%25eth0]/x"}, "cannot be one"),
        (
            {"WEBHOOK_URLS": "https://[2606:4700::1]/,https://[2606:4700:0:0:0:0:0:1]/"},
            "more than once",
        ),
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
