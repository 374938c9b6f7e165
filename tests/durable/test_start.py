"""POST /orchestrators/E4_SmsPhoneVerification"""

import json

import pytest

from tests.harness import FUNCTION_KEY, NUMBER, PHONE, START, SYSTEM_KEY, Harness


def test_answers_202_with_id_reference_and_links(harness: Harness) -> None:
    response = harness.post_start()
    assert response.status_code == 202
    body = response.json()
    assert list(body) == [
        "id",
        "reference",
        "statusQueryGetUri",
        "sendEventPostUri",
        "terminatePostUri",
        "purgeHistoryDeleteUri",
        "restartPostUri",
        "suspendPostUri",
        "resumePostUri",
    ]
    assert len(body["id"]) == 32
    assert int(body["id"], 16) >= 0
    assert len(body["reference"]) == 2
    assert response.headers["Location"] == body["statusQueryGetUri"]
    assert response.headers["Retry-After"] == "10"
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    base = f"{harness.url}/runtime/webhooks/durabletask/instances/{body['id']}"
    assert body["statusQueryGetUri"].startswith(f"{base}?code=")
    assert body["sendEventPostUri"].startswith(f"{base}/raiseEvent/{{eventName}}?code=")
    assert body["terminatePostUri"].startswith(f"{base}/terminate?reason={{text}}&code=")


def test_links_are_built_on_the_public_address_whatever_the_host_says(harness: Harness) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    response = harness.post_start(headers=headers)
    assert "evil" not in response.text + response.headers["Location"]


def test_no_link_holds_a_configured_key(harness: Harness) -> None:
    text = harness.post_start().text
    assert SYSTEM_KEY not in text
    assert FUNCTION_KEY not in text


def test_the_words_of_the_path_match_in_any_case_and_with_a_slash(harness: Harness) -> None:
    for path in (
        "/Orchestrators/e4_smsphoneverification",
        "/ORCHESTRATORS/E4_SMSPHONEVERIFICATION/",
    ):
        assert harness.call("POST", path, json=PHONE).status_code == 202


@pytest.mark.parametrize("key", [FUNCTION_KEY, SYSTEM_KEY])
def test_function_and_system_keys_start(harness: Harness, key: str) -> None:
    assert harness.post_start(key=key).status_code == 202
    path = f"{START}?code={key}"
    assert harness.call("POST", path, key=None, json=PHONE).status_code == 202


def test_the_header_wins_over_the_query(harness: Harness) -> None:
    assert (
        harness.call("POST", f"{START}?code=wrong", key=SYSTEM_KEY, json=PHONE).status_code == 202
    )
    assert (
        harness.call("POST", f"{START}?code={SYSTEM_KEY}", key="no", json=PHONE).status_code == 401
    )


@pytest.mark.parametrize("key", [None, "wrong", "ключ".encode().decode("latin-1")])
def test_without_a_known_key_401_and_what_is_wrong(harness: Harness, key: str | None) -> None:
    response = harness.post_start(key=key)
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert ("No key was sent" if key is None else "not known") in response.json()["Message"]
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_link_key_does_not_start(harness: Harness) -> None:
    link = harness.start()["purgeHistoryDeleteUri"]
    assert harness.post_start(key=link.partition("code=")[2]).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(PHONE),
        json.dumps(json.dumps(PHONE)),
        f"  {json.dumps(PHONE)}\n",
        json.dumps("+1 (425) 555-0123"),
    ],
)
def test_a_number_may_be_spelled_and_wrapped(harness: Harness, body: str) -> None:
    response = harness.call("POST", START, data=body.encode())
    assert response.status_code == 202
    harness.run_once()
    assert len(harness.texts()) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_number"),
        (b'""', "invalid_number"),
        (b'"  "', "invalid_number"),
        (b"null", "invalid_number"),
        (b"14255550123", "invalid_number"),
        (b"true", "invalid_number"),
        (b'{"number": "+14255550123"}', "invalid_start"),
        (b'{"phoneNumber": "+14255550123", "Tag": "x"}', "invalid_start"),
        (b'{"phoneNumber": "+14255550123", "tag": 4711}', "invalid_start"),
        (b'{"phoneNumber": "+14255550123", "tag": "a\\u0000b"}', "invalid_start"),
        (b'{"phoneNumber": "+14255550123", "tag": "' + b"x" * 129 + b'"}', "invalid_start"),
        (b'{"phoneNumber": "+14255550123", "locale": "no language"}', "invalid_start"),
        (b'{"phoneNumber": 14255550123}', "invalid_number"),
        (b"{}", "invalid_number"),
        (b'["+14255550123"]', "invalid_number"),
        (b'"4255550123"', "invalid_number"),
        (b'"+1425"', "invalid_number"),
        (b'"+14255550123 ext 5"', "invalid_number"),
        (b'"\\u0000+14255550123"', "invalid_number"),
        (b'"+18005551212"', "cannot_receive_texts"),
        (b"+14255550123", "invalid_json"),
        (b"{", "invalid_json"),
        (b'"\xff\xfe"', "invalid_json"),
        (b"NaN", "invalid_json"),
        (b"[" * 60_000, "invalid_json"),
        (b'"\\ud800"', "invalid_number"),
    ],
)
def test_what_holds_no_number_is_400_and_sends_nothing(
    harness: Harness, body: bytes, code: str
) -> None:
    response = harness.call("POST", START, data=body)
    assert response.status_code == 400
    told = response.json()
    assert told["code"] == code
    assert set(told) == {"Message", "ExceptionMessage", "ExceptionType", "code"}
    assert harness.newest(10) == []


