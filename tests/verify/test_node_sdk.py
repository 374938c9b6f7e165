"""Twilio's client for Node.js, changed by nothing but the lines of docs/verify.md."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import FUNCTION_KEY, PHONE
from tests.nodejs import installed
from tests.verify.conftest import Verify
from tests.verify.page import snippet

PACKAGES = Path(__file__).parent / "node"


class Raised(Exception):
    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.status, self.code, self.more_info = error["status"], error["code"], error["moreInfo"]


class Driver:
    """A node process that does what it is told, one thing after another."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, name: str, **told: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, told]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "raised" in answer:
            raise Raised(answer["raised"])
        return dict(answer["answered"])


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = installed(PACKAGES, tmp_path_factory.mktemp("node"))
    exported = "\nmodule.exports = { textbackClient };\n"
    (folder / "snippet.js").write_text(snippet("javascript") + exported)
    return folder


@pytest.fixture
def node(verify: Verify, packages: Path) -> Iterator[Driver]:
    with subprocess.Popen(
        ["node", "drive.js", verify.harness.url, FUNCTION_KEY, verify.sid],
        cwd=packages,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Driver(process)


def raised(node: Driver, name: str, **told: Any) -> tuple[int, int]:
    with pytest.raises(Raised) as caught:
        node(name, **told)
    error = caught.value
    assert error.more_info.endswith(f"/{error.code}")
    return error.status, error.code


def test_a_form_from_the_create_to_the_approval(verify: Verify, node: Driver) -> None:
    created = node(
        "create",
        to=PHONE,
        channel="sms",
        locale="en",
        customFriendlyName="Juniper",
        appHash="FA+9qCX9VSu",
        tags=json.dumps({"order": "4711"}),
        deviceIp="203.0.113.9",
        riskCheck="enable",
    )
    assert (created["status"], created["to"], created["channel"]) == ("pending", PHONE, "sms")
    assert created["dateCreated"] == "2026-01-31T12:00:00.000Z"
    verify.harness.run_once()
    sid = created["sid"]
    assert node("fetch", which=sid)["status"] == node("fetch", which=PHONE)["status"] == "pending"
    wrong = node("check", to=PHONE, code=verify.harness.wrong())
    assert (wrong["status"], wrong["valid"]) == ("pending", False)
    right = node("check", verificationSid=sid, code=verify.harness.code())
    assert (right["status"], right["valid"], right["sid"]) == ("approved", True, sid)
    assert raised(node, "check", to=PHONE, code=verify.harness.wrong()) == (404, 20404)


def test_a_resend_and_a_cancellation(verify: Verify, node: Driver) -> None:
    sids = set()
    for _ in range(2):
        sids.add(node("create", to=PHONE, channel="sms")["sid"])
        verify.harness.run_once()
        verify.harness.forward(15)
    (sid,) = sids
    assert len(node("fetch", which=sid)["sendCodeAttempts"]) == 2
    assert node("update", which=sid, status="canceled")["status"] == "canceled"
    assert raised(node, "check", to=PHONE, code=verify.harness.code()) == (404, 20404)


def test_the_service_is_read(verify: Verify, node: Driver) -> None:
    assert node("service")["sid"] == node("services")["sid"] == verify.sid
    assert node("service")["codeLength"] == 6


def test_what_is_refused_is_raised(verify: Verify, node: Driver) -> None:
    assert raised(node, "create", to="nonsense", channel="sms") == (400, 60200)
    assert raised(node, "create", to=PHONE, channel="call") == (400, 60223)
    assert raised(node, "create", to=PHONE, channel="sms", customCode="123456") == (400, 60200)
    for _ in range(5):
        node("create", to=PHONE, channel="sms")
        verify.harness.run_once()
        verify.harness.forward(15)
    assert raised(node, "create", to=PHONE, channel="sms") == (429, 60203)
    for _ in range(5):
        node("check", to=PHONE, code=verify.harness.wrong())
    assert raised(node, "check", to=PHONE, code=verify.harness.code()) == (429, 60202)
    assert raised(node, "fetch", which="+14255550199") == (404, 20404)
