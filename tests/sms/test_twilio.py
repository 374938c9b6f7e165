"""The gateway, and that its requests are those of Twilio's own description."""

import base64
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from urllib3 import exceptions

from bot import settings as settings_module
from bot.channels.gateway import Postponed
from bot.channels.twilio import error_codes, errors, http, number
from bot.channels.twilio.client import TwilioGateway
from bot.channels.twilio.error_codes import Kind
from bot.channels.twilio.http import PooledHttpClient
from bot.outbound import bounded
from simulator.world import Service
from tests.harness import NUMBER, PHONE, Harness, environment

ROOT = Path(__file__).parents[2]

LATER = time.monotonic() + 3600


def test_only_twilios_own_hosts_are_rebased(harness: Harness) -> None:
    client = PooledHttpClient(harness.simulator.url, timeout=1, connections=1)
    path = "/2010-04-01/Accounts/x/Messages.json"
    for host in ("api.twilio.com", "api.dublin.ie1.twilio.com", "messaging.twilio.com"):
        assert client.request("GET", f"https://{host}{path}").status_code == 401
    with pytest.raises(exceptions.NewConnectionError):
        client.request("GET", f"http://api.twilio.com.evil.invalid{path}")


def login_of(pool) -> str:
    kind, _, login = pool.proxy_headers["proxy-authorization"].partition(" ")
    assert kind == "Basic"
    return base64.b64decode(login).decode()


