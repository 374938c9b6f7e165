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
    assert phones[PHONE][0]["body"].startswith("Your verification code is")
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
