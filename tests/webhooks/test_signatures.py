"""Reference verifiers of two languages accept what Textback signs: each try, under each secret."""

import base64
import json
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from bot.webhooks.client import WebhookClient
from tests.harness import HandClock

NEW, OLD, OTHER = (
    f"whsec_{base64.b64encode(bytes([seed + n for n in range(32)])).decode()}"
    for seed in (0, 64, 128)
)
BODY = json.dumps({"type": "verification.approved", "data": {"tag": "Grüße, \N{GRINNING FACE}"}})
ID = "msg_4e8f3ac5b5a04c8c8b6ed0e0a5c0f6a1"

# Reads cases, and prints for each what the package made of it.
VERIFY = """
const { Webhook } = require("standardwebhooks");
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const verdicts = cases.map(({ secret, body, headers }) => {
  try {
    return new Webhook(secret).verify(body, headers);
  } catch (error) {
    return error.name;
  }
});
console.log(JSON.stringify(verdicts));
"""


def tries() -> list[dict[str, str]]:
    """The headers of the first try, and of one three minutes later by a clock of another zone."""
    clock = HandClock()
    clock.now = datetime.now(UTC) - timedelta(minutes=3, seconds=30)
    client = WebhookClient([NEW, OLD], allows_private=False, own_port=1, clock=clock)
    first = client.headers(ID, BODY)
    clock.forward(180)
    clock.now = clock.now.astimezone(timezone(timedelta(hours=9)))
    return [first, client.headers(ID, BODY)]


def in_python(cases: list[dict[str, Any]]) -> list[Any]:
    def verdict(case: dict[str, Any]) -> Any:
        try:
            return Webhook(case["secret"]).verify(case["body"], case["headers"])
        except WebhookVerificationError as error:
            return type(error).__name__

    return [verdict(case) for case in cases]


def in_javascript(cases: list[dict[str, Any]], folder: Path) -> list[Any]:
    sent = json.dumps(cases)
    ran = subprocess.run(
        ["node", "-e", VERIFY], cwd=folder, input=sent, capture_output=True, text=True, timeout=30
    )
    assert ran.returncode == 0, ran.stderr
    verdicts: list[Any] = json.loads(ran.stdout)
    return verdicts


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_both_tries_are_right_under_both_secrets(
    language: str, request: pytest.FixtureRequest
) -> None:
    first, later = tries()
    assert first["webhook-id"] == later["webhook-id"]
    assert int(later["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 180
    right = [
        {"secret": secret, "body": BODY, "headers": headers}
        for secret in (NEW, OLD)
        for headers in (first, later)
    ]
    mixed = {**later, "webhook-signature": first["webhook-signature"]}
    wrong = [
        {"secret": OTHER, "body": BODY, "headers": first},
        {"secret": NEW, "body": BODY.replace(": ", ":"), "headers": first},
        {"secret": NEW, "body": BODY, "headers": {**first, "webhook-id": "msg_2"}},
        {"secret": NEW, "body": BODY, "headers": mixed},
    ]
    cases = right + wrong
    if language == "python":
        verdicts = in_python(cases)
    else:
        verdicts = in_javascript(cases, request.getfixturevalue("node"))
    assert verdicts[: len(right)] == [json.loads(BODY)] * len(right)
    assert verdicts[len(right) :] == ["WebhookVerificationError"] * len(wrong)
