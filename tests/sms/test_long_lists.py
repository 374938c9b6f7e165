"""Accounts with many services, senders and messages, and odd answers in lists."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.response import Response

from bot.channels.gateway import ChannelUnavailable, Level
from bot.channels.twilio import senders
from bot.channels.twilio.client import client
from bot.channels.twilio.http import PooledHttpClient
from bot.channels.twilio.number import wanted_url
from bot.channels.twilio.questions import Questions, Why, unanswered
from bot.channels.twilio.readiness import replies
from bot.channels.twilio.readiness.findings import FindingKind
from simulator import faults
from tests.dispatch.missing import catch_up, missed
from tests.harness import Harness
from tests.sms.findings import found, of_kind, sentence_of, world

Change = Callable[[str, dict[str, Any]], object]


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], None]:
    """Lets a function change each JSON answer of Twilio's; it gets the address too."""

    def change(function: Change) -> None:
        ask = PooledHttpClient.request

        def changed(self: PooledHttpClient, method: str, url: str, **more: Any) -> Response:
            answer = ask(self, method, url, **more)
            body = json.loads(answer.text)
            function(url, body)
            return Response(answer.status_code, json.dumps(body), answer.headers)

        monkeypatch.setattr(PooledHttpClient, "request", changed)

    return change


def test_of_too_many_services_nothing_is_concluded(
    ready: Harness, change: Callable[[Change], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "MOST_SERVICES", 1)

    def take_out(url: str, body: dict[str, Any]) -> None:
        if url.endswith("/PhoneNumbers"):
            body["phone_numbers"] = []

    change(take_out)
    told = sentence_of(found(ready), FindingKind.NUMBER, Level.WARNING)
    assert "more Messaging Services than the 1 that were read" in told


def test_each_sender_of_a_large_pool_is_looked_at(
    served: Harness, change: Callable[[Change], None]
) -> None:
    service = world(served).service
    assert service is not None
    world(served).configure_service(replace(service, uses_number_webhook=True))
    world(served).configure_number(sms_url=wanted_url(served.settings))

    def add_numbers(url: str, body: dict[str, Any]) -> None:
        rows = "phone_numbers" if "/Services/" in url else "incoming_phone_numbers"
        if not body.get(rows):
            return
        row = body[rows][0]
        body[rows] = [{**row, "sid": f"PN{n:032x}"} for n in range(25)]
        if "sms_url" in row:
            body[rows][24]["sms_url"] = "https://demo.twilio.com/welcome"

    change(add_numbers)
    assert "https://demo.twilio.com/welcome" in served.flask("number", "check").output


def test_of_a_busy_account_it_is_said_how_far_the_list_was_read(
    ready: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.start_and_send()
    ready.text("hello")
    ready.simulator.faults.add(faults.WITHHOLD, code=30038)
    ready.text(ready.wrong())
    for _ in range(3):
        ready.text("hello")
    monkeypatch.setattr(replies, "MOST", 2)
    (finding,) = of_kind(found(ready), FindingKind.REPLIES)
    assert "of the newest 2 messages" in finding.sentence


@pytest.mark.parametrize("ahead", [2, 5])
def test_a_reply_whose_stamp_is_ahead_of_twilios_own_time_was_sent_now(
    harness: Harness, change: Callable[[Change], None], ahead: int
) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(88)
    missed(harness, harness.code())

    def stamp(_: str, body: dict[str, Any]) -> None:
        at = world(harness).now() + timedelta(seconds=ahead)
        for message in body.get("messages", ()):
            message["date_sent"] = format_datetime(at.replace(microsecond=0))

    change(stamp)
    catch_up(harness)
    assert harness.status(id)["output"] is True


@pytest.mark.parametrize("status", [403, 404])
def test_a_page_of_something_else_is_not_twilios_word(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """A proxy's 404 does not say that a text is gone, nor its 403 that a key is known."""
    page = Response(status, "<html>", {})
    monkeypatch.setattr(PooledHttpClient, "request", lambda *_, **__: page)
    gateway = harness.service.gateway
    with pytest.raises(ChannelUnavailable):
        gateway.check() if status == 403 else gateway.erase("SM" + 32 * "0")


def test_a_suspended_account_is_told(ready: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Response(401, json.dumps({"code": 20005, "message": "no"}), {})
    monkeypatch.setattr(PooledHttpClient, "request", lambda *_, **__: refused)
    assert "suspended" in sentence_of(found(ready), FindingKind.CREDENTIALS, Level.FAULT)
    assert "suspended" in ready.flask("number", "check").output


def test_region_and_edge_are_those_of_the_settings(harness: Harness) -> None:
    harness.restart(TWILIO_REGION="ie1", TWILIO_EDGE="dublin")
    made = client(harness.settings)
    api = "https://api.twilio.com/2010-04-01"
    assert made.get_hostname(api) == "https://api.dublin.ie1.twilio.com/2010-04-01"


@pytest.mark.parametrize(
    ("base", "url", "asked"),
    [
        ("https://api.dublin.ie1.twilio.com", "https://api.twilio.com/x", "api.dublin.ie1"),
        ("https://api.dublin.ie1.twilio.com", "https://messaging.twilio.com/v1/x", "messaging"),
    ],
)
def test_a_host_of_twilios_own_takes_its_own_product_alone(base: str, url: str, asked: str) -> None:
    made = PooledHttpClient(base, timeout=1.0, connections=1)
    assert made.rebased(url).startswith(f"https://{asked}.twilio.com/")


def test_a_text_that_twilio_lists_by_rcs_is_not_sent_again(
    served: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = PooledHttpClient.request

    def by_rcs(self: PooledHttpClient, method: str, url: str, **more: Any) -> Response:
        params = more.get("params") or {}
        to = params.get("To")
        if to is None:
            return ask(self, method, url, **more)
        more["params"] = {**params, "To": to.removeprefix("rcs:")}
        answer = ask(self, method, url, **more)
        body = json.loads(answer.text)
        body["messages"] = body["messages"] if to.startswith("rcs:") else []
        return Response(answer.status_code, json.dumps(body), answer.headers)

    monkeypatch.setattr(PooledHttpClient, "request", by_rcs)
    served.simulator.faults.add(faults.LOSE_ANSWER)
    served.simulator.faults.add(faults.REPORTS_NEVER)
    served.start_and_send()
    for _ in range(20):
        served.forward(1)
    assert len(served.texts()) == 1
    assert served.newest(1)[0].text.sid is not None


def test_a_question_ends_in_time_however_many_pages_it_takes(ready: Harness) -> None:
    questions = Questions(ready.settings, ends=time.monotonic() + 5)
    http = questions.client.http_client
    deadlines = []

    def ask() -> None:
        for _ in range(3):
            questions.client.messages.list(limit=1, page_size=1)
            deadlines.append(http.next_deadline())

    questions.ask(ask)
    assert max(deadlines) <= questions.ends
    assert http.next_deadline() > questions.ends, "later calls have a time of their own"


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_right_is_no_wrong_key(ready: Harness, status: int) -> None:
    raised = TwilioRestException(status, "/uri", "no", 70051)
    assert unanswered(raised, ready.settings).why is Why.NOT_PERMITTED
