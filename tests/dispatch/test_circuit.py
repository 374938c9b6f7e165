"""Twilio does not accept our credentials: sending pauses and starts are refused until it does."""

from bot.usecases.claim import due_ids
from simulator import faults
from tests.harness import ACCOUNT, FUNCTION_KEY, SYSTEM_KEY, Harness

OTHER_PHONE = "+14255550199"


def refuse_credentials(harness: Harness) -> None:
    harness.service.gateway.client.auth = (ACCOUNT.sid, "wrong")


def accept_credentials(harness: Harness) -> None:
    harness.service.gateway.client.auth = (ACCOUNT.sid, ACCOUNT.auth_token)


def ready(harness: Harness, key: str | None = SYSTEM_KEY) -> tuple[int, dict]:
    response = harness.call("GET", "/readyz", key=key)
    return response.status_code, response.json()


def test_wrong_credentials_pause_sending_and_refuse_starts(harness: Harness) -> None:
    refuse_credentials(harness)
    id = harness.start_and_send()["id"]
    status = harness.status(id)
    assert (status["runtimeStatus"], status["customStatus"]["errorCode"]) == ("Pending", 20003)
    assert "TWILIO_AUTH_TOKEN" in status["customStatus"]["error"]
    refused = harness.post_start(OTHER_PHONE)
    assert (refused.status_code, refused.json()["code"]) == (503, "sender_unavailable")
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert ready(harness)[0] == 503
    assert "TWILIO_AUTH_TOKEN" in ready(harness)[1]["reasons"]["twilio_credentials"]


def test_sending_resumes_once_twilio_accepts_the_credentials(harness: Harness) -> None:
    refuse_credentials(harness)
    id = harness.start_and_send()["id"]
    harness.forward(10)
    assert harness.texts() == []
    accept_credentials(harness)
    harness.forward(9)
    assert harness.texts() == []
    harness.forward(1)
    assert len(harness.texts()) == 1
    harness.text(harness.code())
    assert harness.status(id)["output"] is True
    assert ready(harness) == (200, {"status": "ready", "reasons": {}, "notes": {}})
    assert harness.post_start(OTHER_PHONE).status_code == 202


def test_starts_are_accepted_again_though_no_text_waits(harness: Harness) -> None:
    refuse_credentials(harness)
    id = harness.start_and_send()["id"]
    harness.terminate(id, None)
    accept_credentials(harness)
    harness.forward(10)
    assert harness.post_start().status_code == 202


def test_a_text_that_cannot_be_sent_in_time_fails(harness: Harness) -> None:
    refuse_credentials(harness)
    id = harness.start_and_send()["id"]
    for _ in range(7):
        harness.forward(9)
    status = harness.status(id)
    assert status["runtimeStatus"] == "Failed"
    assert "Its last answer was 20003." in status["output"]


def test_nothing_is_asked_of_twilio_between_probes(harness: Harness, monkeypatch) -> None:
    refuse_credentials(harness)
    harness.start_and_send()
    calls = []
    http_client = harness.service.gateway.client.http_client
    request = http_client.request

    def counting(*args, **more):
        calls.append(args)
        return request(*args, **more)

    monkeypatch.setattr(http_client, "request", counting)
    for _ in range(30):
        harness.forward(1)
    assert len(calls) == 3


def test_texts_are_not_due_at_once_again_where_a_probe_is_late(harness: Harness) -> None:
    """The loop would spin."""
    refuse_credentials(harness)
    harness.start_and_send()
    harness.clock.forward(11)
    assert len(harness.store.read(due_ids, limit=10)) == 1
    assert harness.dispatcher.send.claim(10) == []
    assert harness.store.read(due_ids, limit=10) == []


def test_an_unknown_outcome_waits_too_and_is_looked_up_afterwards(harness: Harness) -> None:
    harness.simulator.faults.add(faults.ERROR_AFTER)
    harness.simulator.faults.add(faults.LIST_ERROR)
    first = harness.start_and_send()["id"]
    refuse_credentials(harness)
    harness.start_and_send(OTHER_PHONE)
    accept_credentials(harness)
    for _ in range(4):
        harness.forward(5)
    assert harness.view(first).text.state == "accepted"
    assert len(harness.texts()) == len(harness.texts(OTHER_PHONE)) == 1


def test_readiness_tells_reasons_to_the_system_key_alone(harness: Harness) -> None:
    assert ready(harness, None) == (200, {"status": "ready"})
    harness.start()
    harness.clock.forward(6)
    assert ready(harness, None) == (503, {"status": "not ready"})
    assert ready(harness, FUNCTION_KEY) == (503, {"status": "not ready"})
    assert list(ready(harness)[1]["reasons"]) == ["dispatcher"]
    harness.run_once()
    assert ready(harness, None)[0] == 200


def test_readiness_without_a_database_is_not_ready(harness: Harness, monkeypatch) -> None:
    from bot.store.tx import StoreUnavailable

    def fail(_: object) -> None:
        raise StoreUnavailable("disk I/O error")

    monkeypatch.setattr(harness.store, "read", fail)
    assert list(ready(harness)[1]["reasons"]) == ["store"]
