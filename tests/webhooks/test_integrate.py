"""The code of docs/integrate.md runs as it stands on the page."""

import json
import os
import re
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from standardwebhooks import Webhook
from werkzeug.serving import make_server

from bot.domain.errors import Refusal
from bot.domain.verification import ENDS, Cause
from tests.harness import FUNCTION_KEY, PHONE, WEBHOOK_SECRET, Harness
from tests.harness import harness as open_harness
from tests.processes.service import until
from tests.webhooks.conftest import PACKAGES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "integrate.md").read_text()
OTHER_SECRET = "whsec_" + "c3RyYW5nZXI" * 4


def blocks(language: str, holding: str) -> str:
    """Returns the only code block of this language that contains a word."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (block,) = [block for block in found if holding in block]
    return str(block)


@pytest.fixture
def textback(tmp_path: Path) -> Iterator[Harness]:
    with open_harness(tmp_path) as made:
        yield made


def shell(block: str, **environment: str) -> str:
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        env={"PATH": os.environ["PATH"], "no_proxy": "*", **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_start_and_the_answer(textback: Harness) -> None:
    start = blocks("bash", "Idempotency-Key").replace("$(date +%s)", "7f3a91")
    settings = {"PUBLIC_BASE_URL": textback.url, "FUNCTION_KEY": FUNCTION_KEY}
    started = json.loads(shell(start, **settings))
    assert json.loads(shell(start, **settings)) == started, "the first answer again"
    textback.run_once()
    assert len(textback.texts()) == 1
    verification = textback.view(started["id"]).verification
    assert (verification.tag, verification.locale) == ("account-4711", "de")
    answer = blocks("bash", "SmsChallengeResponse")
    link = {"SEND_EVENT_POST_URI": started["sendEventPostUri"]}
    assert shell(answer, CODE=textback.code(), **link) == "202\n"
    assert textback.status(started["id"])["output"] is True
    assert shell(answer, CODE=textback.code(), **link) == "410\n"


FOLLOW = """
import { follow } from "./follow.mjs";
const shown = [];
const end = await follow(process.argv[2], ({ status, attemptsLeft }) => {
  shown.push([status, attemptsLeft]);
  console.log("shown");
});
console.log(JSON.stringify({ status: end?.status ?? null, shown }));
"""


def test_following_from_the_page(textback: Harness, node: Path) -> None:
    (node / "follow.mjs").write_text(blocks("javascript", "function follow"))
    (node / "page.mjs").write_text(FOLLOW)
    link = textback.start_and_send()["statusQueryGetUri"]
    with subprocess.Popen(
        ["node", "page.mjs", link], cwd=node, stdout=subprocess.PIPE, text=True
    ) as page:
        assert page.stdout is not None
        assert page.stdout.readline() == "shown\n"
        textback.text(textback.wrong())
        textback.text(textback.code())
        *_, last = page.stdout.read().splitlines()
    assert json.loads(last) == {"status": "approved", "shown": [["pending", 4], ["approved", 3]]}


# -- the receivers ---------------------------------------------------------------------------------


class Receiver:
    """A running receiver of the page. `approved`: ids of verifications that it took as approved,
    in order."""

    def __init__(self, url: str, approved: Any) -> None:
        self.url = url
        self.approved = approved

    def post(self, body: str | bytes, headers: dict[str, str]) -> int:
        headers = {"content-type": "application/json", **headers}
        return requests.post(self.url, data=body, headers=headers, timeout=5).status_code


@contextmanager
def flask_receiver(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    database = folder / "app.db"
    monkeypatch.setenv("WEBHOOK_SECRET", WEBHOOK_SECRET)
    monkeypatch.setenv("DATABASE", str(database))
    names: dict[str, Any] = {"__name__": "receiver"}
    exec(compile(blocks("python", "def webhooks"), "docs/integrate.md", "exec"), names)
    app: Flask = names["app"]

    def approved() -> list[str]:
        db = sqlite3.connect(database)
        try:
            return [id for (id,) in db.execute("SELECT id FROM approved")]
        finally:
            db.close()

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Receiver(f"http://127.0.0.1:{server.server_port}/webhooks", approved)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def express_receiver(folder: Path) -> Iterator[Receiver]:
    (folder / "receiver.mjs").write_text(blocks("javascript", "express.raw"))
    log = folder / "receiver.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            ["node", "receiver.mjs"],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "RECEIVER_PORT": "0",
                "WEBHOOK_SECRET": WEBHOOK_SECRET,
            },
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        port = until(lambda: re.search(r"^port (\d+)\n", log.read_text()))[1]

        def approved() -> list[str]:
            return re.findall(r"^approved (.*)$", log.read_text(), re.MULTILINE)

        yield Receiver(f"http://127.0.0.1:{port}/webhooks", approved)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(params=["flask", "express"])
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Receiver]:
    if request.param == "flask":
        with flask_receiver(tmp_path, request.getfixturevalue("monkeypatch")) as made:
            yield made
    else:
        with express_receiver(request.getfixturevalue("node")) as made:
            yield made


def test_a_receiver_of_the_page_takes_what_textback_sends(
    receiver: Receiver, tmp_path: Path
) -> None:
    settings = {"WEBHOOK_URLS": receiver.url, "WEBHOOK_SECRET": f"{OTHER_SECRET},{WEBHOOK_SECRET}"}
    with open_harness(tmp_path, **settings) as textback:
        id = textback.start_and_send(tag="Grüße-4711")["id"]
        textback.text(textback.code())
        textback.start_and_send("+14255550124", tag="account-2")
        textback.forward(90)
        until(lambda: receiver.approved() == [id])


def signed(body: str, *, secret: str = WEBHOOK_SECRET, id: str = "1", age: float = 0) -> Any:
    at = datetime.now(UTC) - timedelta(seconds=age)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, at, body),
    }


def test_a_receiver_of_the_page_refuses_what_is_forged(receiver: Receiver) -> None:
    body = json.dumps({"type": "verification.approved", "data": {"id": "1234abcd"}})
    assert receiver.post(body, {}) == 401
    assert receiver.post(body, signed(body, secret=OTHER_SECRET)) == 401
    assert receiver.post(body, signed(body, age=301)) == 401
    assert receiver.post(body.replace(" ", ""), signed(body)) == 401
    assert receiver.post(b"\xff", signed(body)) == 401
    assert receiver.post(body, {**signed(body), "webhook-signature": "mangled"}) == 401
    other = json.dumps({"type": "webhook.test", "data": {"sentBy": "console"}})
    assert receiver.post(other, signed(other, id="test")) == 204
    for _ in range(2):
        assert receiver.post(body, signed(body, id="2")) == 204
    assert receiver.approved() == ["1234abcd"]


# -- what the page says ----------------------------------------------------------------------------


def test_the_page_pins_what_the_tests_install() -> None:
    pinned = json.loads((PACKAGES / "package.json").read_text())["dependencies"]
    (line,) = re.findall(r"`npm install ([^`]+)`", PAGE)
    assert dict(word.split("@") for word in line.split()) == pinned
    requirements = (ROOT / "requirements.txt").read_text().splitlines()
    (line,) = re.findall(r"`pip install ([^`]+)`", PAGE)
    example = (ROOT / "examples/signup/requirements.txt").read_text().splitlines()
    for requirement in [*line.split(), *(name for name in example if "==" in name)]:
        assert requirement in requirements


def test_only_marked_code_is_not_run() -> None:
    marked = re.findall(r"^### (\w+), \*not run here\*\n(?:.*\n)*?```(\w+)$", PAGE, re.MULTILINE)
    assert marked == [("Rails", "ruby"), ("Laravel", "php"), ("Go", "go")]
    languages = set(re.findall(r"^```(\w+)$", PAGE, re.MULTILINE))
    assert languages == {"console", "bash", "javascript", "python", "ruby", "php", "go"}


def test_every_refusal_of_a_start_and_every_outcome_is_told() -> None:
    start = (ROOT / "docs/http.md").read_text().partition("## Start")[2].partition("## Status")[0]
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", start))
    codes = {error.code for error in Refusal.__subclasses__()} | {"body_too_large"}
    assert {code for code in named & codes if f"`{code}`" not in PAGE} == set()
    for word in [*ENDS, *Cause]:
        assert f"`{word.value}`" in PAGE


def test_every_link_is_named_as_one_that_may_go_to_a_page_or_not(textback: Harness) -> None:
    links = textback.start(PHONE)
    (bold,) = re.findall(r"^\*\*`statusQueryGetUri` may go to a page\..*?\*\*", PAGE, re.M | re.S)
    assert {name for name in links if name.endswith("Uri")} == set(re.findall(r"`(\w+)`", bold))
