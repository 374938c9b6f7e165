"""Twilio does not know our credentials: sending pauses, starts are refused, and it heals."""

from simulator import faults
from tests.desk import ACCOUNT, FUNCTION_KEY, SYSTEM_KEY, Desk

OTHER_PHONE = "+14255550199"


def forget_us(desk: Desk) -> None:
    desk.dispatcher._gateway._client.auth = (ACCOUNT.sid, "wrong")


def know_us(desk: Desk) -> None:
    desk.dispatcher._gateway._client.auth = (ACCOUNT.sid, ACCOUNT.auth_token)


def ready(desk: Desk, key: str | None = SYSTEM_KEY) -> tuple[int, dict]:
    response = desk.call("GET", "/readyz", key=key)
    return response.status_code, response.json()


def test_wrong_credentials_pause_sending_and_refuse_starts(desk: Desk) -> None:
    forget_us(desk)
    id = desk.start_and_send()["id"]
    status = desk.status(id)
    assert (status["runtimeStatus"], status["customStatus"]["errorCode"]) == ("Pending", 20003)
    assert "TWILIO_AUTH_TOKEN" in status["customStatus"]["error"]
    refused = desk.post_start(OTHER_PHONE)
    assert (refused.status_code, refused.json()["code"]) == (503, "sender_unavailable")
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert ready(desk)[0] == 503
    assert "TWILIO_AUTH_TOKEN" in ready(desk)[1]["reasons"]["twilio_credentials"]


def test_it_goes_on_by_itself_when_twilio_knows_us_again(desk: Desk) -> None:
    forget_us(desk)
    id = desk.start_and_send()["id"]
    desk.forward(10)
    assert desk.texts() == []
    know_us(desk)
    desk.forward(9)
    assert desk.texts() == []
    desk.forward(1)
    assert len(desk.texts()) == 1
    desk.text(desk.code())
    assert desk.status(id)["output"] is True
    assert ready(desk) == (200, {"status": "ready", "reasons": {}})
    assert desk.post_start(OTHER_PHONE).status_code == 202


def test_it_heals_though_nothing_waits_to_be_sent(desk: Desk) -> None:
    forget_us(desk)
    id = desk.start_and_send()["id"]
    desk.verifications.terminate(id, None)
    know_us(desk)
    desk.forward(10)
    assert desk.post_start().status_code == 202


def test_what_is_pending_keeps_its_bound(desk: Desk) -> None:
    forget_us(desk)
    id = desk.start_and_send()["id"]
    for _ in range(7):
        desk.forward(9)
    status = desk.status(id)
    assert status["runtimeStatus"] == "Failed"
    assert "Its last answer was 20003." in status["output"]


def test_nothing_is_asked_of_twilio_between_probes(desk: Desk, monkeypatch) -> None:
    forget_us(desk)
    desk.start_and_send()
    calls = []
    http_client = desk.dispatcher._gateway._client.http_client
    request = http_client.request

    def counting(*args, **more):
        calls.append(args)
        return request(*args, **more)

    monkeypatch.setattr(http_client, "request", counting)
    for _ in range(30):
        desk.forward(1)
    assert len(calls) == 3


def test_an_unknown_outcome_waits_too_and_is_looked_up_afterwards(desk: Desk) -> None:
    desk.simulator.faults.add(faults.ERROR_AFTER)
    desk.simulator.faults.add(faults.LIST_ERROR)
    first = desk.start_and_send()["id"]
    forget_us(desk)
    desk.start_and_send(OTHER_PHONE)
    know_us(desk)
    for _ in range(4):
        desk.forward(5)
    assert desk.verifications.view(first).text.state == "accepted"
    assert len(desk.texts()) == len(desk.texts(OTHER_PHONE)) == 1


def test_readiness_tells_reasons_to_the_system_key_alone(desk: Desk) -> None:
    assert ready(desk, None) == (200, {"status": "ready"})
    desk.start()
    desk.clock.forward(6)
    assert ready(desk, None) == (503, {"status": "not ready"})
    assert ready(desk, FUNCTION_KEY) == (503, {"status": "not ready"})
    assert list(ready(desk)[1]["reasons"]) == ["dispatcher"]
    desk.run_once()
    assert ready(desk, None)[0] == 200


def test_readiness_without_a_database_is_not_ready(desk: Desk, monkeypatch) -> None:
    from bot.store.tx import StoreUnavailable

    def fail(_: object) -> None:
        raise StoreUnavailable("disk I/O error")

    monkeypatch.setattr(desk.verifications.store, "read", fail)
    assert list(ready(desk)[1]["reasons"]) == ["store"]
