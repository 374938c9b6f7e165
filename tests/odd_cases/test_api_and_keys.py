"""Filters, byte order marks, links, placeholders, and keys that are rotated."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.app import openapi_document
from tests.harness import FUNCTION_KEY, INSTANCES, PHONE, START, Harness
from tests.harness import harness as open_harness

OLD, NEW = "the-old-function-key", "the-new-function-key"


# -- 17. a removal removes no more than was asked for ----------------------------------------------

FROM = "createdTimeFrom=2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "filters",
    [
        f"{FROM}&createdTimeTo=06/01/2020 00:00:00",
        f"{FROM}&createdTimeTo=2020-6-1T00:00:00Z",
        f"{FROM}&createdTimeTo=1590969600",
        f"{FROM}&createdTimeTo=",
        f"{FROM}&createdTimeTo=yesterday",
        f"{FROM}&createdTimeTo=2020-06-01T00:00:00 CET",
        f"{FROM}&createdTimeTo=2020-06-01&createdTimeTo=2030-01-01",
        f"{FROM}&createdTimeFrom=2021-01-01",
        f"{FROM}&runtimeStatus=Nonsense",
        f"{FROM}&runtimeStatus=",
        f"{FROM}&runtimeStatus=Completed,",
        f"{FROM}&runtimeStatus=Completed,Gone",
        f"{FROM}&createdTimeUntil=2020-06-01T00:00:00Z",
        f"{FROM}&instanceIdPrefix=abc",
        f"{FROM}&top=1",
        "createdTimeFrom=1577836800",
        "createdTimeFrom=27-01-01",
        "createdTimeFrom=30-06-15T00:00:00Z",
        "createdTimeFrom=1-06-15",
        "createdTimeFrom=",
        "",
    ],
)
def test_what_is_not_understood_is_400_and_removes_nothing(harness: Harness, filters: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    response = harness.call("DELETE", f"{INSTANCES}?{filters}")
    assert response.status_code == 400
    assert response.content
    assert harness.status(id)["output"] is True


@pytest.mark.parametrize(
    "filters",
    [
        f"{FROM}&createdTimeTo=2020-06-01T00:00:00+02:00",  # the plus arrives as a blank
        f"{FROM}&createdTimeTo=2020-06-01T00:00:00%2B02:00",
        f"{FROM}&createdTimeTo=2020-06-01",
        f"{FROM}&runtimeStatus=failed",
    ],
)
def test_what_is_understood_removes_what_it_says(harness: Harness, filters: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    assert harness.call("DELETE", f"{INSTANCES}?{filters}").status_code == 404
    assert harness.status(id)["output"] is True


@pytest.mark.parametrize(
    "filters",
    [
        f"{FROM}&runtimeStatus=completed",
        f"{FROM}&RUNTIMESTATUS=COMPLETED&taskHub=x&connection=y",
        "createdTimeFrom=2026-01-31T13:00:00+01:00",
        "createdTimeFrom=2026-01-31T12:00:00.0000000Z&createdTimeTo=2026-01-31T15:00:00 01:00",
    ],
)
def test_words_in_any_case_and_blanks_for_a_plus_are_understood(
    harness: Harness, filters: str
) -> None:
    harness.start_and_send()
    harness.text(harness.code())
    response = harness.call("DELETE", f"{INSTANCES}?{filters}")
    assert response.json() == {"instancesDeleted": 1}


@pytest.mark.parametrize(
    "filters",
    ["createdTimeTo=garbage", "createdTimeTo=2020-01-01T00:00:00Z", "runtimeStatus=Failed", "x=1"],
)
def test_the_removal_of_one_has_no_filter(harness: Harness, filters: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    response = harness.call("DELETE", f"{INSTANCES}/{id}?{filters}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_filter")
    assert harness.status(id)["output"] is True
    common = "taskHub=x&connection=Storage"
    assert harness.call("DELETE", f"{INSTANCES}/{id}?{common}").status_code == 200


# -- 18. byte order marks --------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_no_part_of_the_body(harness: Harness, encoding: str) -> None:
    body = json.dumps(PHONE).encode(encoding)
    started = harness.call("POST", START, key=FUNCTION_KEY, data=body)
    assert started.status_code == 202, started.text
    id = started.json()["id"]
    assert harness.status(id)["input"] == PHONE
    harness.run_once()
    path = f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse"
    headers = {"Content-Type": "application/json"}
    answer = json.dumps(harness.code()).encode(encoding)
    assert harness.call("POST", path, data=answer, headers=headers).status_code == 202
    assert harness.status(id)["output"] is True


def test_a_mark_before_bare_digits_and_other_events_too(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    headers = {"Content-Type": "application/json"}
    path = f"{INSTANCES}/{id}/raiseEvent"
    body = b"\xef\xbb\xbf{}"
    assert harness.call("POST", f"{path}/Other", data=body, headers=headers).status_code == 202
    body = b"\xef\xbb\xbf" + harness.code().encode()
    harness.call("POST", f"{path}/SmsChallengeResponse", data=body, headers=headers)
    assert harness.status(id)["output"] is True


def test_a_mark_inside_a_body_that_is_encoded_twice(harness: Harness) -> None:
    for body in (json.dumps("\ufeff" + json.dumps(PHONE)), json.dumps(f"\ufeff{PHONE}")):
        response = harness.call("POST", START, key=FUNCTION_KEY, data=body)
        assert response.status_code == 202, response.text


def test_a_mark_before_a_form_of_verify(harness: Harness) -> None:
    response = harness.http.post(
        f"{harness.url}/v2/Services/{harness.settings.service_sid}/Verifications",
        data=b"\xef\xbb\xbfTo=%2B14255550177&Channel=sms",
        auth=("caller", FUNCTION_KEY),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert response.status_code == 201, response.text


# -- 19. a link is for its own instance ------------------------------------------------------------


@contextmanager
def restarted(harness: Harness, path: Path, **settings: str) -> Iterator[Harness]:
    """The same database under other settings."""
    url = harness.settings.database_url
    with open_harness(path, DATABASE_URL=url, **settings) as again:
        again.clock.now = harness.clock.now
        yield again


def restart(harness: Harness, links: dict[str, str], **more: object):
    path = links["restartPostUri"].partition("/runtime")[2]
    return harness.call("POST", f"/runtime{path}", key=None, **more)


def test_the_link_of_a_replaced_key_starts_nothing(tmp_path: Path) -> None:
    with open_harness(tmp_path, FUNCTION_KEY=OLD) as before:
        links = before.start(key=OLD)
        before.forward(200)
        assert restart(before, links).status_code == 202
        with restarted(before, tmp_path, FUNCTION_KEY=NEW) as after:
            after.forward(200)
            response = restart(after, links)
            assert (response.status_code, response.json()["code"]) == (403, "key_replaced")
            assert after.status(links["id"])["runtimeStatus"] == "Failed", "it still reads"
            again = after.call("POST", f"{INSTANCES}/{links['id']}/restart")
            assert again.status_code == 202, "a system key may"


def test_while_a_key_is_rotated_its_links_go_on(tmp_path: Path) -> None:
    with open_harness(tmp_path, FUNCTION_KEY=OLD) as before:
        links = before.start(key=OLD)
        with restarted(before, tmp_path, FUNCTION_KEY=f"{NEW},{OLD}") as after:
            after.forward(200)
            assert restart(after, links).status_code == 202


def test_a_link_from_before_keys_were_marked_goes_by_the_callers_name(harness: Harness) -> None:
    """Of a verification that an earlier version began."""
    links = harness.start()
    harness.forward(200)
    from bot.store.tx import Done

    sql = "UPDATE verification SET caller_key = NULL, started_by = :name"
    harness.store.write(lambda tx: Done(tx.run(sql, name="gone")))
    assert restart(harness, links).json()["code"] == "key_replaced"
    harness.store.write(lambda tx: Done(tx.run(sql, name="function")))
    again = restart(harness, links)
    assert again.status_code == 202
    harness.forward(200)
    assert restart(harness, again.json()).status_code == 202, "and so do the links of the new one"


def test_a_restart_by_link_supersedes_nothing(harness: Harness) -> None:
    old = harness.start()
    present = harness.start()
    response = restart(harness, old)
    assert (response.status_code, response.json()["code"]) == (409, "number_busy")
    assert int(response.headers["Retry-After"]) > 0
    assert harness.status(present["id"])["customStatus"]["status"] == "pending"


# -- 20. placeholders taken literally --------------------------------------------------------------


def test_an_event_name_that_is_still_the_placeholder_is_400(harness: Harness) -> None:
    links = harness.start_and_send()
    for name in ("{eventName}", "%7BeventName%7D", "{name}", "{{eventName}}", "${name}", "<x>"):
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
    from bot.domain.ids import safe

    links = harness.start_and_send()
    code = harness.code()
    for name in (code, f" {code}", "-".join(code)):
        link = links["sendEventPostUri"].replace("{eventName}", name)
        response = harness.http.post(link, json=code)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_event_name")
    assert code not in str(harness.status(links["id"]))
    assert code not in safe(f"{INSTANCES}/{links['id']}/raiseEvent/{code}")


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
    from bot.domain.ids import safe

    links = harness.start_and_send()
    code = harness.code()
    for name in (f"Code{code}", f"my {'-'.join(code)}"):
        link = links["sendEventPostUri"].replace("{eventName}", name)
        assert harness.http.post(link, json="x").status_code == 202
        assert code not in safe(f"/raiseEvent/{name}")
    body = harness.call("GET", f"{INSTANCES}/{links['id']}?showHistory=true").text
    assert code not in body
    assert "-".join(code) not in body
    assert "Code*****" in body
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    for path in (f"/raiseEvent/{wide}", f"/raiseEvent/{wide}".encode().decode("latin-1")):
        assert safe(path) == "/raiseEvent/*****"
    assert safe(f"/raiseEvent/SmsChallengeResponse/{code}/") == (
        "/raiseEvent/SmsChallengeResponse/*****/"
    )
    assert code not in safe(f"/raiseEvent/a/b\n/{'_'.join(code)}/{wide}")


# -- 21. every refusal says what is wrong ----------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "key", "status", "code"),
    [
        ("POST", START, None, 401, "unauthorized"),
        ("POST", START, "unknown", 401, "unauthorized"),
        ("GET", INSTANCES, FUNCTION_KEY, 403, "forbidden"),
        ("DELETE", INSTANCES, FUNCTION_KEY, 403, "forbidden"),
        ("GET", f"{INSTANCES}/x", "unknown", 401, "unauthorized"),
        ("GET", "/metrics", None, 401, "unauthorized"),
        ("POST", "/twilio/sms", None, 403, "forbidden"),
        ("POST", "/twilio/status/x", None, 403, "forbidden"),
    ],
)
def test_401_and_403_have_a_body(
    harness: Harness, method: str, path: str, key: str | None, status: int, code: str
) -> None:
    response = harness.call(method, path, key=key)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["Message"].endswith(".")
    assert response.headers["Content-Type"].startswith("application/json")
    assert ("WWW-Authenticate" in response.headers) == (status == 401)


def test_a_link_of_the_wrong_scope_is_told_which_it_needs(harness: Harness) -> None:
    links = harness.start()
    read = links["statusQueryGetUri"].partition("code=")[2]
    response = harness.call("POST", f"{INSTANCES}/{links['id']}/terminate", key=read)
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert "act" in response.json()["Message"]


# -- 22. rotating keys -----------------------------------------------------------------------------


@pytest.mark.parametrize("both", [f"{NEW},{OLD}", f"app:{OLD},app:{NEW}"])
def test_two_keys_of_one_caller_are_one_caller(tmp_path: Path, both: str) -> None:
    with open_harness(tmp_path, FUNCTION_KEY=both) as harness:
        keyed = {"Idempotency-Key": "order-4711"}
        first = harness.start(key=OLD, headers=keyed)
        assert harness.start(key=NEW, headers=keyed)["id"] == first["id"]
        second = harness.start(key=NEW)
        assert second["id"] != first["id"]
        assert harness.status(first["id"])["customStatus"]["cause"] == "superseded"


def test_after_the_old_key_is_gone_the_caller_is_the_same(tmp_path: Path) -> None:
    keyed = {"Idempotency-Key": "order-4711"}
    with open_harness(tmp_path, FUNCTION_KEY=OLD) as before:
        first = before.start(key=OLD, headers=keyed)
        with restarted(before, tmp_path, FUNCTION_KEY=f"{NEW},{OLD}") as between:
            assert between.start(key=NEW, headers=keyed)["id"] == first["id"]
            with restarted(between, tmp_path, FUNCTION_KEY=NEW) as after:
                assert after.start(key=NEW, headers=keyed)["id"] == first["id"]
                assert after.post_start(key=OLD).status_code == 401


def test_a_restart_honours_its_idempotency_key(harness: Harness) -> None:
    links = harness.start()
    harness.forward(200)
    keyed = {"Idempotency-Key": "again-1"}
    first = restart(harness, links, headers=keyed)
    assert first.status_code == 202
    assert restart(harness, links, headers=keyed).json()["id"] == first.json()["id"]
    path = f"{INSTANCES}/{links['id']}/restart"
    assert harness.call("POST", path, headers=keyed).json()["id"] == first.json()["id"]
    other = harness.call("POST", path, headers={"Idempotency-Key": "again-2"})
    assert other.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("key", [OLD, NEW])
def test_a_key_that_gets_a_name_stays_the_same_caller(tmp_path: Path, key: str) -> None:
    """From FUNCTION_KEY=K to app:K,app:N."""
    with open_harness(tmp_path, FUNCTION_KEY=OLD) as before:
        once = {"Idempotency-Key": "once"}
        first = before.start(key=OLD, headers=once)
        with restarted(
            before, tmp_path, FUNCTION_KEY=f"app:{OLD},app:{NEW},other:{FUNCTION_KEY}"
        ) as after:
            assert after.start(key=key, headers=once)["id"] == first["id"]
            assert after.post_start(key=FUNCTION_KEY).json()["code"] == "number_busy"
            again = after.post_start(key=FUNCTION_KEY, headers=once)
            assert again.json()["code"] == "number_busy"
            assert after.post_start(key=key).status_code == 202
            assert after.status(first["id"])["customStatus"]["cause"] == "superseded"


# -- 23. events are bounded ------------------------------------------------------------------------


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


# -- what clients encode twice, leave unescaped, or ask for again ----------------------------------


@pytest.mark.parametrize("inner", ['{"code": "%s"}', '["%s"]', "null", "true", "false"])
def test_an_answer_that_is_no_text_is_400_encoded_twice_too(harness: Harness, inner: str) -> None:
    """Microsoft's client for Python encodes twice."""
    id = harness.start_and_send()["id"]
    value = inner % harness.code() if "%" in inner else inner
    path = f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse"
    headers = {"Content-Type": "application/json"}
    for answer in (value, json.dumps(value)):
        response = harness.call("POST", path, data=answer, headers=headers)
        assert response.status_code == 400, answer
        assert response.json()["code"] == "invalid_answer"
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 0


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_characters_without_a_mark_are_read(harness: Harness, encoding: str) -> None:
    headers = {"x-functions-key": FUNCTION_KEY, "content-type": "application/json"}
    body = json.dumps(PHONE).encode(encoding)
    response = harness.http.post(harness.url + START, data=body, headers=headers)
    assert response.status_code == 202


def test_the_address_to_ask_again_keeps_what_was_asked_for(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    asked = "showinput=false&showHistory=true&returnInternalServerErrorOnFailure=true"
    location = harness.call("GET", f"{INSTANCES}/{id}?{asked}").headers["Location"]
    again = harness.http.get(location)
    assert again.json()["input"] is None
    assert again.json()["historyEvents"]
    assert again.headers["Location"] == location


def test_a_removal_of_one_with_filters_is_described(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    assert harness.call("DELETE", f"{INSTANCES}/{id}?top=1").status_code == 400
    described = openapi_document()["paths"][f"{INSTANCES}/{{id}}"]["delete"]["responses"]
    assert "400" in described


def test_the_webhook_may_end_with_a_slash(harness: Harness) -> None:
    harness.start_and_send()
    world = harness.simulator.world
    world.number = replace(world.number, sms_url=f"{world.number.sms_url}/")
    assert "Thank you" in harness.text(harness.code()).body
