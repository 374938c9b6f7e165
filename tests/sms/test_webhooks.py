"""POST /twilio/sms and POST /twilio/status/… take signed requests, and no forged or broken ones."""

import pytest
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import Headers, MultiDict

from bot.channels.twilio.signature import Signature
from simulator.world import new_sid
from tests.harness import ACCOUNT, NUMBER, PHONE, Harness
from tests.sms.webhooks import signed, sms, used

# -- signature -------------------------------------------------------------------------------------


def test_the_published_vector() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    headers = Headers({"X-Twilio-Signature": "L/OH5YylLD5NRKLltdqwSvS0BnU="})

    def is_valid(changed: dict[str, str], path: str) -> bool:
        signature = Signature(["12345"], public_base_url="https://example.com")
        fields = {name: [value] for name, value in {**form, **changed}.items()}
        return signature.is_valid(headers, fields, path=path)

    assert is_valid({}, "/myapp.php?foo=1&bar=2")
    assert not is_valid({"Digits": "1235"}, "/myapp.php?foo=1&bar=2")
    assert not is_valid({}, "/myapp.php?foo=1&bar=3")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Twilio-Signature": ""},
        {"X-Twilio-Signature": "bm90IGl0"},
        {"X-Twilio-Signature": "sch\xf6n"},
    ],
)
def test_unsigned_and_forged_ones_are_403_and_change_nothing(harness: Harness, headers) -> None:
    id = harness.start_and_send()["id"]
    form = {"MessageSid": new_sid("SM"), "From": PHONE, "To": NUMBER, "Body": harness.wrong()}
    for path in ("/twilio/sms", "/twilio/status/x"):
        response = harness.call("POST", path, key=None, data=form, headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert used(harness, id) == 0


def test_tampered_ones_are_refused(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    form = {"MessageSid": new_sid("SM"), "From": PHONE, "To": NUMBER, "Body": harness.wrong()}
    signature = RequestValidator(ACCOUNT.auth_token).compute_signature(
        f"{harness.url}/twilio/sms", form
    )
    for change in ({"Body": harness.code()}, {"From": "+14255550199"}, {"More": "x"}):
        response = harness.call(
            "POST",
            "/twilio/sms",
            key=None,
            data={**form, **change},
            headers={"X-Twilio-Signature": signature},
        )
        assert response.status_code == 403
    assert used(harness, id) == 0


def test_another_accounts_token_or_sid_is_refused(harness: Harness) -> None:
    form = {"MessageSid": new_sid("SM"), "From": PHONE, "To": NUMBER, "Body": "1"}
    assert signed(harness, "/twilio/sms", form, token="another").status_code == 403
    assert sms(harness, "1", AccountSid="AC" + "f" * 32).status_code == 403


def test_the_signature_is_over_the_public_address_not_the_host(harness: Harness) -> None:
    form = {"MessageSid": new_sid("SM"), "From": PHONE, "To": NUMBER, "Body": "hello"}
    evil = signed(harness, "/twilio/sms", form, url="http://evil.example/twilio/sms")
    assert evil.status_code == 403
    signature = RequestValidator(ACCOUNT.auth_token).compute_signature(
        f"{harness.url}/twilio/sms", form
    )
    headers = {"X-Twilio-Signature": signature, "Host": "inner.local", "X-Forwarded-Proto": "https"}
    assert harness.call("POST", "/twilio/sms", data=form, headers=headers).status_code == 200


def test_a_query_and_repeated_parameters_are_part_of_it(harness: Harness) -> None:
    path = "/twilio/sms?a=%7E%27&b=1"
    assert sms(harness, "hello", path).status_code == 200
    fields = [("From", PHONE), ("To", NUMBER), ("Body", ""), ("MessageSid", new_sid("SM"))]

    repeated = MultiDict([*fields, ("More", "b"), ("More", "a"), ("Blank", "")])
    signature = RequestValidator(ACCOUNT.auth_token).compute_signature(
        f"{harness.url}/twilio/sms", repeated
    )
    response = harness.call(
        "POST",
        "/twilio/sms",
        data=list(repeated.items(multi=True)),
        headers={"X-Twilio-Signature": signature},
    )
    assert response.status_code == 200


def test_all_tokens_of_a_rotation_verify(tmp_path) -> None:
    from tests.harness import harness as open_harness

    new_token = "b3f81d60a9427ce5184b6fd20397ea5c"
    with open_harness(tmp_path, TWILIO_AUTH_TOKEN=f"{new_token},{ACCOUNT.auth_token}") as harness:
        form = {"MessageSid": new_sid("SM"), "From": PHONE, "To": NUMBER, "Body": "1"}
        for token in (new_token, ACCOUNT.auth_token):
            assert signed(harness, "/twilio/sms", form, token=token).status_code == 200


# -- inbound ---------------------------------------------------------------------------------------


def test_the_answer_is_twiml(harness: Harness) -> None:
    harness.start_and_send()
    response = sms(harness, harness.wrong())
    assert response.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert response.text == (
        '<?xml version="1.0" encoding="UTF-8"?>'
        "<Response><Message>That code is not right. Tries left: 3</Message></Response>"
    )
    assert sms(harness, "", From="+14255550199").text.endswith("<Response />")


def test_a_repeat_gets_the_first_answer_and_changes_nothing(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    sid = new_sid("SM")
    first = sms(harness, harness.wrong(), MessageSid=sid)
    harness.forward(365 * 24 * 3600)
    again = sms(harness, harness.code(), MessageSid=sid)
    assert (again.status_code, again.text) == (200, first.text)
    assert used(harness, id) == 1


@pytest.mark.parametrize("missing", ["MessageSid", "From"])
def test_what_lacks_its_sid_or_sender_is_400(harness: Harness, missing: str) -> None:
    response = sms(harness, "1234", **{missing: None})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_webhook")


@pytest.mark.parametrize("sid", ["", "x", "SM1", "SM" + "g" * 32])
def test_a_sid_that_is_none_is_400(harness: Harness, sid: str) -> None:
    assert sms(harness, "1234", MessageSid=sid).status_code == 400


@pytest.mark.parametrize(
    "sender", ["whatsapp:+14255550123", "rcs:agent", "messenger:12", "12345", "Contoso", ""]
)
def test_senders_that_are_no_phones_are_ignored(harness: Harness, sender: str) -> None:
    id = harness.start_and_send()["id"]
    response = sms(harness, harness.code(), From=sender)
    assert (response.status_code, response.text.endswith("<Response />")) == (200, True)
    assert harness.status(id)["output"] is None


def test_a_text_to_another_number_is_not_for_us(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    assert sms(harness, harness.code(), To="+14255550111").status_code == 200
    assert harness.status(id)["output"] is None


def test_unknown_fields_and_blank_ones_are_fine(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    assert sms(harness, harness.code(), Brandnew="1", FromCity="").status_code == 200
    assert harness.status(id)["output"] is True


def test_opt_out_type_is_obeyed_whatever_the_words(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    assert sms(harness, "no more please", OptOutType="STOP").text.endswith("<Response />")
    assert harness.status(id)["output"] == "opted_out"
    sms(harness, "ok again", OptOutType="START")
    assert harness.post_start().status_code == 202


def test_bytes_that_are_no_utf8_change_nothing(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    response = harness.call(
        "POST",
        "/twilio/sms",
        data=b"From=%2B14255550123&Body=\xff\xfe&MessageSid=SM",
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": "bm90IGl0",
        },
    )
    assert response.status_code == 403
    assert used(harness, id) == 0


def test_a_megabyte_is_413_and_json_instead_of_a_form_is_403(harness: Harness) -> None:
    headers = {"X-Twilio-Signature": "x" * 27 + "="}
    big = harness.call("POST", "/twilio/sms", data={"Body": "x" * 1_000_000}, headers=headers)
    assert big.status_code == 413
    assert harness.call("POST", "/twilio/sms", json={}, headers=headers).status_code == 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_post(harness: Harness, method: str) -> None:
    for path in ("/twilio/sms", "/twilio/status/x"):
        response = harness.call(method, path)
        assert (response.status_code, response.content) == (404, b"")


def test_of_a_reply_that_was_judged_no_number_is_kept(harness: Harness) -> None:
    harness.start_and_send()
    harness.text(harness.code())
    (row,) = harness.store.read(lambda tx: tx.all("SELECT masked_phone FROM inbound"))
    assert row["masked_phone"] is None