def test_a_proxy_of_the_machine_is_used_but_not_to_loopback(monkeypatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:word@127.0.0.1:3128")
    through = PooledHttpClient(None, timeout=1, connections=1).pool
    assert through.proxy.port == 3128
    assert login_of(through) == "user:word"
    monkeypatch.setenv("HTTPS_PROXY", "user:p%40ss%3Aw@127.0.0.1:3128")
    through = PooledHttpClient(None, timeout=1, connections=1).pool
    assert (through.proxy.scheme, login_of(through)) == ("http", "user:p@ss:w")
    beside = PooledHttpClient("http://127.0.0.1:9", timeout=1, connections=1).pool
    assert beside.proxy is None
    monkeypatch.setenv("NO_PROXY", "api.twilio.com")
    assert PooledHttpClient(None, timeout=1, connections=1).pool.proxy is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", 7.0),
        ("9999", 9999.0),
        ("10000", 10000.0),
        (" 7 ", 7.0),
        ("-1", None),
        ("1.5", 1.5),
        ("1e5", None),
        ("9" * 10, None),
        ("٣", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_seconds_of_a_retry_after(header: str | None, expected: float | None) -> None:
    assert http.seconds(header) == expected


PREPARED = """
import os, sys
from bot import settings
from bot.channels.twilio.client import TwilioGateway
gateway = TwilioGateway(settings.read(dict(os.environ)))
gateway.prepare()
before = set(sys.modules)
gateway.client.messages
print(sorted(set(sys.modules) - before))
"""


def test_the_first_request_imports_nothing_any_more() -> None:
    """In a process that has not used the library yet: it would answer nobody meanwhile."""
    command = [sys.executable, "-c", PREPARED]
    ran = subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, timeout=60)
    assert ran.stdout == b"[]\n", ran.stderr


def test_only_a_connection_that_never_was_may_be_sent_again(harness: Harness) -> None:
    gateway = TwilioGateway(
        settings_module.read(environment(TWILIO_API_BASE_URL="http://127.0.0.1:9"))
    )
    sent = gateway.send(to=PHONE, body="x", validity_seconds=60, text_id="t", until=LATER)
    assert sent == Postponed(None)


def test_the_simulator_refuses_what_twilio_would(harness: Harness) -> None:
    """Strict as Twilio's description: our own requests pass it, others do not."""
    base = f"{harness.simulator.url}/2010-04-01/Accounts/{harness.settings.twilio_account_sid}"
    auth = (harness.settings.twilio_account_sid, harness.settings.twilio_auth_token[0])
    good = {"To": PHONE, "From": NUMBER, "Body": "x"}

    def post(form, **more):
        return requests.post(f"{base}/Messages.json", data=form, **{"auth": auth, **more})

    assert post(good).status_code == 201
    assert post(good, auth=("AC", "no")).json()["code"] == 20003
    assert post({**good, "Unknown": "1"}).json()["code"] == 20001
    assert post({**good, "To": "12"}).json()["code"] == 21211
    assert post({**good, "Body": ""}).json()["code"] == 21602
    assert post({**good, "From": PHONE}).json()["code"] == 21606
    assert post({**good, "ValidityPeriod": "0"}).json()["code"] == 21624


@pytest.mark.parametrize(("code", "trouble"), sorted(error_codes.ERROR_CODES.items()))
def test_every_trouble_has_a_sentence_of_its_own_words(
    code: int, trouble: errors.ErrorCode
) -> None:
    assert 10_000 <= code <= 999_999
    assert trouble.sentence.endswith(".")
    assert "+" not in trouble.sentence


@pytest.mark.parametrize(("code", "trouble"), sorted(error_codes.ERROR_CODES.items()))
def test_every_trouble_says_what_to_do(code: int, trouble: errors.ErrorCode) -> None:
    does = r"Ask |Fix |Wait |Check |See |Report |Verify |Register |Shorten |Put |look for |"
    does += r"Take |Give |Upgrade |switch them on|must |Another sending number"
    assert re.search(does, trouble.with_advice), trouble.with_advice
    assert errors.with_advice(code) == trouble.with_advice


def test_unknown_codes_go_by_their_status() -> None:
    assert errors.at_send(99999, 400).is_permanent
    assert not errors.at_send(99999, 503).is_permanent
    assert errors.at_send(99999, 429).kind is Kind.LIMIT
    assert not errors.in_report(99999).is_permanent
    assert errors.sentence(99999) is None


# -- the number's webhook -------------------------------------------------------------------------


def test_a_messaging_service_that_decides_is_warned_of(harness: Harness) -> None:
    world = harness.simulator.world
    number_sid = world.number.sid
    world.service = Service("MG" + "1" * 32, number_sid, uses_number_webhook=False)
    assert "posts replies to no address" in number.check(harness.settings).faults[-1]
    world.service = Service("MG" + "1" * 32, number_sid, uses_number_webhook=True)
    assert not any("posts replies" in fault for fault in number.check(harness.settings).faults)


def test_texts_through_a_messaging_service_go_the_whole_way(tmp_path) -> None:
    from tests.harness import harness as open_harness

    service = "MG" + "1" * 32
    with open_harness(
        tmp_path, TWILIO_PHONE_NUMBER="", TWILIO_MESSAGING_SERVICE_SID=service
    ) as harness:
        world = harness.simulator.world
        world.service = Service(service, world.number.sid)
        id = harness.start_and_send()["id"]
        assert harness.texts()[-1].service_sid == service
        from bot.dispatch import catch_up
        from simulator import faults

        harness.text(harness.wrong())
        harness.simulator.faults.add(faults.WEBHOOK_NEVER)
        harness.text(harness.code())
        catch_up.read_missed(harness.store, harness.service.gateway, harness.service.rules)
        assert harness.status(id)["output"] is True


def test_a_connection_that_was_idle_for_long_is_opened_anew(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall may have dropped it silently."""
    client = PooledHttpClient(harness.simulator.url, timeout=1, connections=1)

    def opened() -> int:
        client.request("GET", "https://api.twilio.com/2010-04-01/Accounts.json")
        return client.pool.connection_from_url(harness.simulator.url).num_connections

    assert (opened(), opened()) == (1, 1)
    monkeypatch.setattr(bounded, "LONGEST_IDLE_SECONDS", -1.0)
    pool = client.pool.connection_from_url(harness.simulator.url)
    connection = pool._get_conn()
    assert connection.sock is None
    pool._put_conn(connection)
    client.request("GET", "https://api.twilio.com/2010-04-01/Accounts.json")
