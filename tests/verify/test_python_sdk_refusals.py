"""Each request that Textback refuses gets the status and the code that Twilio's client expects."""

from typing import Any

import pytest

from tests.harness import NUMBER, PHONE, Harness
from tests.verify.conftest import Verify, refused
from tests.verify.troubles import TROUBLES, Trouble


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
        (
            "/Verifications",
            {"To": PHONE, "Channel": "sms", "CustomFriendlyName": "Caf\ufffd"},
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


@pytest.mark.parametrize(
    ("path", "form", "name"),
    [
        ("/Verifications", b"&CustomFriendlyName=Caf%E9", "CustomFriendlyName"),
        ("/Verifications", b"&CustomFriendlyName=Caf\xe9", "CustomFriendlyName"),
        ("/Verifications", b'&Tags={"n":"Zo%E9"}', "Tags"),
        ("/Verifications", b"&Na\xefve=1", "Na\\udcefve"),
        ("/VerificationCheck", b"&Code=1234%E9", "Code"),
    ],
)
def test_a_parameter_that_is_not_utf8_is_named(
    verify: Verify, path: str, form: bytes, name: str
) -> None:
    begin = b"To=%2B14255550123&Channel=sms" if path == "/Verifications" else b"To=%2B14255550123"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = verify.post(path, begin + form, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, 60200)
    assert response.json()["message"] == f"Invalid parameter `{name}`: it is not UTF-8"


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


def test_a_login_that_is_no_base64_is_401(harness: Harness) -> None:
    headers = {"Authorization": b"Basic \xe9=="}
    response = harness.call("GET", "/v2/Services/VA1/Verifications/x", key=None, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, 20003)
