"""Twilio's Python client, of which only the address is changed, creates, fetches and cancels."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from bot.wording.segments import segments
from tests.harness import FUNCTION_KEY, PHONE, SYSTEM_KEY
from tests.harness import harness as open_harness
from tests.verify.conftest import Verify, client_of, refused

# -- create ----------------------------------------------------------------------------------------


def test_a_create_begins_and_answers_as_twilio_does(verify: Verify) -> None:
    created = verify.create()
    assert verify.last.status == 201
    assert (created.to, created.channel, created.status) == (PHONE, "sms", "pending")
    assert (created.valid, created.service_sid) == (False, verify.sid)
    (attempt,) = created.send_code_attempts
    assert attempt["channel"] == "SMS"
    assert attempt["attempt_sid"].startswith("VL")
    assert attempt["time"] == "2026-01-31T12:00:00Z"
    assert created.date_created.isoformat() == "2026-01-31T12:00:00+00:00"
    verify.harness.run_once()
    (text,) = verify.harness.texts()
    assert {"enter", "reply"} <= set(re.findall(r"[a-z]+", text.body.lower()))


def test_every_parameter_that_is_accepted(verify: Verify) -> None:
    created = verify.create_and_send(
        locale="pt-BR",
        custom_friendly_name="Juniper",
        app_hash="FA+9qCX9VSu",
        tags=json.dumps({"order": "4711"}),
        device_ip="203.0.113.9",
        risk_check="disable",
    )
    (text,) = verify.harness.texts()
    assert text.body.startswith("Juniper")
    assert text.body.endswith("\nFA+9qCX9VSu")
    status = verify.harness.status(created.sid.removeprefix("VE"))["customStatus"]
    assert json.loads(status["tag"]) == {"order": "4711"}
    assert status["locale"] == "pt-BR"
    (code,) = re.findall(r"\b[0-9]{6}\b", text.body)
    assert verify.check(code).status == "approved"


@pytest.mark.parametrize(
    "name", ["{code}", "Bank {code}", "{{company}}", "${APP_NAME}", "%s", "<name>"]
)
def test_a_placeholder_is_no_name(verify: Verify, name: str) -> None:
    assert refused(lambda: verify.create(custom_friendly_name=name)) == (400, 60200)


def test_a_plus_that_was_not_escaped_is_one(verify: Verify) -> None:
    url = f"{verify.harness.url}/v2/Services/{verify.sid}"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    ask = {"auth": ("anyone", FUNCTION_KEY), "headers": headers, "timeout": 10}
    begun = requests.post(f"{url}/Verifications", data=f"To={PHONE}&Channel=sms", **ask)
    assert begun.status_code == 201, begun.text
    verify.harness.run_once()
    code = verify.harness.code()
    checked = requests.post(f"{url}/VerificationCheck", data=f"To={PHONE}&Code={code}", **ask)
    assert checked.json()["status"] == "approved"


def test_the_user_names_sid_comes_back(verify: Verify) -> None:
    sid = "AC" + "ab" * 16
    body = verify.post("/Verifications", {"To": PHONE, "Channel": "sms"}, auth=(sid, SYSTEM_KEY))
    assert body.json()["account_sid"] == sid
    assert body.json()["url"].startswith(verify.harness.url)


def test_the_longest_text_fits_one_segment(verify: Verify) -> None:
    verify.restart(CODE_LENGTH="10", WINDOW_SECONDS="3600", SERVICE_NAME="S" * 40)
    verify.create_and_send(PHONE)
    verify.create_and_send("+14255550130", custom_friendly_name="M" * 32)
    for phone in (PHONE, "+14255550130"):
        found = segments(verify.harness.texts(phone)[-1].body)
        assert (found.encoding, found.count) == ("GSM-7", 1)


def test_without_settings_a_code_has_four_digits(tmp_path: Path) -> None:
    with open_harness(tmp_path) as harness:
        caller = Verify(harness)
        caller.create_and_send()
        assert len(harness.code()) == 4
        assert caller.service.fetch().code_length == 4


def test_a_create_while_pending_sends_the_same_code_again(verify: Verify) -> None:
    first = verify.create_and_send()
    verify.harness.forward(15)
    second = verify.create_and_send()
    assert second.sid == first.sid
    assert len(second.send_code_attempts) == 2
    one, other = verify.harness.texts()
    assert one.body == other.body
    verify.create_and_send()
    assert len(verify.harness.texts()) == 2, "a double click"


def test_after_an_end_a_create_begins_another(verify: Verify) -> None:
    sids = [verify.create_and_send().sid]
    verify.check(verify.harness.code())
    sids.append(verify.create_and_send().sid)
    verify.cancel(sids[-1])
    sids.append(verify.create_and_send().sid)
    verify.harness.forward(700)
    sids.append(verify.create_and_send().sid)
    assert len(set(sids)) == 4


# -- fetch and update ------------------------------------------------------------------------------


def test_it_is_fetched_by_sid_and_by_number(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    assert verify.fetch(sid).status == "pending"
    assert verify.fetch(PHONE).sid == sid
    assert verify.last.path.endswith(PHONE), "the client sends a raw plus"
    for spelling in ("%2B14255550123", "+14255550123", "%2b14255550123"):
        response = verify.post(f"/Verifications/{spelling}", method="GET")
        assert (response.status_code, response.json()["sid"]) == (200, sid)
    assert refused(lambda: verify.fetch("+14255550199")) == (404, 20404)
    assert refused(lambda: verify.fetch("VE" + "0" * 32)) == (404, 20404)
    assert refused(lambda: verify.fetch("nonsense")) == (404, 20404)
    landline = "+4930901820"
    assert refused(lambda: verify.fetch(landline)) == (404, 20404)
    assert refused(lambda: verify.check("123456", to=landline)) == (404, 20404)


@pytest.mark.parametrize("by", ["sid", "to"])
def test_a_pending_one_is_canceled(verify: Verify, by: str) -> None:
    created = verify.create_and_send()
    canceled = verify.cancel(getattr(created, by))
    assert (canceled.status, canceled.valid, canceled.sid) == ("canceled", False, created.sid)
    assert verify.fetch(created.sid).status == "canceled"
    assert refused(lambda: verify.fetch(PHONE)) == (404, 20404)
    assert refused(lambda: verify.check(verify.harness.code())) == (404, 20404)
    assert refused(lambda: verify.cancel(created.sid)) == (404, 20404)


def test_the_one_service_is_listed_and_fetched(verify: Verify) -> None:
    verify.restart(SERVICE_NAME="Juniper")
    (listed,) = verify.client.verify.v2.services.list(limit=20)
    fetched = verify.service.fetch()
    assert listed.sid == fetched.sid == verify.sid
    assert (fetched.friendly_name, fetched.code_length) == ("Juniper", 6)


def test_the_pages_of_services_end(verify: Verify) -> None:
    services = verify.client.verify.v2.services
    assert len(list(services.page(page_number=0, page_size=1))) == 1
    assert list(services.page(page_number=1, page_size=1)) == []


@pytest.mark.parametrize(("edge", "region"), [("dublin", "ie1"), ("", "au1"), ("ashburn", "")])
def test_the_host_of_an_edge_and_a_region_is_replaced_too(
    verify: Verify, monkeypatch: pytest.MonkeyPatch, edge: str, region: str
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", edge)
    monkeypatch.setenv("TWILIO_REGION", region)
    verify.client = client_of(verify.harness.url)
    assert verify.create().status == "pending"


@pytest.mark.parametrize("name", ["Łódzki Bank Narodu", "Juniper’s Big Shop"])
def test_a_name_that_fits_into_no_text_of_the_language_is_in_another(
    verify: Verify, name: str
) -> None:
    created = verify.create_and_send(custom_friendly_name=name, locale="pl, fr;q=0.5")
    custom = verify.harness.status(created.sid.removeprefix("VE"))["customStatus"]
    assert custom["locale"] == "en", "nor does it fit in French"
    assert verify.harness.texts()[-1].body.startswith(f"{name}: ")


class Asynchronous(AsyncTwilioHttpClient):
    """As docs/verify.md says."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.base_url = base_url

    async def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
        url = re.sub(r"^https://verify[^/]*\.twilio\.com", self.base_url, url)
        return await super().request(method, url, *args, **more)


@pytest.mark.filterwarnings("ignore:.*will be removed in:DeprecationWarning")  # used by the library
def test_the_asynchronous_client_works_with_the_same_method(verify: Verify) -> None:
    async def whole_flow() -> tuple[str, str]:
        async with Asynchronous(verify.harness.url) as http:
            service = Client("anyone", FUNCTION_KEY, http_client=http).verify.v2.services(
                verify.sid
            )
            await service.verifications.create_async(to=PHONE, channel="sms")
            verify.harness.run_once()
            code = verify.harness.code()
            checked = await service.verification_checks.create_async(to=PHONE, code=code)
            fetched = await service.verifications(PHONE).fetch_async()
            return checked.status, fetched.status

    assert asyncio.run(whole_flow()) == ("approved", "approved")
