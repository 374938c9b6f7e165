"""Placeholders taken literally are refused, and the names and number of events are bounded."""

from urllib.parse import quote

import pytest

from bot.http.paths import of_environ
from tests.harness import INSTANCES, PHONE, Harness

# -- placeholders taken literally ------------------------------------------------------------------


def test_an_event_name_that_is_still_the_placeholder_is_400(harness: Harness) -> None:
    links = harness.start_and_send()
    for name in (
        "{eventName}",
        "%7BeventName%7D",
        "SmsChallengeResponse{eventName}",
        "{name}",
        "{{eventName}}",
        "${name}",
        "<x>",
    ):
        link = links["sendEventPostUri"].replace("{eventName}", name)
        response = harness.http.post(link, json="1234")
        assert (response.status_code, response.json()["code"]) == (400, "invalid_event_name")
        assert "SmsChallengeResponse" in response.json()["ExceptionMessage"]


@pytest.mark.parametrize("operation", ["terminatePostUri", "suspendPostUri", "resumePostUri"])
@pytest.mark.parametrize(
    "reason", ["{text}", "%7Btext%7D", " {reason} ", "{{text}}", "${text}", "{0}", "<text>"]
)
def test_a_reason_that_is_still_the_placeholder_is_400(
    harness: Harness, operation: str, reason: str
) -> None:
    links = harness.start_and_send()
    response = harness.http.post(links[operation].replace("{text}", reason))
    assert (response.status_code, response.json()["code"]) == (400, "invalid_reason")
    assert harness.status(links["id"])["runtimeStatus"] == "Running"


@pytest.mark.parametrize(
    "reason",
    ["%257Btext%257D", "{text:s}", "{text?}", "{{ $json.text }}", "%25s", "%25(text)s", "[text]"]
    + [":text", "$(text)", "｛text｝", "{text}{text}"],
)
def test_templates_of_other_tools_are_placeholders_too(harness: Harness, reason: str) -> None:
    links = harness.start_and_send()
    response = harness.http.post(links["terminatePostUri"].replace("{text}", reason))
    assert (response.status_code, response.json()["code"]) == (400, "invalid_reason")
    assert harness.status(links["id"])["runtimeStatus"] == "Running"


@pytest.mark.parametrize(
    ("id", "headers", "tag", "code"),
    [
        ("{instanceId}", {}, None, "invalid_id"),
        ("<id>", {}, None, "invalid_id"),
        ("", {"Idempotency-Key": "{{$guid}}"}, None, "invalid_idempotency_key"),
        ("", {"Idempotency-Key": "${uuid}"}, None, "invalid_idempotency_key"),
        ("", {}, "{{order}}", "invalid_start"),
    ],
)
def test_a_start_with_a_placeholder_is_400(
    harness: Harness, id: str, headers: dict[str, str], tag: str | None, code: str
) -> None:
    response = harness.call(
        "POST",
        f"/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/{id}".rstrip("/"),
        json={"phoneNumber": PHONE, "tag": tag},
        headers=headers,
    )
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert harness.newest(1) == []


def test_a_code_in_place_of_the_name_of_an_event_is_kept_nowhere(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    links = harness.start_and_send()
    code = harness.code()
    for name in (code, f" {code}", "-".join(code)):
        link = links["sendEventPostUri"].replace("{eventName}", name)
        response = harness.http.post(link, json=code)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_event_name")
    assert code not in str(harness.status(links["id"]))
    assert code not in of_environ(f"{INSTANCES}/{links['id']}/raiseEvent/{code}")


@pytest.mark.parametrize(
    "id", ["{550e8400-e29b-41d4-a716-446655440000}", "<order-17>", "$abc", "{5f3a}", "[duplicate]"]
)
def test_an_id_a_tag_and_a_key_may_stand_in_marks(harness: Harness, id: str) -> None:
    response = harness.call(
        "POST",
        f"/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/{quote(id)}",
        json={"phoneNumber": PHONE, "tag": id},
        headers={"Idempotency-Key": id},
    )
    assert (response.status_code, response.json()["id"]) == (202, id)


def test_a_code_within_the_name_of_an_event_is_masked(harness: Harness) -> None:
    links = harness.start_and_send()
    code = harness.code()
    for name in (f"Code{code}", f"my {'-'.join(code)}"):
        link = links["sendEventPostUri"].replace("{eventName}", name)
        assert harness.http.post(link, json="x").status_code == 202
        assert code not in of_environ(f"/raiseEvent/{name}")
    body = harness.call("GET", f"{INSTANCES}/{links['id']}?showHistory=true").text
    assert code not in body
    assert "-".join(code) not in body
    assert "Code*****" in body
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    for path in (f"/raiseEvent/{wide}", f"/raiseEvent/{wide}".encode().decode("latin-1")):
        assert of_environ(path) == "/raiseEvent/*****"
    assert of_environ(f"/raiseEvent/SmsChallengeResponse/{code}/") == (
        "/raiseEvent/SmsChallengeResponse/*****/"
    )
    assert code not in of_environ(f"/raiseEvent/a/b\n/{'_'.join(code)}/{wide}")


# -- events are bounded ----------------------------------------------------------------------------


def test_events_beyond_the_bound_are_counted_and_not_kept(harness: Harness) -> None:
    links = harness.start_and_send()
    id = links["id"]
    for number in range(300):
        name = f"{number:03}".ljust(100, "x")
        response = harness.call("POST", f"{INSTANCES}/{id}/raiseEvent/{name}", json={})
        assert response.status_code == 202
    for _ in range(3):
        harness.text(harness.wrong())
    harness.text(harness.code())
    status = harness.call("GET", f"{INSTANCES}/{id}?showHistory=true")
    assert len(status.content) < 64 * 1024
    events = harness.history(id)
    assert len(events) <= 200
    assert events[-5:] == ["wrong_answer"] * 3 + ["right_answer", "approved"]
    view = harness.view(id)
    assert view.verification.unwritten_events == 3 + 300 + 5 - len(events)
    assert status.json()["output"] is True


def test_the_system_key_sees_the_figures_of_a_bounded_history(harness: Harness) -> None:
    """The end is always written, since figures are counted from the history."""
    id = harness.start_and_send()["id"]
    for _ in range(250):
        harness.text("hello?")
    harness.text("STOP")
    assert harness.history(id)[-1] == "canceled"
    assert harness.today().whole.counts["canceled"] == 1
