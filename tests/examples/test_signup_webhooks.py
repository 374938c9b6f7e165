"""A webhook verifies an account once, whenever it comes, unless it is forged."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from standardwebhooks import Webhook

from tests.examples.conftest import Example, Person, rows
from tests.harness import WEBHOOK_SECRET, Harness

STRANGER = "whsec_" + "c3RyYW5nZXI" * 4


def signed(body: str, *, secret: str = WEBHOOK_SECRET, id: str = "msg_1", age: float = 0) -> Any:
    at = datetime.now(UTC) - timedelta(seconds=age)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, at, body),
    }


def event(tmp_path: Path, status: str = "approved") -> str:
    ((account, verification),) = rows(tmp_path, "SELECT id, verification FROM account")
    data = {"id": verification, "tag": account, "status": status}
    return json.dumps({"type": f"verification.{status}", "data": data})


def test_forged_webhooks_verify_nobody(
    told: tuple[Example, Harness], person: Person, tmp_path: Path
) -> None:
    example, _ = told
    person.sign_up()
    body = event(tmp_path)
    right = signed(body)
    for headers, sent in [
        ({}, body),
        (signed(body, secret=STRANGER), body),
        (signed(body, age=301), body),
        (signed(body, age=-400), body),
        ({**right, "webhook-id": "msg_2"}, body),
        ({**right, "webhook-signature": "mangled"}, body),
        ({**right, "webhook-signature": right["webhook-signature"].replace("v1,", "v2,")}, body),
        (right, body + " "),  # the bytes count, not what they mean
        (right, b"\xff"),
    ]:
        answer = requests.post(f"{example.url}/webhooks", data=sent, headers=headers, timeout=5)
        assert answer.status_code == 401
    assert rows(tmp_path, "SELECT * FROM webhook") == rows(tmp_path, "SELECT * FROM outcome") == []
    assert person.client.get("/welcome").status_code == 302


def test_a_repeated_webhook_counts_once(
    told: tuple[Example, Harness], person: Person, tmp_path: Path
) -> None:
    example, _ = told
    person.sign_up()
    body = event(tmp_path)
    for _ in range(3):
        answer = requests.post(
            f"{example.url}/webhooks", data=body, headers=signed(body), timeout=5
        )
        assert answer.status_code == 204
    late = event(tmp_path, "expired")  # Textback sends one outcome; the first stays
    requests.post(f"{example.url}/webhooks", data=late, headers=signed(late, id="2"), timeout=5)
    assert rows(tmp_path, "SELECT id FROM webhook") == [("msg_1",), ("2",)]
    assert rows(tmp_path, "SELECT status FROM outcome") == [("approved",)]
    assert person.client.get("/welcome").status_code == 200


def test_events_of_others_and_tests_are_taken_and_change_nothing(
    told: tuple[Example, Harness], person: Person, tmp_path: Path
) -> None:
    example, _ = told
    person.sign_up()
    other = {"id": "another", "tag": None, "status": "approved"}
    for body in (
        json.dumps({"type": "verification.approved", "data": other}),
        json.dumps({"type": "webhook.test", "data": {"sentBy": "console"}}),
    ):
        headers = signed(body)
        answer = requests.post(f"{example.url}/webhooks", data=body, headers=headers, timeout=5)
        assert answer.status_code == 204
    assert rows(tmp_path, "SELECT * FROM outcome") == []


def test_a_late_webhook_holds_nobody_up(told: tuple[Example, Harness], person: Person) -> None:
    """The dispatcher, which sends it, does not run here."""
    _, harness = told
    person.sign_up()
    harness.run_once()
    assert person.client.get("/welcome").location == "/verify"
    assert person.post("/verify/code", code=harness.code()).status_code == 303
    assert "is verified" in person.client.get("/welcome").text


def test_a_webhook_may_come_before_the_start_is_kept(
    told: tuple[Example, Harness], person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, harness = told
    request = requests.request

    def slowly(*sent: Any, **more: Any) -> requests.Response:
        monkeypatch.setattr(requests, "request", request)
        answer = request(*sent, **more)
        harness.run_once()
        harness.text(harness.code())
        harness.run_once()
        return answer

    monkeypatch.setattr(requests, "request", slowly)
    person.sign_up()
    assert len(rows(tmp_path, "SELECT * FROM webhook")) == 1
    assert "is verified" in person.client.get("/welcome").text
