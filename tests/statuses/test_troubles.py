"""The phones page tells that Textback is away, refuses or hangs, and keeps what was known."""

import threading

import pytest
import requests

from simulator import statuses
from simulator.statuses import Statuses
from tests.harness import PHONE, SYSTEM_KEY, Harness
from tests.ports import free_port
from tests.processes.service import until
from tests.statuses.looks import HandSeconds, look, shown


def test_without_a_system_key_what_the_page_started_is_followed(
    harness: Harness, seconds: HandSeconds
) -> None:
    known = Statuses(harness.url, "", clock=harness.clock, monotonic=seconds)
    try:
        harness.start("+14255550199")
        known.note(PHONE, harness.start())
        assert (look(known, seconds) or {})["status"] == "pending"
        assert known.of("+14255550199") is None
        harness.run_once()
        harness.text(harness.code())
        assert (look(known, seconds) or {})["status"] == "approved"
    finally:
        known.close()


def test_a_refused_connection_is_told_with_its_beginning(
    harness: Harness, seconds: HandSeconds
) -> None:
    known = Statuses(
        f"http://127.0.0.1:{free_port()}", SYSTEM_KEY, clock=harness.clock, monotonic=seconds
    )
    try:
        began = harness.clock.now
        look(known, seconds)
        harness.clock.forward(30)
        look(known, seconds)
        assert known.trouble == statuses.Trouble(began, "Textback does not answer.")
    finally:
        known.close()


def answer(status: int, body: bytes = b"{}"):
    def app(environ, start_response):
        start_response(f"{status} Said", [("Content-Type", "application/json")])
        return [body]

    return app


@pytest.mark.parametrize(
    ("app", "sentence"),
    [
        (answer(500), "Textback answers 500."),
        (answer(503), "Textback answers 503."),
        (answer(401), "Textback answers 401."),
        (answer(200, b"<html>"), "Textback's answer cannot be read."),
        (answer(200, b'[{"input": 1}]'), "Textback's answer cannot be read."),
        (answer(200, b"[1]"), "Textback's answer cannot be read."),
    ],
)
def test_an_answer_that_is_none_is_told_and_what_was_known_stays(
    harness: Harness, known: Statuses, seconds: HandSeconds, app, sentence: str
) -> None:
    id = harness.start_and_send()["id"]
    look(known, seconds)
    textback, harness.app = harness.app, app
    try:
        began = harness.clock.now
        assert (look(known, seconds) or {})["id"] == id
        assert known.trouble == statuses.Trouble(began, sentence)
    finally:
        harness.app = textback
    look(known, seconds)
    assert known.trouble is None


def test_where_textback_hangs_the_phones_are_told_all_the_same(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the page's other requests do not wait for it again."""
    monkeypatch.setattr(statuses, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(statuses, "PATIENCE_SECONDS", 0.05)
    harness.start_and_send()
    until(lambda: shown(harness))
    goes_on = threading.Event()
    textback = harness.app

    def hanging(environ, start_response):
        goes_on.wait(20)
        return textback(environ, start_response)

    harness.app = hanging  # type: ignore[assignment]

    def trouble() -> dict | None:
        assert shown(harness) is not None
        url = f"{harness.simulator.url}/simulator/textback"
        return requests.get(url, timeout=20).json()["trouble"]

    try:
        told = until(trouble)
        assert told["sentence"] == "Textback does not answer within 0.2 seconds."
    finally:
        goes_on.set()
        harness.app = textback
    until(lambda: trouble() is None)
