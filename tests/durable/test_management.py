"""Start by id, suspend, resume, restart, rewind and purge."""

from datetime import timedelta

import pytest

from bot.domain.verification import SUSPENSION
from tests.desk import FUNCTION_KEY, INSTANCES, PHONE, Desk

BASE = "/runtime/webhooks/durabletask"
STARTS = f"{BASE}/orchestrators/E4_SmsPhoneVerification"
OTHER_PHONE = "+14255550199"


def begin(desk: Desk, id: str = "", phone: str = PHONE, **more):
    return desk.call("POST", f"{STARTS}/{id}" if id else STARTS, json=phone, **more)


def order(desk: Desk, id: str, what: str, **more) -> int:
    response = desk.call("POST", f"{INSTANCES}/{id}/{what}", **more)
    assert response.content == b"" or response.status_code in (202, 400, 409)
    return response.status_code


def stage(desk: Desk, id: str) -> str:
    return desk.status(id)["runtimeStatus"]


# -- start ----------------------------------------------------------------------------------------


def test_an_id_of_ones_own_is_kept(desk: Desk) -> None:
    response = begin(desk, "order 66/ä".replace("/", "-"))
    assert response.status_code == 202
    assert response.json()["id"] == "order 66-ä"
    assert "/instances/order%2066-%C3%A4?code=" in response.json()["statusQueryGetUri"]
    assert desk.http.get(response.json()["statusQueryGetUri"]).status_code == 202


@pytest.mark.parametrize("id", ["@me", "a%23b", "a%3Fb", "a%5Cb", "a%00b", "a%0Ab", "x" * 257])
def test_an_impossible_id_is_400(desk: Desk, id: str) -> None:
    response = begin(desk, id)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_id")


def test_a_used_id_is_409_finished_or_not(desk: Desk) -> None:
    assert begin(desk, "mine").status_code == 202
    again = begin(desk, "mine", OTHER_PHONE)
    assert (again.status_code, again.json()["code"]) == (409, "id_in_use")
    assert again.json()["Message"].startswith("An Orchestration instance")
    order(desk, "mine", "terminate")
    assert begin(desk, "mine").status_code == 409
    assert len(desk.verifications.newest(10)) == 1


def test_the_function_key_starts_on_its_own_route_alone(desk: Desk) -> None:
    assert begin(desk, key=FUNCTION_KEY).status_code == 403
    assert begin(desk, "mine", key=FUNCTION_KEY).status_code == 403
    assert begin(desk, key="wrong").status_code == 401


def test_the_management_route_reads_any_content_type(desk: Desk) -> None:
    for kind in ("text/plain", "application/octet-stream", "application/x-www-form-urlencoded"):
        response = desk.call("POST", STARTS, data=f'"{PHONE}"', headers={"Content-Type": kind})
        assert response.status_code == 202


# -- suspend and resume ---------------------------------------------------------------------------


