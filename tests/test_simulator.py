"""The desk: its own small API, its keywords, its ports."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.desk import PHONE, Desk

ROOT = Path(__file__).parents[1]


def post(desk: Desk, path: str, body: object) -> requests.Response:
    return requests.post(f"{desk.simulator.url}{path}", json=body, timeout=5)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/desk/faults", {}),
        ("/desk/faults", {"kind": "flood"}),
        ("/desk/faults", {"kind": "delay", "seconds": "abc"}),
        ("/desk/faults", {"kind": "delay", "seconds": 21614}),
        ("/desk/faults", {"kind": "refuse"}),
        ("/desk/faults", {"kind": "refuse", "code": 5}),
        ("/desk/faults", {"kind": "delay", "times": 0}),
        ("/desk/faults", {"kind": "delay", "foo": 1}),
        ("/desk/texts", {}),
        ("/desk/texts", {"phone": PHONE}),
        ("/desk/texts", {"phone": "abc", "body": "x"}),
        ("/desk/phones", {"phone": "abc"}),
        ("/desk/phones", ["x"]),
    ],
)
def test_nonsense_is_400_with_a_sentence(desk: Desk, path: str, body: object) -> None:
    response = post(desk, path, body)
    assert response.status_code == 400
    assert response.json()["error"]


def test_the_page_and_its_phones(desk: Desk) -> None:
    assert "Phones on the desk" in requests.get(desk.simulator.url, timeout=5).text
    desk.start_and_send()
    phones = requests.get(f"{desk.simulator.url}/desk/phones", timeout=5).json()
    assert phones[PHONE]["messages"][0]["body"].startswith("Your verification code is")
    answer = post(desk, "/desk/texts", {"phone": PHONE, "body": desk.code()}).json()
    assert answer["status"] == 200


def test_faults_can_be_set_seen_and_cleared(desk: Desk) -> None:
    url = f"{desk.simulator.url}/desk/faults"
    requests.delete(url, timeout=5)
    assert post(desk, "/desk/faults", {"kind": "refuse", "code": 21614}).status_code == 201
    assert [fault["code"] for fault in requests.get(url, timeout=5).json()] == [21614]
    requests.delete(url, timeout=5)
    assert requests.get(url, timeout=5).json() == []


def test_keywords_are_answered_as_twilio_answers_them(desk: Desk) -> None:
    for word in ("STOP", "start", "Help"):
        desk.text(word)
    assert [answer.split()[0] for answer in desk.answers()] == ["You", "You", "Reply"]


@pytest.mark.parametrize("variable", ["PORT", "SIMULATOR_PORT"])
def test_a_port_that_cannot_be_had_is_said_in_a_sentence(tmp_path: Path, variable: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for value in (str(taken.getsockname()[1]), "abc", "99999"):
            other = {"PORT": "18991", "SIMULATOR_PORT": "18992"}
            ran = subprocess.run(
                [sys.executable, "-m", "simulator.desk"],
                cwd=tmp_path,
                env={**other, variable: value, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                timeout=30,
            )
            assert ran.returncode != 0
            assert variable in ran.stderr
            assert len(ran.stderr.splitlines()) == 1
    assert not (tmp_path / "instance").exists()


def test_the_page_starts_a_verification_and_follows_it(desk: Desk) -> None:
    def shown():
        return requests.get(f"{desk.simulator.url}/desk/phones", timeout=5).json()[PHONE]

    started = requests.post(
        f"{desk.simulator.url}/desk/starts", json={"phone": PHONE}, timeout=5
    ).json()
    desk.run_once()
    assert shown()["verification"]["reference"] == started["reference"]
    assert shown()["verification"]["status"] == "pending"
    desk.text(desk.code())
    assert shown()["verification"]["status"] == "approved"
    (answer,) = shown()["answers"]
    assert answer["status"] == 200
    assert "verified" in answer["body"]


def test_the_page_tells_why_a_start_was_refused(desk: Desk) -> None:
    response = requests.post(
        f"{desk.simulator.url}/desk/starts", json={"phone": "+12025550100"[:8]}, timeout=5
    )
    assert response.status_code == 400
    assert "too few digits for its country" in response.json()["error"]


def test_a_withheld_reply_is_listed_and_never_posted(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    desk.simulator.faults.add("withhold", code=30038)
    assert desk.text(desk.code()).status == 0
    assert desk.status(id)["customStatus"]["status"] == "pending"
    (reply,) = [m for m in desk.simulator.world.of_phone(PHONE) if m.direction == "inbound"]
    assert (reply.status, reply.error_code, reply.is_erased) == ("failed", 30038, True)
