"""Twilio's Python client drives everything; nothing of it is changed but the address."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.wording.segments import segments
from tests.harness import FUNCTION_KEY, NUMBER, PHONE, SYSTEM_KEY, Harness
from tests.harness import harness as open_harness
from tests.verify.conftest import Verify, client_of, refused
from tests.verify.troubles import TROUBLES, Trouble

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


# -- check -----------------------------------------------------------------------------------------


def test_the_pages_of_services_end(verify: Verify) -> None:
    services = verify.client.verify.v2.services
    assert len(list(services.page(page_number=0, page_size=1))) == 1
    assert list(services.page(page_number=1, page_size=1)) == []


def test_a_wrong_code_is_200_and_the_right_one_approves(verify: Verify) -> None:
    created = verify.create_and_send()
    wrong = verify.check(verify.harness.wrong())
    assert (wrong.status, wrong.valid, verify.last.status) == ("pending", False, 200)
    right = verify.check(verify.harness.code())
    assert (right.status, right.valid, right.sid) == ("approved", True, created.sid)
    assert verify.harness.history(created.sid.removeprefix("VE"))[-1] == "approved"


def test_the_right_code_is_right_for_ten_minutes_more(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    code = verify.harness.code()
    for seconds in (0, 300, 299):
        verify.harness.forward(seconds)
        assert verify.check(code).status == "approved"
        assert verify.check(code, to=None, verification_sid=sid).valid
        assert verify.fetch(sid).status == verify.fetch(PHONE).status == "approved"
        assert refused(lambda: verify.check(verify.harness.wrong())) == (404, 20404)
        assert refused(lambda: verify.check("12345")) == (404, 20404)
    verify.harness.forward(2)
    assert refused(lambda: verify.check(code)) == (404, 20404)
    assert refused(lambda: verify.fetch(sid)) == (404, 20404)


def test_the_last_wrong_code_is_200_and_the_next_429(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    for _ in range(5):
        assert verify.check(verify.harness.wrong()).status == "pending"
    for code in (verify.harness.code(), verify.harness.wrong()):
        assert refused(lambda code=code: verify.check(code)) == (429, 60202)
    assert int(verify.last.headers["Retry-After"]) == 600
    assert verify.fetch(sid).status == "max_attempts_reached"
    verify.harness.forward(600)
    assert refused(lambda: verify.check(verify.harness.code())) == (404, 20404)


def test_what_is_expired_is_gone(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    code = verify.harness.code()
    verify.harness.clock.forward(600)
    assert refused(lambda: verify.check("12345")) == (404, 20404), "the timer has not looked yet"
    assert refused(lambda: verify.check(code)) == (404, 20404)
    assert refused(lambda: verify.fetch(sid)) == (404, 20404)


@pytest.mark.parametrize("code", ["1234", "12345", "1234567", "abcdef"])
def test_a_code_of_another_form_is_wrong_and_no_attempt(verify: Verify, code: str) -> None:
    """A handler of 60200 would tell the person that the number is wrong."""
    sid = verify.create_and_send().sid
    assert verify.check(code).status == "pending"
    status = verify.harness.status(sid.removeprefix("VE"))
    assert status["customStatus"]["attemptsUsed"] == 0


def test_by_sid_and_number_both_must_fit(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    code = verify.harness.code()
    other = "+14255550124"
    assert refused(lambda: verify.check(code, other, verification_sid=sid)) == (404, 20404)
    assert verify.check(code, PHONE, verification_sid=sid).status == "approved"


def test_a_text_approves_while_a_page_polls(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    assert verify.fetch(sid).status == "pending"
    verify.harness.text(verify.harness.code())
    assert (verify.fetch(sid).status, verify.fetch(sid).valid) == ("approved", True)
    assert verify.check(verify.harness.code()).status == "approved", "entered as well"


def test_checks_and_replies_share_one_counter(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    for place in range(5):
        wrong = verify.harness.wrong()
        verify.harness.text(wrong) if place % 2 else verify.check(wrong)
    assert verify.fetch(sid).status == "max_attempts_reached"


# -- beside the other interface --------------------------------------------------------------------


@pytest.mark.parametrize("id", ["", "/my own id", "/" + "c0ffee" * 5 + "00"])
def test_what_the_other_interface_began_goes_on_here(verify: Verify, id: str) -> None:
    path = "/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification" + id
    began = verify.harness.call("POST", path, json=PHONE)
    assert began.status_code == 202
    verify.harness.run_once()
    client = client_of(verify.harness.url, SYSTEM_KEY)
    service = client.verify.v2.services(verify.sid)
    verify.harness.forward(15)
    again = service.verifications.create(to=PHONE, channel="sms")
    assert len(again.send_code_attempts) == 2
    checks = service.verification_checks
    code = verify.harness.code()
    assert checks.create(verification_sid=again.sid, code=code).status == "approved"
    assert verify.harness.status(began.json()["id"])["output"] is True


def test_what_another_key_began_is_not_seen(verify: Verify) -> None:
    verify.restart(FUNCTION_KEY="web:a-function-key-for-tests,app:another-key-for-the-tests")
    sid = verify.create_and_send().sid
    code = verify.harness.code()
    client = client_of(verify.harness.url, "another-key-for-the-tests")
    other = client.verify.v2.services(verify.sid)
    assert refused(lambda: other.verifications(sid).fetch()) == (404, 20404)
    assert refused(lambda: other.verifications(PHONE).fetch()) == (404, 20404)
    assert refused(lambda: other.verifications(sid).update(status="canceled")) == (404, 20404)
    assert refused(lambda: other.verification_checks.create(to=PHONE, code=code)) == (404, 20404)
    assert refused(lambda: other.verifications.create(to=PHONE, channel="sms")) == (429, 60212)
    assert verify.check(code).status == "approved"
    manager = client_of(verify.harness.url, SYSTEM_KEY).verify.v2.services(verify.sid)
    assert manager.verifications(sid).fetch().status == "approved"


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TROUBLES)
def test_each_refusal_has_its_code(verify: Verify, name: str) -> None:
    trouble: Trouble = TROUBLES[name]
    verify.restart(**trouble.settings)
    status, code = refused(lambda: trouble.bring_about(verify))
    assert (status, code) == (trouble.status, trouble.code)
    assert verify.last.status == status
    assert verify.last.headers.get("Twilio-Reached-Rate-Limit") == trouble.limit
    assert ("Retry-After" in verify.last.headers) == (status in (429, 503, *trouble.retried))


REFUSED = {
    "custom_code": ("CustomCode", "123456"),
    "template_sid": ("TemplateSid", "HJ" + "0" * 32),
    "template_custom_substitutions": ("TemplateCustomSubstitutions", "{}"),
    "amount": ("Amount", "39.99"),
    "payee": ("Payee", "Acme"),
    "rate_limits": ("RateLimits", {"ip": "203.0.113.9"}),
    "send_digits": ("SendDigits", "ww1"),
    "custom_message": ("CustomMessage", "Hello"),
    "channel_configuration": ("ChannelConfiguration", {"from": "a@example.com"}),
    "enable_sna_client_token": ("EnableSnaClientToken", True),
}


@pytest.mark.parametrize("argument", REFUSED)
def test_what_is_not_supported_is_refused_by_its_name(verify: Verify, argument: str) -> None:
    name, value = REFUSED[argument]
    assert refused(lambda: verify.create(**{argument: value})) == (400, 60200)
    assert f"`{name}`" in verify.last.json["message"]
    verify.harness.run_once()
    assert verify.harness.texts() == []


@pytest.mark.parametrize(
    ("path", "form", "name"),
    [
        ("/Verifications", {"To": PHONE, "Channel": "sms", "Nonsense": "1"}, "Nonsense"),
        ("/Verifications", {"Channel": "sms"}, "To"),
        ("/Verifications", {"To": PHONE}, "Channel"),
        ("/Verifications", {"To": [PHONE, PHONE], "Channel": "sms"}, "To"),
        ("/Verifications", {"To": "12", "Channel": "sms"}, "To"),
        ("/Verifications", {"To": PHONE, "Channel": "auto"}, "Channel"),
        ("/Verifications", {"To": PHONE, "Channel": "pigeon"}, "Channel"),
        ("/Verifications", {"To": PHONE, "Channel": "sms", "Locale": "?"}, "Locale"),
        ("/Verifications", {"To": PHONE, "Channel": "sms", "Tags": "a"}, "Tags"),
        ("/Verifications", {"To": PHONE, "Channel": "sms", "Tags": "[]"}, "Tags"),
        ("/Verifications", {"To": PHONE, "Channel": "sms", "AppHash": "short"}, "AppHash"),
        (
            "/Verifications",
            {"To": PHONE, "Channel": "sms", "CustomFriendlyName": "call 12345"},
            "CustomFriendlyName",
        ),
        (
            "/Verifications",
            {"To": PHONE, "Channel": "sms", "CustomFriendlyName": "Ж" * 32},
            "CustomFriendlyName",
        ),
        (
            "/Verifications",
            {"To": PHONE, "Channel": "sms", "CustomFriendlyName": "Con\ttoso"},
            "CustomFriendlyName",
        ),
        ("/VerificationCheck", {"Code": "123456"}, "To"),
        ("/VerificationCheck", {"To": PHONE}, "Code"),
        ("/VerificationCheck", {"To": "nonsense", "Code": "123456"}, "To"),
        ("/VerificationCheck", {"VerificationSid": PHONE, "Code": "123456"}, "VerificationSid"),
        ("/VerificationCheck", {"To": PHONE, "Code": "123456", "Amount": "1"}, "Amount"),
        ("/VerificationCheck", {"To": PHONE, "Code": "1", "SnaClientToken": "x"}, "SnaClientToken"),
        (f"/Verifications/{PHONE}", {"Status": "approved"}, "Status"),
        (f"/Verifications/{PHONE}", {}, "Status"),
    ],
)
def test_the_parameter_at_fault_is_named(verify: Verify, path: str, form: Any, name: str) -> None:
    response = verify.post(path, form)
    assert (response.status_code, response.json()["code"]) == (400, 60200)
    assert f"`{name}`" in response.json()["message"]


@pytest.mark.parametrize("code", ["1", "123", "12345678901"])
def test_a_code_that_none_can_be_is_invalid(verify: Verify, code: str) -> None:
    verify.create_and_send()
    assert refused(lambda: verify.check(code)) == (400, 60200)
    assert "`Code`" in verify.last.json["message"]


@pytest.mark.parametrize("channel", ["call", "whatsapp", "email", "sna", "CALL"])
def test_another_channel_is_disabled(verify: Verify, channel: str) -> None:
    assert refused(lambda: verify.create(channel=channel)) == (400, 60223)


def test_an_error_names_no_number(verify: Verify) -> None:
    assert refused(lambda: verify.fetch(PHONE)) == (404, 20404)
    assert PHONE[2:] not in verify.last.body.decode()
    verify.restart(VERIFY_SERVICE_SID="VA" + "1234567890abcdef" * 2)
    verify.post("/Verifications/+1 (425) 555-0123", method="GET")
    assert "555" not in verify.last.json["message"]
    assert verify.sid in verify.last.json["message"], "nor is anything else taken for one"


def test_our_own_number_gets_no_texts(verify: Verify) -> None:
    assert refused(lambda: verify.create(NUMBER)) == (403, 60205)


def test_without_settings_a_code_has_four_digits(tmp_path: Path) -> None:
    with open_harness(tmp_path) as harness:
        caller = Verify(harness)
        caller.create_and_send()
        assert len(harness.code()) == 4
        assert caller.service.fetch().code_length == 4


def test_a_login_that_is_no_base64_is_401(harness: Harness) -> None:
    headers = {"Authorization": b"Basic \xe9=="}
    response = harness.call("GET", "/v2/Services/VA1/Verifications/x", key=None, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, 20003)
