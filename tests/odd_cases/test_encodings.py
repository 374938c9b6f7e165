"""Byte order marks, wide characters and bodies encoded twice are read like any others."""

import json

import pytest

from tests.harness import FUNCTION_KEY, INSTANCES, PHONE, START, Harness

# -- byte order marks ------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_no_part_of_the_body(harness: Harness, encoding: str) -> None:
    body = json.dumps(PHONE).encode(encoding)
    started = harness.call("POST", START, key=FUNCTION_KEY, data=body)
    assert started.status_code == 202, started.text
    id = started.json()["id"]
    assert harness.status(id)["input"] == PHONE
    harness.run_once()
    path = f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse"
    headers = {"Content-Type": "application/json"}
    answer = json.dumps(harness.code()).encode(encoding)
    assert harness.call("POST", path, data=answer, headers=headers).status_code == 202
    assert harness.status(id)["output"] is True


def test_a_mark_before_bare_digits_and_other_events_too(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    headers = {"Content-Type": "application/json"}
    path = f"{INSTANCES}/{id}/raiseEvent"
    body = b"\xef\xbb\xbf{}"
    assert harness.call("POST", f"{path}/Other", data=body, headers=headers).status_code == 202
    body = b"\xef\xbb\xbf" + harness.code().encode()
    harness.call("POST", f"{path}/SmsChallengeResponse", data=body, headers=headers)
    assert harness.status(id)["output"] is True


def test_a_mark_inside_a_body_that_is_encoded_twice(harness: Harness) -> None:
    for body in (json.dumps("\ufeff" + json.dumps(PHONE)), json.dumps(f"\ufeff{PHONE}")):
        response = harness.call("POST", START, key=FUNCTION_KEY, data=body)
        assert response.status_code == 202, response.text


def test_a_mark_before_a_form_of_verify(harness: Harness) -> None:
    response = harness.http.post(
        f"{harness.url}/v2/Services/{harness.settings.service_sid}/Verifications",
        data=b"\xef\xbb\xbfTo=%2B14255550177&Channel=sms",
        auth=("caller", FUNCTION_KEY),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert response.status_code == 201, response.text


# -- what clients encode twice, leave unescaped, or ask for again ----------------------------------


@pytest.mark.parametrize("inner", ['{"code": "%s"}', '["%s"]', "null", "true", "false"])
def test_an_answer_that_is_no_text_is_400_encoded_twice_too(harness: Harness, inner: str) -> None:
    """Microsoft's client for Python encodes twice."""
    id = harness.start_and_send()["id"]
    value = inner % harness.code() if "%" in inner else inner
    path = f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse"
    headers = {"Content-Type": "application/json"}
    for answer in (value, json.dumps(value)):
        response = harness.call("POST", path, data=answer, headers=headers)
        assert response.status_code == 400, answer
        assert response.json()["code"] == "invalid_answer"
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 0


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_characters_without_a_mark_are_read(harness: Harness, encoding: str) -> None:
    headers = {"x-functions-key": FUNCTION_KEY, "content-type": "application/json"}
    body = json.dumps(PHONE).encode(encoding)
    response = harness.http.post(harness.url + START, data=body, headers=headers)
    assert response.status_code == 202
