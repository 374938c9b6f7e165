"""The status of one instance is read and its end ordered, each with a key that opens it."""

import re

import pytest

from bot.usecases import read
from tests.harness import FUNCTION_KEY, INSTANCES, PHONE, SYSTEM_KEY, Harness

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


# -- status ----------------------------------------------------------------------------------------


def test_a_pending_one_is_202_with_location_and_retry_after(harness: Harness) -> None:
    links = harness.start()
    response = harness.http.get(links["statusQueryGetUri"])
    assert response.status_code == 202
    assert response.headers["Location"] == links["statusQueryGetUri"]
    assert response.headers["Retry-After"] == "5"
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.json()["runtimeStatus"] == "Pending"


def test_the_body_has_the_fields_of_the_extension_in_their_order(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    body = harness.status(id)
    assert list(body) == [
        "name",
        "instanceId",
        "runtimeStatus",
        "input",
        "customStatus",
        "output",
        "createdTime",
        "lastUpdatedTime",
    ]
    assert body["name"] == "E4_SmsPhoneVerification"
    assert (body["instanceId"], body["input"], body["output"]) == (id, PHONE, None)
    assert TIME.fullmatch(body["createdTime"])
    assert TIME.fullmatch(body["lastUpdatedTime"])
    custom = body["customStatus"]
    assert custom.pop("deadline") == "2026-01-31T12:01:30Z"
    assert len(custom.pop("reference")) == 2
    assert custom == {
        "status": "pending",
        "cause": None,
        "tag": None,
        "locale": "en",
        "attemptsUsed": 0,
        "attemptsLeft": 4,
        "sends": 1,
        "sendsLeft": 2,
        "delivery": "accepted",
        "errorCode": None,
        "error": None,
    }


def test_a_finished_one_is_200_without_these_headers(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    response = harness.call("GET", f"{INSTANCES}/{id}")
    assert response.status_code == 200
    assert "Location" not in response.headers
    assert "Retry-After" not in response.headers


def test_an_unknown_id_is_404_with_nothing_in_it(harness: Harness) -> None:
    response = harness.call("GET", f"{INSTANCES}/unknown")
    assert (response.status_code, response.content) == (404, b"")


@pytest.mark.parametrize(
    ("reason", "output"),
    [
        ("123", "123"),
        ("true", "true"),
        ("false", "false"),
        ("null", "null"),
        ("True", "True"),
        ("{}", "{}"),
        ("opted_out", "opted_out"),
        ("superseded by me", "superseded by me"),
        ("no", "no"),
        ("NaN", "NaN"),
        ("1e999", "1e999"),
        ("[" * 1900, "[" * 1900),
        ("[" * 900 + "]" * 900, "[" * 900 + "]" * 900),
    ],
)
def test_a_reason_stays_text_whatever_it_reads_like(
    harness: Harness, reason: str, output: object
) -> None:
    id = harness.start()["id"]
    assert harness.call("POST", f"{INSTANCES}/{id}/terminate?reason={reason}").status_code == 202
    status = harness.status(id)
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", output)
    assert status["customStatus"]["cause"] == "terminated"


def test_no_reason_is_null(harness: Harness) -> None:
    id = harness.start()["id"]
    harness.call("POST", f"{INSTANCES}/{id}/terminate")
    assert harness.status(id)["output"] is None


# -- terminate -------------------------------------------------------------------------------------


def test_terminate_is_202_then_410_and_404_for_the_unknown(harness: Harness) -> None:
    id = harness.start()["id"]
    path = f"{INSTANCES}/{id}/terminate"
    for status in (202, 410, 410):
        response = harness.call("POST", path)
        assert (response.status_code, response.content) == (status, b"")
    assert harness.call("POST", f"{INSTANCES}/unknown/terminate").status_code == 404
    assert harness.call("GET", path).status_code == 404


# -- keys ------------------------------------------------------------------------------------------


def key_in(url: str) -> str:
    return url.partition("code=")[2]


def test_a_link_opens_its_instance_and_its_scope_alone(harness: Harness) -> None:
    mine = harness.start()
    other = harness.start("+14255550199")
    read, act = key_in(mine["statusQueryGetUri"]), key_in(mine["terminatePostUri"])
    mine_path, other_path = f"{INSTANCES}/{mine['id']}", f"{INSTANCES}/{other['id']}"

    def get(path: str, key: str | None) -> int:
        return harness.call("GET", path, key=key).status_code

    def end(path: str, key: str | None) -> int:
        return harness.call("POST", f"{path}/terminate", key=key).status_code

    assert read != act
    assert (get(mine_path, read), get(mine_path, act)) == (202, 403)
    assert (get(other_path, read), get(other_path, act)) == (401, 401)
    assert (end(mine_path, read), end(other_path, act), end(mine_path, "x")) == (403, 401, 401)
    assert (get(mine_path, FUNCTION_KEY), end(mine_path, FUNCTION_KEY)) == (403, 403)
    assert (get(mine_path, None), end(mine_path, None)) == (401, 401)
    assert (get(other_path, SYSTEM_KEY), end(mine_path, act)) == (202, 202)


def test_the_key_is_looked_at_before_the_instance(harness: Harness) -> None:
    assert harness.call("GET", f"{INSTANCES}/unknown", key="wrong").status_code == 401
    assert harness.call("POST", f"{INSTANCES}/unknown/terminate", key="wrong").status_code == 401


def test_links_keep_working_while_the_secret_key_is_rotated() -> None:
    from bot.http.keys import Keys, Scope
    from tests.builders import running

    keys = {"function_keys": [("", "f")], "system_keys": [("", "s")]}
    old = Keys(**keys, secrets=["old"])
    rotated = Keys(**keys, secrets=["new", "old"])
    retired = Keys(**keys, secrets=["new"])
    link = old.link_key(running(), Scope.READ)
    assert rotated.link_holder(link, running())
    assert rotated.link_key(running(), Scope.READ) == retired.link_key(running(), Scope.READ)
    assert retired.link_holder(link, running()) is None


def test_a_link_does_not_open_what_takes_its_id_after_a_purge(harness: Harness) -> None:
    path = "/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/mine"
    first = harness.call("POST", path, json=PHONE).json()
    harness.call("POST", f"{INSTANCES}/mine/terminate")
    harness.call("DELETE", f"{INSTANCES}/mine")
    assert harness.call("POST", path, json=PHONE).status_code == 202
    assert harness.http.get(first["statusQueryGetUri"]).status_code == 401
    assert harness.http.post(first["terminatePostUri"]).status_code == 401


# -- everything else -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/twilio/sms"])
def test_options_are_no_exception(harness: Harness, path: str) -> None:
    response = harness.call("OPTIONS", path)
    assert (response.status_code, response.content) == (404, b"")
    assert "Allow" not in response.headers


@pytest.mark.parametrize("path", ["/nothing", "/runtime", "/twilio", "/twilio/sms/x"])
def test_unknown_paths_are_404_with_nothing_in_it(harness: Harness, path: str) -> None:
    for method in ("GET", "POST", "HEAD", "DELETE"):
        response = harness.call(method, path)
        assert (response.status_code, response.content) == (404, b"")


def test_an_unexpected_error_is_500_with_an_id_and_no_details(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(read, "view", fail)
    response = harness.call("GET", f"{INSTANCES}/x?code={SYSTEM_KEY}")
    assert response.status_code == 500
    assert response.json()["code"] == "internal"
    assert "42" not in response.json()["Message"] + response.json()["ExceptionType"]
    number = re.search(r"error ([0-9a-f]{16})", response.json()["ExceptionMessage"])
    assert number
    assert number[1] in caplog.text
    assert SYSTEM_KEY not in caplog.text
