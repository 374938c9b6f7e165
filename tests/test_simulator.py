"""The simulator: its own small API, its keywords, its ports."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from bot import settings
from simulator.run import first_key, keep, local_settings, only_one_of
from tests.harness import PHONE, Harness
from tests.ports import free_port

ROOT = Path(__file__).parents[1]


def post(harness: Harness, path: str, body: object) -> requests.Response:
    return requests.post(f"{harness.simulator.url}{path}", json=body, timeout=5)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/simulator/faults", {}),
        ("/simulator/faults", {"kind": "flood"}),
        ("/simulator/faults", {"kind": "delay", "seconds": "abc"}),
        ("/simulator/faults", {"kind": "delay", "seconds": 21614}),
        ("/simulator/faults", {"kind": "refuse"}),
        ("/simulator/faults", {"kind": "refuse", "code": 5}),
        ("/simulator/faults", {"kind": "delay", "times": 0}),
        ("/simulator/faults", {"kind": "delay", "foo": 1}),
        ("/simulator/texts", {}),
        ("/simulator/texts", {"phone": PHONE}),
        ("/simulator/texts", {"phone": "abc", "body": "x"}),
        ("/simulator/phones", {"phone": "abc"}),
        ("/simulator/phones", ["x"]),
        ("/simulator/receiver", {}),
        ("/simulator/receiver", {"behaviour": "explode"}),
        ("/simulator/receiver", ["accept"]),
    ],
)
def test_nonsense_is_400_with_a_sentence(harness: Harness, path: str, body: object) -> None:
    response = post(harness, path, body)
    assert response.status_code == 400
    assert response.json()["error"]


def test_the_page_and_its_phones(harness: Harness) -> None:
    assert "Phones" in requests.get(harness.simulator.url, timeout=5).text
    harness.start_and_send()
    phones = requests.get(f"{harness.simulator.url}/simulator/phones", timeout=5).json()
    assert phones[PHONE]["messages"][0]["body"].startswith("Your verification code is")
    answer = post(harness, "/simulator/texts", {"phone": PHONE, "body": harness.code()}).json()
    assert answer["status"] == 200


def test_a_phone_is_added_once_in_any_spelling(harness: Harness) -> None:
    added = [
        post(harness, "/simulator/phones", {"phone": spelling})
        for spelling in ("+1 (425) 555-0199", "+14255550199", "+1-425-555-0199")
    ]
    assert [answer.status_code for answer in added] == [201, 200, 200]
    assert [answer.json()["is_new"] for answer in added] == [True, False, False]
    assert {answer.json()["phone"] for answer in added} == {"+14255550199"}


def test_faults_can_be_set_seen_and_cleared(harness: Harness) -> None:
    url = f"{harness.simulator.url}/simulator/faults"
    requests.delete(url, timeout=5)
    assert post(harness, "/simulator/faults", {"kind": "refuse", "code": 21614}).status_code == 201
    assert [fault["code"] for fault in requests.get(url, timeout=5).json()] == [21614]
    requests.delete(url, timeout=5)
    assert requests.get(url, timeout=5).json() == []


def test_keywords_are_answered_as_twilio_answers_them(harness: Harness) -> None:
    for word in ("STOP", "start", "Help"):
        harness.text(word)
    assert [answer.split()[0] for answer in harness.answers()] == ["You", "You", "Reply"]


@pytest.mark.parametrize("variable", ["PORT", "SIMULATOR_PORT"])
def test_a_port_that_cannot_be_had_is_said_in_a_sentence(tmp_path: Path, variable: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for value in (str(taken.getsockname()[1]), "abc", "99999"):
            other = {"PORT": str(free_port()), "SIMULATOR_PORT": str(free_port())}
            ran = subprocess.run(
                [sys.executable, "-m", "simulator.run"],
                cwd=tmp_path,
                env={**other, variable: value, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                timeout=30,
            )
            assert ran.returncode != 0
            assert variable in ran.stderr
            assert len(ran.stderr.splitlines()) == 1
    assert not (tmp_path / "instance" / "local.env").exists()


def simulator_run(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulator.run"],
        cwd=folder,
        env={**variables, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_equal_ports_are_said_in_a_sentence(tmp_path: Path) -> None:
    port = str(free_port())
    ran = simulator_run(tmp_path, PORT=port, SIMULATOR_PORT=port)
    assert ran.returncode != 0
    assert ran.stderr == f"PORT and SIMULATOR_PORT are both {port}: choose two ports.\n"


def test_a_second_run_in_one_folder_leaves_the_first_ones_keys(tmp_path: Path) -> None:
    lock = only_one_of(tmp_path / "instance" / "local.lock")
    keys = tmp_path / "instance" / "local.env"
    keys.write_text("FUNCTION_KEY=of-the-first-run\n")
    ran = simulator_run(tmp_path, PORT=str(free_port()), SIMULATOR_PORT=str(free_port()))
    assert ran.returncode != 0
    assert "is already running in this folder" in ran.stderr
    assert keys.read_text() == "FUNCTION_KEY=of-the-first-run\n"
    lock.close()
    only_one_of(tmp_path / "instance" / "local.lock").close()


def test_the_example_application_is_told_of_outcomes_and_its_pages_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its address follows its port; what somebody has added to the file stays."""
    path = tmp_path / "local.env"
    first = local_settings(path, port=8000, simulator_port=8001)
    own = "http://127.0.0.1:8001/receiver,http://127.0.0.1:8002/webhooks"
    assert first["WEBHOOK_URLS"] == own
    assert first["ALLOWED_ORIGINS"] == "http://127.0.0.1:8002,http://localhost:8002"
    added = "https://app.example.com/webhooks,http://127.0.0.1:3000/webhooks"
    keep(path, {**first, "WEBHOOK_URLS": f"{own},{added}"})
    monkeypatch.setenv("SIGNUP_PORT", "9002")
    with path.open("a") as file:
        file.write('SERVICE_NAME="Joe\'s \\$5 Shop"\nLOG_FORMAT=json\nLIMIT_PER_NUMBER=50/day\n')
        file.write("ALLOWED_ORIGINS=https://app.example.com, http://localhost:3000 # mine\n")
    again = local_settings(path, port=9000, simulator_port=9001)
    assert again["LOG_FORMAT"] == "json"
    mine = "https://app.example.com,http://localhost:3000"
    assert again["ALLOWED_ORIGINS"] == f"http://127.0.0.1:9002,http://localhost:9002,{mine}"
    keep(path, again)
    assert local_settings(path, port=9000, simulator_port=9001) == again
    said = subprocess.run(
        ["sh", "-c", f'. {path}; echo "$SERVICE_NAME"'], capture_output=True, text=True, check=True
    )
    assert said.stdout == "Joe's $5 Shop\n"
    keep(path, local_settings(path, port=8000, simulator_port=9001))
    assert 'SERVICE_NAME="Joe\'s \\$5 Shop"\n' in path.read_text()  # word for word
    assert again["LIMIT_PER_NUMBER"] == "50/day"
    assert again["WEBHOOK_URLS"] == (
        f"http://127.0.0.1:9001/receiver,http://127.0.0.1:9002/webhooks,{added}"
    )
    assert again["WEBHOOK_SECRET"] == first["WEBHOOK_SECRET"]
    settings.read({**again, "DATABASE_URL": f"sqlite:///{tmp_path}/textback.db"})


