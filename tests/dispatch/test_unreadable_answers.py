"""Answers and lists of Twilio that lack what its API describes."""

import json
from typing import Any

import pytest
from twilio.http.response import Response

from bot.channels.gateway import Blame, Refused
from simulator import faults
from tests.dispatch.missing import catch_up, missed
from tests.harness import PHONE, Harness
from tests.odd_cases.gateways import gateway, listener


@pytest.mark.parametrize("created", [None, "yesterday", "2026-11-30T05:00:00Z"])
@pytest.mark.parametrize("is_ours", [False, True], ids=["another", "ours"])
def test_a_message_without_a_readable_date_defeats_no_look_up(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, created: str | None, is_ours: bool
) -> None:
    if not is_ours:
        harness.start_and_send()
        harness.text(harness.code())
        harness.forward(60)
    known = {message.sid for message in harness.texts()}
    harness.simulator.faults.add(faults.LOSE_ANSWER)
    undated = {"date_created": created, "date_sent": created}
    shown_messages(harness, monkeypatch, undated, lambda sid: (sid in known) != is_ours)
    id = harness.start_and_send()["id"]
    for _ in range(15):
        harness.forward(1)
    assert len(harness.texts()) == len(known) + 1
    assert harness.view(id).text.sid == harness.texts()[-1].sid


def shown_messages(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], is_changed: Any
) -> None:
    """Has Twilio's list show some messages with other fields."""
    client = harness.service.gateway.client.http_client  # type: ignore[attr-defined]
    request = client.request

    def changed(*args: Any, **more: Any) -> Any:
        response = request(*args, **more)
        body = json.loads(response.text)
        for message in body.get("messages", []):
            if is_changed(message["sid"]):
                message.update(fields)
        return Response(response.status_code, json.dumps(body), response.headers)

    monkeypatch.setattr(client, "request", changed)


@pytest.mark.parametrize("field", [{"date_sent": "soon"}, {"body": 5}, {"from": 5}])
def test_a_received_message_that_cannot_be_read_holds_up_no_other(
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    field: dict[str, Any],
) -> None:
    id = harness.start_and_send()["id"]
    missed(harness, "hello")
    first = {message["sid"] for message in received(harness)}
    missed(harness, harness.code())
    shown_messages(harness, monkeypatch, field, lambda sid: sid in first)
    catch_up(harness)
    assert harness.status(id)["output"] is True
    assert "cannot be read" in caplog.text


def received(harness: Harness) -> list[dict[str, Any]]:
    return [{"sid": m.sid} for m in harness.simulator.world.messages() if m.sender == PHONE]


@pytest.mark.parametrize("body", [b"", b'{"code": 70051, "status": 401}', b"<html>"])
def test_a_401_is_about_the_credentials_whatever_its_body(body: bytes) -> None:
    def serve(connection: Any) -> None:
        with connection:
            connection.recv(65536)
            head = f"HTTP/1.1 401 Unauthorized\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)

    with listener(serve) as port:
        result = gateway(port).send(
            to=PHONE, body="x", validity_seconds=60, text_id="1", until=float("inf")
        )
    assert isinstance(result, Refused)
    assert result.blame is Blame.CREDENTIALS
