"""`flask check --twilio` reports why Twilio, or Textback's public address, cannot be reached."""

import json
import socket
from contextlib import closing
from typing import Any

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.response import Response

from bot.channels.gateway import Finding, Level
from bot.channels.twilio import questions
from bot.channels.twilio.questions import Questions, Unanswered, Why
from bot.channels.twilio.readiness import address
from bot.channels.twilio.readiness.findings import FindingKind
from bot.settings import Settings
from simulator import faults
from tests.harness import Harness
from tests.sms.findings import found, of_kind, sentence_of


def unused_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# -- on the way ------------------------------------------------------------------------------------


def connection(harness: Harness, url: str) -> str:
    findings = found(harness, twilio_api_base_url=url, twilio_timeout_seconds=1.0)
    assert [one.kind for one in findings] == [FindingKind.CONNECTION, FindingKind.ADDRESS]
    assert findings[0].level is Level.FAULT
    return findings[0].sentence


def test_twilio_cannot_be_reached(ready: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "refuses the connection" in connection(ready, f"http://127.0.0.1:{unused_port()}")
    assert "is not found" in connection(ready, "https://twilio.invalid")
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        assert "did not answer" in connection(ready, f"http://127.0.0.1:{port}")
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused_port()}")
        assert "proxy" in connection(ready, "https://twilio.invalid")


def test_something_else_answers_in_twilios_place(ready: Harness) -> None:
    """Textback itself, say."""
    assert "not with Twilio's API" in connection(ready, f"{ready.url}/console")


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        (401, 20003, Why.CREDENTIALS),
        (401, None, Why.CREDENTIALS),
        (403, 20003, Why.CREDENTIALS),
        (403, 20008, Why.TEST_CREDENTIALS),
        (403, 70051, Why.NOT_PERMITTED),
        (403, 20006, Why.NOT_PERMITTED),
        (403, None, Why.CONNECTION),
        (404, 20404, Why.NOT_FOUND),
        (404, None, Why.CONNECTION),
        (407, None, Why.CONNECTION),
        (400, 21604, Why.REFUSED),
        (400, 99999, Why.REFUSED),
        (429, 20429, Why.TEMPORARY),
        (500, None, Why.TEMPORARY),
        (503, 20503, Why.TEMPORARY),
    ],
)
@pytest.mark.parametrize("of_a_list", [False, True])
def test_what_an_answer_means(
    ready: Harness, status: int, code: int | None, why: Why, of_a_list: bool
) -> None:
    body = json.dumps({"code": code, "message": "to +14255550123"}) if code else "<html>"
    raised = (
        TwilioException("Unable to fetch page", Response(status, body))
        if of_a_list
        else TwilioRestException(status, "/uri", "to +14255550123", code or status)
    )
    failed = questions.unanswered(raised, ready.settings)
    assert failed.why is why
    assert failed.sentence.endswith(".")
    assert "+1425" not in failed.sentence


def test_a_trouble_of_twilios_is_told_and_the_rest_goes_on(ready: Harness) -> None:
    ready.simulator.faults.add(faults.LIST_ERROR)
    findings = found(ready)
    assert "busy or has a fault" in sentence_of(findings, FindingKind.REPLIES, Level.WARNING)
    assert of_kind(findings, FindingKind.ADDRESS)


def test_where_twilio_answers_nothing_it_is_not_ready(
    ready: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(self: Questions, question: Any) -> Any:
        raise Unanswered(Why.TEMPORARY, "Twilio is busy or has a fault of its own.")

    monkeypatch.setattr(Questions, "ask", busy)
    findings = found(ready)
    for kind in (FindingKind.ACCOUNT, FindingKind.NUMBER):
        assert "busy" in sentence_of(findings, kind, Level.FAULT)


def test_all_questions_together_are_bounded(
    ready: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "TOTAL_SECONDS", 0.0)
    findings = found(ready)
    assert sentence_of(findings, FindingKind.CONNECTION, Level.FAULT)


# -- the public address ----------------------------------------------------------------------------


def address_of(settings: Settings, url: str) -> Finding:
    (one,) = address.findings(settings.model_copy(update={"public_base_url": url}))
    assert one.kind == FindingKind.ADDRESS
    return one


def test_the_public_address_is_tried_from_here(ready: Harness) -> None:
    assert address_of(ready.settings, ready.url).level is Level.GOOD
    for url, said in (
        (f"http://127.0.0.1:{unused_port()}", "refused"),
        ("https://verify.invalid", "DNS"),
        (f"{ready.simulator.url}", "something other than Textback"),
    ):
        one = address_of(ready.settings, url)
        assert one.level is Level.WARNING
        assert said in one.sentence
