"""The sid that a program knows leads an operator to its verification; forms of another kind."""

import pytest

from bot.faces.durable.payloads import BASE_PATH, FUNCTION
from bot.usecases import search
from tests.harness import FUNCTION_KEY, PHONE
from tests.verify.conftest import Verify, refused


@pytest.mark.parametrize("change", [str, str.lower, str.upper])
def test_its_sid_finds_a_verification(verify: Verify, change: type[str]) -> None:
    harness = verify.harness
    created = verify.create_and_send().sid
    harness.call("POST", f"{BASE_PATH}/orchestrators/{FUNCTION}/order-77", json="+14255550177")
    (row,) = harness.store.read(
        lambda tx: tx.all("SELECT hex_id FROM verification WHERE id = 'order-77'")
    )
    for sid, id in ((created, created.removeprefix("VE")), (f"VE{row['hex_id']}", "order-77")):
        assert harness.store.read(search.named, change(sid)) == id
        assert harness.flask("show", change(sid)).exit_code == 0


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", None])
def test_a_body_that_is_no_form_is_told_so(verify: Verify, kind: str | None) -> None:
    answer = verify.post(
        "/Verifications", b"To=%2B14255550123&Channel=sms", headers={"Content-Type": kind}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, 60200)
    assert "application/x-www-form-urlencoded" in answer.json()["message"]


@pytest.mark.parametrize(
    ("code", "status"), [("12 34 56 78", 200), ("1234-5678", 200), ("1 2-3", 400), ("1-2-3-4", 200)]
)
def test_a_code_is_as_long_as_its_digits(verify: Verify, code: str, status: int) -> None:
    verify.create_and_send()
    answer = verify.post("/VerificationCheck", {"To": PHONE, "Code": code})
    assert answer.status_code == status, answer.text


def test_the_hex_digits_of_a_sid_may_be_capitals(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    spelled = "VE" + sid.removeprefix("VE").upper()
    assert verify.fetch(spelled).sid == sid
    answer = verify.post(
        "/VerificationCheck", {"VerificationSid": f" {spelled} ", "Code": verify.harness.code()}
    )
    assert answer.json()["status"] == "approved", answer.text
    verify.recorded.clear()  # Twilio's description has no blanks there


@pytest.mark.parametrize(
    "nothing",
    [
        "RateLimits= {} ",
        "ChannelConfiguration={}",
        "EnableSnaClientToken=False",
        "To=",
        "Amount=",
        "Tags={}",
    ],
)
def test_a_parameter_that_says_nothing_is_none(verify: Verify, nothing: str) -> None:
    form = f"To=%2B14255550123&Channel=sms&{nothing}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert verify.post("/Verifications", form, headers=headers).status_code == 201
    verify.recorded.clear()  # Twilio's description has no False


@pytest.mark.parametrize(
    "value", ['{"a":NaN}', '{"a":-Infinity}', '{"a":1e999}', '{"a":"\\ud800"}']
)
def test_tags_are_json_that_every_parser_takes(verify: Verify, value: str) -> None:
    assert refused(lambda: verify.create(tags=value)) == (400, 60200)
    assert "`Tags`" in verify.last.json["message"]


def test_tags_may_be_spread_over_lines(verify: Verify) -> None:
    sid = verify.create_and_send(tags='{\n  "order": "Zoë",\r\n  "n": [1, 2]\n}\n').sid
    shown = verify.harness.status(sid.removeprefix("VE"))["customStatus"]["tag"]
    assert shown == '{"order":"Zoë","n":[1,2]}'


@pytest.mark.parametrize(
    "template",
    [
        "Your code for Bigcorp is {code}. Reply with it within {minutes} min. Ref {reference}",
        "{service}: Your code is {code}. Reply with it within {minutes} min. Ref {reference}",
    ],
)
def test_a_name_of_its_own_is_in_the_text_whatever_the_template(
    verify: Verify, template: str
) -> None:
    verify.restart(CHALLENGE_TEXT=template, SERVICE_NAME="Bigcorp")
    verify.create_and_send(custom_friendly_name="Juniper")
    (text,) = verify.harness.texts()
    assert text.body.startswith("Juniper: Your ")
    assert "Bigcorp" not in text.body


def test_a_wrong_check_is_answered_with_the_time_of_its_change(verify: Verify) -> None:
    verify.create_and_send()
    for _ in range(2):
        verify.harness.clock.forward(40)
        checked = verify.check(verify.harness.wrong())
        assert checked.date_updated == verify.fetch(PHONE).date_updated
        assert checked.date_updated == verify.harness.clock.now


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/v2/nothing", "/v2/Services/VA0/nothing"])
def test_an_unknown_path_is_answered_as_twilio_does(verify: Verify, path: str) -> None:
    for auth, code in ((("anyone", FUNCTION_KEY), (404, 20404)), (None, (401, 20003))):
        answer = verify.harness.http.get(verify.harness.url + path, auth=auth, timeout=20)
        assert (answer.status_code, answer.json()["code"]) == code