def test_suspended_it_is_shown_and_silent(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    assert order(desk, id, "suspend?reason=lunch") == 202
    assert stage(desk, id) == "Suspended"
    desk.text(desk.wrong())
    assert desk.answers() == []
    assert order(desk, id, "resume") == 202
    assert stage(desk, id) == "Running"
    desk.text(desk.wrong())
    assert desk.answers() == ["That code is not right. 2 tries left."]


def test_four_wrong_then_the_right_one_are_out_of_tries_on_resume(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    order(desk, id, "suspend")
    for _ in range(4):
        desk.answer(id, desk.wrong())
    desk.answer(id, desk.code())
    assert stage(desk, id) == "Suspended"
    order(desk, id, "resume")
    status = desk.status(id)
    assert (status["output"], status["customStatus"]["status"]) == (False, "max_attempts_reached")


def test_right_before_the_deadline_is_approved_on_resume_however_late(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    order(desk, id, "suspend")
    desk.forward(89)
    desk.text(desk.code())
    desk.forward(3000)
    assert stage(desk, id) == "Suspended"
    order(desk, id, "resume")
    assert desk.status(id)["output"] is True


def test_right_after_the_deadline_is_expired_on_resume(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    order(desk, id, "suspend")
    desk.forward(90)
    desk.text(desk.code())
    order(desk, id, "resume")
    assert desk.status(id)["customStatus"]["status"] == "expired"


def test_what_nobody_resumed_for_an_hour_is_published(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    order(desk, id, "suspend")
    desk.text(desk.code())
    desk.forward((SUSPENSION - timedelta(seconds=1)).total_seconds())
    assert stage(desk, id) == "Suspended"
    desk.forward(1)
    assert desk.status(id)["output"] is True


def test_terminate_discards_what_was_held(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    order(desk, id, "suspend")
    desk.text(desk.code())
    assert order(desk, id, "terminate?reason=no") == 202
    assert (stage(desk, id), desk.status(id)["output"]) == ("Terminated", "no")


def test_suspending_twice_and_resuming_what_runs_are_202(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    assert [order(desk, id, what) for what in ("resume", "suspend", "suspend", "resume")] == [
        202
    ] * 4


@pytest.mark.parametrize("what", ["terminate", "suspend", "resume"])
def test_orders_are_404_for_the_unknown_and_410_for_the_finished(desk: Desk, what: str) -> None:
    id = desk.start_and_send()["id"]
    desk.text(desk.code())
    assert order(desk, "unknown", what) == 404
    assert order(desk, id, what) == 410


# -- restart and rewind ---------------------------------------------------------------------------


def test_restart_is_a_new_one_for_the_same_number_and_key(desk: Desk) -> None:
    first = desk.start_and_send()["id"]
    desk.text(desk.code())
    response = desk.call("POST", f"{INSTANCES}/{first}/restart")
    assert response.status_code == 202
    second = response.json()["id"]
    assert second != first
    assert desk.status(second)["input"] == PHONE
    view = desk.verifications.view(second)
    assert view.verification.started_by == "function"
    desk.run_once()
    desk.text(desk.code())
    assert desk.status(second)["output"] is True


def test_restart_of_a_running_one_supersedes_it(desk: Desk) -> None:
    first = desk.start_and_send()["id"]
    second = desk.call("POST", f"{INSTANCES}/{first}/restart").json()["id"]
    assert desk.status(first)["output"] == f"superseded by {second}"


def test_restart_under_the_old_id_is_409_and_of_the_unknown_400(desk: Desk) -> None:
    id = desk.start()["id"]
    path = f"{INSTANCES}/{id}/restart?restartWithNewInstanceId=False"
    assert desk.call("POST", path).json()["code"] == "id_in_use"
    unknown = desk.call("POST", f"{INSTANCES}/unknown/restart")
    assert unknown.status_code == 400
    assert unknown.json()["Message"] == "InstanceId does not match a valid orchestration instance."


def test_rewind_is_501(desk: Desk) -> None:
    id = desk.start()["id"]
    assert order(desk, id, "rewind") == 501
    assert order(desk, "unknown", "rewind") == 404


# -- purge ----------------------------------------------------------------------------------------


def test_purge_removes_a_finished_one_with_all_it_left(desk: Desk) -> None:
    links = desk.start_and_send()
    desk.text(desk.code())
    response = desk.http.delete(links["purgeHistoryDeleteUri"])
    assert (response.status_code, response.json()) == (200, {"instancesDeleted": 1})
    assert desk.call("DELETE", f"{INSTANCES}/{links['id']}").status_code == 404
    for table in ("verification", "outbox", "history", "idempotency"):
        rows = desk.verifications.store.read(lambda tx, t=table: tx.all(f"SELECT * FROM {t}"))
        assert rows == []


def test_purge_of_a_pending_one_is_412_and_a_sentence(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    response = desk.call("DELETE", f"{INSTANCES}/{id}")
    assert response.status_code == 412
    assert isinstance(response.json(), str)
    assert desk.status(id)["instanceId"] == id


def test_purge_many_takes_finished_ones_of_the_time_and_the_status(desk: Desk) -> None:
    ids = {}
    for name, phone in [("old", "+14255550201"), ("approved", "+14255550202")]:
        ids[name] = desk.start_and_send(phone)["id"]
        desk.text(desk.code(phone), phone=phone)
        desk.clock.forward(60)
    ids["canceled"] = desk.start_and_send("+14255550203")["id"]
    order(desk, ids["canceled"], "terminate")
    ids["pending"] = desk.start_and_send("+14255550204")["id"]

    def purge(query: str) -> tuple[int, object]:
        response = desk.call("DELETE", f"{INSTANCES}?{query}")
        return response.status_code, response.json() if response.content else None

    since = "createdTimeFrom=2026-01-31T12:00:30Z"
    assert purge(f"{since}&runtimeStatus=Failed") == (404, None)
    assert purge(f"{since}&runtimeStatus=Running") == (404, None)
    assert purge(f"{since}&runtimeStatus=Canceled") == (404, None)
    assert purge(f"{since}&runtimeStatus=Completed,Running") == (200, {"instancesDeleted": 1})
    assert purge(since) == (200, {"instancesDeleted": 1})
    assert purge(since) == (404, None)
    left = {view.verification.id for view in desk.verifications.newest(10)}
    assert left == {ids["old"], ids["pending"]}


@pytest.mark.parametrize("query", ["", "?createdTimeFrom=", "?createdTimeFrom=yesterday"])
def test_purge_many_needs_a_beginning(desk: Desk, query: str) -> None:
    response = desk.call("DELETE", f"{INSTANCES}{query}")
    assert response.status_code == 400
    assert response.json() == "Please provide value for 'createdTimeFrom' parameter."


def test_links_and_function_keys_do_not_purge_many_or_list(desk: Desk) -> None:
    links = desk.start()
    link = links["purgeHistoryDeleteUri"].partition("code=")[2]
    for method in ("GET", "DELETE"):
        assert desk.call(method, INSTANCES, key=link).status_code == 401
        assert desk.call(method, INSTANCES, key=FUNCTION_KEY).status_code == 403
        assert desk.call(method, INSTANCES, key=None).status_code == 401


# -- status with history --------------------------------------------------------------------------


def test_history_is_shown_as_the_extension_shows_it(desk: Desk) -> None:
    id = desk.start()["id"]
    path = f"{INSTANCES}/{id}?showHistory=true&showHistoryOutput=true"
    assert "historyEvents" not in desk.call("GET", path).json(), "nothing while Pending"
    desk.run_once()
    desk.clock.forward(1.5)
    desk.answer(id, desk.wrong())
    desk.call("POST", f"{INSTANCES}/{id}/raiseEvent/Weather", json="rain")
    order(desk, id, "suspend?reason=lunch")
    order(desk, id, "resume?reason=back")
    desk.text(desk.code())
    shown = desk.call("GET", path).json()["historyEvents"]
    assert [event["EventType"] for event in shown] == [
        "ExecutionStarted",
        "TaskCompleted",
        "TimerCreated",
        "EventRaised",
        "EventRaised",
        "ExecutionSuspended",
        "ExecutionResumed",
        "EventRaised",
        "ExecutionCompleted",
    ]
    assert shown[0]["FunctionName"] == "E4_SmsPhoneVerification"
    assert shown[0]["Input"] == f'"{PHONE}"'
    assert shown[1]["FunctionName"] == "E4_SendSmsChallenge"
    assert shown[2]["FireAt"] == "2026-01-31T12:01:30.000000Z"
    assert [shown[place]["Name"] for place in (3, 4, 7)] == [
        "SmsChallengeResponse",
        "Weather",
        "SmsChallengeResponse",
    ]
    assert (shown[5]["Reason"], shown[6]["Reason"]) == ("lunch", "back")
    assert shown[8] == {
        "EventType": "ExecutionCompleted",
        "Timestamp": "2026-01-31T12:00:01.500000Z",
        "OrchestrationStatus": "Completed",
        "Result": True,
    }
    text = desk.call("GET", path).text.replace(id, "")
    assert desk.code() not in text
    assert desk.wrong() not in text


def test_history_without_output_and_input_hides_them(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    order(desk, id, "terminate?reason=enough")
    query = "showHistory=TRUE&showInput=false"
    body = desk.call("GET", f"{INSTANCES}/{id}?{query}").json()
    assert body["input"] is None
    assert not [event for event in body["historyEvents"] if "Input" in event or "Result" in event]
    shown = desk.call("GET", f"{INSTANCES}/{id}?SHOWHISTORY=true").json()["historyEvents"]
    assert shown[-1]["EventType"] == "ExecutionTerminated"
    assert shown[-1]["Input"] == "enough"


def test_expiry_shows_its_timer(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    desk.forward(95)
    shown = desk.call("GET", f"{INSTANCES}/{id}?showHistory=true").json()["historyEvents"]
    assert [event["EventType"] for event in shown[-2:]] == ["TimerFired", "ExecutionCompleted"]


@pytest.mark.parametrize("word", ["1", "yes", "on", ""])
def test_words_that_are_no_booleans_are_absent(desk: Desk, word: str) -> None:
    id = desk.start_and_send()["id"]
    body = desk.call("GET", f"{INSTANCES}/{id}?showHistory={word}&showInput={word}").json()
    assert "historyEvents" not in body
    assert body["input"] == PHONE


def test_a_failed_one_is_500_only_where_it_is_asked_for(desk: Desk) -> None:
    from simulator import faults

    desk.simulator.faults.add(faults.REFUSE, code=21614)
    id = desk.start_and_send()["id"]
    asked = f"{INSTANCES}/{id}?returnInternalServerErrorOnFailure=true"
    assert desk.call("GET", f"{INSTANCES}/{id}").status_code == 200
    assert desk.call("GET", asked).status_code == 500
    assert desk.call("GET", asked).json()["runtimeStatus"] == "Failed"
    shown = desk.call("GET", f"{INSTANCES}/{id}?showHistory=true").json()["historyEvents"]
    assert [event["EventType"] for event in shown] == [
        "ExecutionStarted",
        "TaskFailed",
        "ExecutionCompleted",
    ]