def test_a_body_of_a_megabyte_is_413(harness: Harness) -> None:
    response = harness.call("POST", START, data=b'"' + b"1" * 1_000_000 + b'"')
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert harness.newest(10) == []


def test_an_unknown_function_is_400_and_names_the_known_one(harness: Harness) -> None:
    response = harness.call("POST", "/orchestrators/E1_HelloSequence", json=PHONE)
    assert response.status_code == 400
    assert "E4_SmsPhoneVerification" in response.json()["ExceptionMessage"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_404_with_nothing_in_it(harness: Harness, method: str) -> None:
    response = harness.call(method, START)
    assert (response.status_code, response.content) == (404, b"")
    assert "Content-Type" not in response.headers


def test_an_idempotency_key_has_a_length(harness: Harness) -> None:
    response = harness.post_start(headers={"Idempotency-Key": "k" * 201})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_idempotency_key")


def test_the_number_textback_sends_from_is_not_verified(harness: Harness) -> None:
    response = harness.post_start(NUMBER)
    assert (response.status_code, response.json()["code"]) == (400, "cannot_receive_texts")


def test_a_number_in_thousands_of_blanks_is_400(harness: Harness) -> None:
    response = harness.call("POST", START, data=b" " * 2100 + json.dumps(PHONE).encode())
    assert (response.status_code, response.json()["code"]) == (400, "invalid_number")


def test_the_start_is_recorded_under_the_name_of_its_key(tmp_path) -> None:
    from tests.harness import harness as open_harness

    with open_harness(
        tmp_path, FUNCTION_KEY="crm:one-very-long-key,shop:another-long-key"
    ) as harness:
        id = harness.start(key="another-long-key")["id"]
        assert harness.view(id).verification.started_by == "shop"
        assert harness.post_start(key="one-very-long-key").json()["code"] == "number_busy"


def test_every_answer_is_closed_to_browsers(harness: Harness) -> None:
    for response in (
        harness.post_start(),
        harness.call("GET", "/"),
        harness.call("POST", "/twilio/sms"),
    ):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["Referrer-Policy"] == "no-referrer"


def test_an_object_as_microsofts_client_for_python_sends_it(harness: Harness) -> None:
    """JSON within a JSON string."""
    body = json.dumps(json.dumps({"phoneNumber": PHONE, "tag": "order-1", "locale": "de"}))
    response = harness.call("POST", START, data=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 202, response.text
    harness.run_once()
    custom = harness.status(response.json()["id"])["customStatus"]
    assert (custom["tag"], custom["locale"]) == ("order-1", "de")
    deep = json.dumps('{"a":' * 5000)
    response = harness.call("POST", START, data=deep, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_number")


@pytest.mark.parametrize(
    ("locale", "spoken"),
    [
        ("es,", "es"),
        (",es,,de", "es"),
        ("de;Q=0.5, es", "es"),
        (" , fr-CA , ", "fr"),
        ("tlh," * 25 + "en-US;q=0.9", "en"),
        ("fr;q=0.8999999761581421,de;q=0.5", "fr"),
        ("fr;q=0,9,de;q=0,8", "fr"),
        ("es;q=.5, fr;q=.4, de", "de"),
        ("de," + ",".join(f"x{place}" * 2 for place in "abcdefghijklmnop") * 9, "de"),
    ],
)
def test_any_legal_list_of_languages_is_read(harness: Harness, locale: str, spoken: str) -> None:
    id = harness.start(locale=locale)["id"]
    assert harness.status(id)["customStatus"]["locale"] == spoken


@pytest.mark.parametrize("locale", [",", "en;q=2", "{locale}", "en " * 80, "a" * 300, "!," * 100])
def test_other_texts_are_no_languages(harness: Harness, locale: str) -> None:
    assert harness.post_start(locale=locale).json()["code"] == "invalid_start"
