"""How addresses of instances are read: slashes, reasons and tokens of any kind."""

import base64
import json

import pytest

from tests.dispatch.missing import catch_up, missed
from tests.harness import FUNCTION_KEY, INSTANCES, SYSTEM_KEY, Harness

BASE = "/runtime/webhooks/durabletask"


@pytest.mark.parametrize("slashes", ["/", "//", "///"])
def test_several_slashes_behind_the_base_are_one(harness: Harness, slashes: str) -> None:
    """Microsoft's PowerShell module sends two."""
    id = harness.start_and_send()["id"]
    one = f"{BASE}{slashes}instances/{id}"
    assert harness.call("GET", one).status_code == 202
    assert harness.call("POST", f"{one}/raiseEvent/Foo", json=1).status_code == 202
    assert harness.call("POST", f"{one}/terminate?reason=x").status_code == 202
    start = f"{BASE}{slashes}orchestrators/E4_SmsPhoneVerification"
    assert harness.call("POST", start, json="+14255550177").status_code == 202


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "orchestrators/E4_SmsPhoneVerification/order-7%2F"),
        ("POST", "orchestrators/E4_SmsPhoneVerification/%2f"),
        ("GET", "instances/{id}%2F"),
        ("DELETE", "instances/{id}%2F"),
        ("DELETE", "instances/%2F?createdTimeFrom=2020-01-01"),
        ("POST", "instances/{id}%2Fterminate"),
        ("POST", "instances/{id}/raiseEvent%2FFoo"),
        # Without their escapes these would match no route.
        ("POST", "orchestrators/E4_SmsPhoneVerification/a%2Fb"),
        ("DELETE", "instances/{id}%2Fb"),
        ("POST", "instances/a%2fb/terminate"),
        ("POST", "instances/{id}/raiseEvent/order%2Fpaid"),
        ("POST", "instances/{id}/rewind%2F"),
    ],
)
def test_an_escaped_slash_is_no_separator(harness: Harness, method: str, path: str) -> None:
    id = harness.start_and_send()["id"]
    answer = harness.call(method, f"{BASE}/{path.format(id=id)}", json="+14255550177")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_id")
    assert harness.status(id)["runtimeStatus"] == "Running"
    assert len(harness.newest(10)) == 1


def test_a_client_that_sends_its_key_with_a_link_is_told_so(harness: Harness) -> None:
    links = harness.start()
    for key, status in ((FUNCTION_KEY, 403), ("stale", 401)):
        answer = harness.http.get(links["statusQueryGetUri"], headers={"x-functions-key": key})
        assert answer.status_code == status
        assert "leave the header out" in answer.json()["Message"]
    without_link = harness.call("GET", f"{INSTANCES}/{links['id']}", key=FUNCTION_KEY)
    assert "leave the header out" not in without_link.json()["Message"]


@pytest.mark.parametrize("action", ["terminate", "suspend", "resume"])
def test_a_bad_reason_comes_after_an_instance_that_is_not_there(
    harness: Harness, action: str
) -> None:
    """Clients take 404 and 410 for an end of their own, and 400 for a fault."""
    query = f"{action}?reason=[text]"
    assert harness.call("POST", f"{INSTANCES}/nope/{query}").status_code == 404
    id = harness.start_and_send()["id"]
    assert harness.call("POST", f"{INSTANCES}/{id}/{query}").status_code == 400
    harness.text(harness.code())
    assert harness.call("POST", f"{INSTANCES}/{id}/{query}").status_code == 410


@pytest.mark.parametrize("event", ["CustomEventName", "eventNameChanged", "Rename_EventName_2"])
def test_an_event_may_be_named_like_the_placeholder(harness: Harness, event: str) -> None:
    id = harness.start_and_send()["id"]
    path = f"{INSTANCES}/{id}/raiseEvent/{event}"
    assert harness.call("POST", path, json=1).status_code == 202


@pytest.mark.parametrize("event", ["eventName", "{eventName}", "event_name", "<eventName>"])
def test_the_placeholder_itself_may_not(harness: Harness, event: str) -> None:
    id = harness.start_and_send()["id"]
    path = f"{INSTANCES}/{id}/raiseEvent/{event}"
    assert harness.call("POST", path, json=1).status_code == 400


def page(harness: Harness, token: str, **query: str) -> tuple[int, str | None]:
    headers = {"x-functions-key": SYSTEM_KEY, "x-ms-continuation-token": token}
    answer = harness.http.get(f"{harness.url}{INSTANCES}", params=query, headers=headers)
    return answer.status_code, answer.headers.get("x-ms-continuation-token")


def test_a_token_belongs_to_its_prefix(harness: Harness) -> None:
    for number in range(3):
        harness.start(f"+1425555019{number}")
    _, by_time = page(harness, "", top="1")
    assert by_time
    assert page(harness, by_time, top="1")[0] == 200
    assert page(harness, by_time, top="1", instanceIdPrefix="0")[0] == 400
    made = base64.urlsafe_b64encode(json.dumps({"2026-01-01": 1, "x": 2, "": 3}).encode())
    assert page(harness, made.decode())[0] == 400


def test_a_removal_takes_nothing_that_began_after_it(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(phone: str) -> str:
        id = str(harness.start(phone)["id"])
        harness.call("POST", f"{INSTANCES}/{id}/terminate")
        return id

    for number in range(3):
        ended(f"+1425555019{number}")
    harness.clock.forward(1)
    write_within, later = harness.store.write_within, []

    def between(*args: object, **kwargs: object) -> object:
        monkeypatch.undo()
        done = write_within(*args, **kwargs)
        harness.clock.forward(1)
        later.append(ended("+14255550177"))
        return done

    monkeypatch.setattr(harness.store, "write_within", between)
    answer = harness.call("DELETE", f"{INSTANCES}?createdTimeFrom=2020-01-01")
    assert answer.json() == {"instancesDeleted": 3}
    assert harness.call("GET", f"{INSTANCES}/{later[0]}").status_code == 200


def test_the_time_of_the_last_change_never_goes_back(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(30)
    harness.call("POST", f"{INSTANCES}/{id}/suspend")
    harness.forward(600)
    harness.answer(id, harness.code())
    held_at = harness.status(id)["lastUpdatedTime"]
    harness.forward(60)
    harness.call("POST", f"{INSTANCES}/{id}/resume")
    status = harness.status(id)
    assert status["runtimeStatus"] == "Completed"
    assert status["lastUpdatedTime"] > held_at


def test_a_text_that_was_taken_after_the_end_creates_no_timer(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = harness.start()["id"]
    gateway = harness.service.gateway
    send = gateway.send

    def end_first(**told: object) -> object:
        harness.call("POST", f"{INSTANCES}/{id}/terminate")
        harness.clock.forward(1)
        return send(**told)

    monkeypatch.setattr(gateway, "send", end_first)
    harness.run_once()
    body = harness.call("GET", f"{INSTANCES}/{id}?showHistory=true").json()
    events = [event["EventType"] for event in body["historyEvents"]]
    assert "TaskCompleted" in events
    assert "TimerCreated" not in events


def test_nor_does_it_go_back_where_a_reply_is_read_late(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(80)
    missed(harness, harness.wrong())
    harness.clock.forward(20)
    catch_up(harness)
    changed_at = harness.status(id)["lastUpdatedTime"]
    harness.run_once()
    status = harness.status(id)
    assert status["runtimeStatus"] == "Completed"
    assert status["lastUpdatedTime"] >= changed_at