@pytest.mark.parametrize(
    ("value", "key"),
    [("a-key", "a-key"), ("alice:one, bob:two", "one"), ("new,old", "new"), ("a:b:c", "b:c")],
)
def test_the_first_key_of_a_list_is_the_one_to_use(value: str, key: str) -> None:
    assert first_key(value) == key


def test_a_line_that_cannot_be_read_ends_the_run(tmp_path: Path) -> None:
    path = tmp_path / "local.env"
    path.write_text("SERVICE_NAME='Bob''s \"Tools\"'\n")
    with pytest.raises(SystemExit, match=r"local\.env: line 1 cannot be read"):
        local_settings(path, port=8000, simulator_port=8001)
    path.write_text("TWILIO_PHONE_NUMBER=+14255550199\n")
    kept = local_settings(path, port=8000, simulator_port=8001)
    assert kept["TWILIO_PHONE_NUMBER"] == "+14255550199"


def test_the_page_starts_a_verification_and_follows_it(harness: Harness) -> None:
    def shown():
        return requests.get(f"{harness.simulator.url}/simulator/phones", timeout=5).json()[PHONE]

    started = requests.post(
        f"{harness.simulator.url}/simulator/starts", json={"phone": PHONE}, timeout=5
    ).json()
    harness.run_once()
    assert shown()["verification"]["reference"] == started["reference"]
    assert shown()["verification"]["status"] == "pending"
    harness.text(harness.code())
    assert shown()["verification"]["status"] == "approved"
    (answer,) = shown()["answers"]
    assert answer["status"] == 200
    assert "verified" in answer["body"]


def test_the_page_tells_why_a_start_was_refused(harness: Harness) -> None:
    response = requests.post(
        f"{harness.simulator.url}/simulator/starts", json={"phone": "+12025550100"[:8]}, timeout=5
    )
    assert response.status_code == 400
    assert "too few digits for its country" in response.json()["error"]


def test_a_withheld_reply_is_listed_and_never_posted(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.simulator.faults.add("withhold", code=30038)
    assert harness.text(harness.code()).status == 0
    assert harness.status(id)["customStatus"]["status"] == "pending"
    (reply,) = [m for m in harness.simulator.world.of_phone(PHONE) if m.direction == "inbound"]
    assert (reply.status, reply.error_code, reply.is_erased) == ("failed", 30038, True)


def test_what_the_receiver_got_is_told_newest_first(told: Harness) -> None:
    def seen() -> dict:
        return requests.get(f"{told.simulator.url}/simulator/receiver", timeout=5).json()

    assert seen() == {"behaviour": "accept", "events": []}
    assert post(told, "/simulator/receiver", {"behaviour": "fail"}).status_code == 200
    told.start_and_send(tag="order-1")
    told.text(told.code())
    told.run_once()
    post(told, "/simulator/receiver", {"behaviour": "accept"})
    told.start_and_send("+14255550199", tag="order-2")
    told.text(told.code("+14255550199"), "+14255550199")
    told.run_once()
    requests.post(told.simulator.receiver_url, data="forged", timeout=5)
    answer = seen()
    assert answer["behaviour"] == "accept"
    facts = [(e["tries"], e["verified"], e["accepted"]) for e in answer["events"]]
    assert facts == [(1, False, False), (1, True, True), (1, True, False)]
    words = [re.findall("forged|order-[12]", e["body"]) for e in answer["events"]]
    assert words == [["forged"], ["order-2"], ["order-1"]]
