"""Start by id, suspend, resume, restart, rewind and purge."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bot.domain.verification import SUSPENSION
from tests.harness import FUNCTION_KEY, INSTANCES, PHONE, Harness

BASE = "/runtime/webhooks/durabletask"
STARTS = f"{BASE}/orchestrators/E4_SmsPhoneVerification"
OTHER_PHONE = "+14255550199"


def begin(harness: Harness, id: str = "", phone: str = PHONE, **more):
    return harness.call("POST", f"{STARTS}/{id}" if id else STARTS, json=phone, **more)


def order(harness: Harness, id: str, what: str, **more) -> int:
    response = harness.call("POST", f"{INSTANCES}/{id}/{what}", **more)
    assert response.content == b"" or response.status_code in (202, 400, 409)
    return response.status_code


def stage(harness: Harness, id: str) -> str:
    return harness.status(id)["runtimeStatus"]


# -- start ----------------------------------------------------------------------------------------


def test_an_id_of_ones_own_is_kept(harness: Harness) -> None:
    response = begin(harness, "order 66/ä".replace("/", "-"))
    assert response.status_code == 202
    assert response.json()["id"] == "order 66-ä"
    assert "/instances/order%2066-%C3%A4?code=" in response.json()["statusQueryGetUri"]
    assert harness.http.get(response.json()["statusQueryGetUri"]).status_code == 202


@pytest.mark.parametrize("id", ["@me", "a%23b", "a%3Fb", "a%5Cb", "a%00b", "a%0Ab", "x" * 257])
def test_an_impossible_id_is_400(harness: Harness, id: str) -> None:
    response = begin(harness, id)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_id")


def test_a_used_id_is_409_finished_or_not(harness: Harness) -> None:
    assert begin(harness, "mine").status_code == 202
    again = begin(harness, "mine", OTHER_PHONE)
    assert (again.status_code, again.json()["code"]) == (409, "id_in_use")
    assert again.json()["Message"].startswith("An Orchestration instance")
    order(harness, "mine", "terminate")
    assert begin(harness, "mine").status_code == 409
    assert len(harness.newest(10)) == 1


def test_the_function_key_starts_on_its_own_route_alone(harness: Harness) -> None:
    assert begin(harness, key=FUNCTION_KEY).status_code == 403
    assert begin(harness, "mine", key=FUNCTION_KEY).status_code == 403
    assert begin(harness, key="wrong").status_code == 401


def test_the_management_route_reads_any_content_type(harness: Harness) -> None:
    for kind in ("text/plain", "application/octet-stream", "application/x-www-form-urlencoded"):
        response = harness.call("POST", STARTS, data=f'"{PHONE}"', headers={"Content-Type": kind})
        assert response.status_code == 202


# -- suspend and resume ---------------------------------------------------------------------------


def test_suspended_it_is_shown_and_silent(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    assert order(harness, id, "suspend?reason=lunch") == 202
    assert stage(harness, id) == "Suspended"
    harness.text(harness.wrong())
    assert harness.answers() == []
    assert order(harness, id, "resume") == 202
    assert stage(harness, id) == "Running"
    harness.text(harness.wrong())
    assert harness.answers() == ["That code is not right. Tries left: 2"]


def test_four_wrong_then_the_right_one_are_out_of_tries_on_resume(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    order(harness, id, "suspend")
    for _ in range(4):
        harness.answer(id, harness.wrong())
    harness.answer(id, harness.code())
    assert stage(harness, id) == "Suspended"
    order(harness, id, "resume")
    status = harness.status(id)
    assert (status["output"], status["customStatus"]["status"]) == (False, "max_attempts_reached")


def test_right_before_the_deadline_is_approved_on_resume_however_late(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    order(harness, id, "suspend")
    harness.forward(89)
    harness.text(harness.code())
    harness.forward(3000)
    assert stage(harness, id) == "Suspended"
    order(harness, id, "resume")
    assert harness.status(id)["output"] is True


def test_right_after_the_deadline_is_expired_on_resume(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    order(harness, id, "suspend")
    harness.forward(90)
    harness.text(harness.code())
    order(harness, id, "resume")
    assert harness.status(id)["customStatus"]["status"] == "expired"


def test_what_nobody_resumed_for_an_hour_is_published(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    order(harness, id, "suspend")
    harness.text(harness.code())
    harness.forward((SUSPENSION - timedelta(seconds=1)).total_seconds())
    assert stage(harness, id) == "Suspended"
    harness.forward(1)
    assert harness.status(id)["output"] is True


def test_terminate_discards_what_was_held(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    order(harness, id, "suspend")
    harness.text(harness.code())
    assert order(harness, id, "terminate?reason=no") == 202
    assert (stage(harness, id), harness.status(id)["output"]) == ("Terminated", "no")


def test_suspending_twice_and_resuming_what_runs_are_202(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    assert [order(harness, id, what) for what in ("resume", "suspend", "suspend", "resume")] == [
        202
    ] * 4


@pytest.mark.parametrize("what", ["terminate", "suspend", "resume"])
def test_orders_are_404_for_the_unknown_and_410_for_the_finished(
    harness: Harness, what: str
) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    assert order(harness, "unknown", what) == 404
    assert order(harness, id, what) == 410


# -- restart and rewind ---------------------------------------------------------------------------


def test_restart_is_a_new_one_for_the_same_number_and_key(harness: Harness) -> None:
    first = harness.start_and_send()["id"]
    harness.text(harness.code())
    response = harness.call("POST", f"{INSTANCES}/{first}/restart")
    assert response.status_code == 202
    second = response.json()["id"]
    assert second != first
    assert harness.status(second)["input"] == PHONE
    view = harness.view(second)
    assert view.verification.started_by == "function"
    harness.run_once()
    harness.text(harness.code())
    assert harness.status(second)["output"] is True


def test_restart_of_a_running_one_supersedes_it(harness: Harness) -> None:
    first = harness.start_and_send()["id"]
    second = harness.call("POST", f"{INSTANCES}/{first}/restart").json()["id"]
    assert harness.status(first)["output"] == f"superseded by {second}"


def test_restart_under_the_old_id_is_409_and_of_the_unknown_400(harness: Harness) -> None:
    id = harness.start()["id"]
    path = f"{INSTANCES}/{id}/restart?restartWithNewInstanceId=False"
    assert harness.call("POST", path).json()["code"] == "id_in_use"
    for query in ("", "?restartWithNewInstanceId=False"):
        unknown = harness.call("POST", f"{INSTANCES}/unknown/restart{query}")
        assert unknown.status_code == 400
    assert unknown.json()["Message"] == "InstanceId does not match a valid orchestration instance."


def test_rewind_is_501(harness: Harness) -> None:
    id = harness.start()["id"]
    assert order(harness, id, "rewind") == 501
    assert order(harness, "unknown", "rewind") == 404


# -- purge ----------------------------------------------------------------------------------------


def test_purge_removes_a_finished_one_with_all_it_left(harness: Harness) -> None:
    links = harness.start_and_send()
    harness.text(harness.code())
    response = harness.http.delete(links["purgeHistoryDeleteUri"])
    assert (response.status_code, response.json()) == (200, {"instancesDeleted": 1})
    assert harness.call("DELETE", f"{INSTANCES}/{links['id']}").status_code == 404
    for table in ("verification", "outbox", "history", "idempotency"):
        rows = harness.store.read(lambda tx, t=table: tx.all(f"SELECT * FROM {t}"))
        assert rows == []


def test_purge_of_a_pending_one_is_412_and_a_sentence(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    response = harness.call("DELETE", f"{INSTANCES}/{id}")
    assert response.status_code == 412
    assert isinstance(response.json(), str)
    assert harness.status(id)["instanceId"] == id


def test_purge_many_takes_finished_ones_of_the_time_and_the_status(harness: Harness) -> None:
    ids = {}
    for name, phone in [("old", "+14255550201"), ("approved", "+14255550202")]:
        ids[name] = harness.start_and_send(phone)["id"]
        harness.text(harness.code(phone), phone=phone)
        harness.clock.forward(60)
    ids["canceled"] = harness.start_and_send("+14255550203")["id"]
    order(harness, ids["canceled"], "terminate")
    ids["pending"] = harness.start_and_send("+14255550204")["id"]

    def purge(query: str) -> tuple[int, object]:
        response = harness.call("DELETE", f"{INSTANCES}?{query}")
        return response.status_code, response.json() if response.content else None

    since = "createdTimeFrom=2026-01-31T12:00:30Z"
    assert purge(f"{since}&runtimeStatus=Failed") == (404, None)
    assert purge(f"{since}&runtimeStatus=Running") == (404, None)
    assert purge(f"{since}&runtimeStatus=Canceled") == (404, None)
    assert purge(f"{since}&runtimeStatus=Completed,Running") == (200, {"instancesDeleted": 1})
    assert purge(since) == (200, {"instancesDeleted": 1})
    assert purge(since) == (404, None)
    left = {view.verification.id for view in harness.newest(10)}
    assert left == {ids["old"], ids["pending"]}


@pytest.mark.parametrize("query", ["", "?createdTimeFrom=", "?createdTimeFrom=yesterday"])
def test_purge_many_needs_a_beginning(harness: Harness, query: str) -> None:
    response = harness.call("DELETE", f"{INSTANCES}{query}")
    assert response.status_code == 400
    assert response.json() == "Please provide value for 'createdTimeFrom' parameter."


def test_links_and_function_keys_do_not_purge_many_or_list(harness: Harness) -> None:
    links = harness.start()
    link = links["purgeHistoryDeleteUri"].partition("code=")[2]
    for method in ("GET", "DELETE"):
        assert harness.call(method, INSTANCES, key=link).status_code == 401
        assert harness.call(method, INSTANCES, key=FUNCTION_KEY).status_code == 403
        assert harness.call(method, INSTANCES, key=None).status_code == 401


# -- status with history --------------------------------------------------------------------------


def test_history_is_shown_as_the_extension_shows_it(harness: Harness) -> None:
    harness.restart(CODE_LENGTH="10")  # too long to be met by chance
    id = harness.start()["id"]
    path = f"{INSTANCES}/{id}?showHistory=true&showHistoryOutput=true"
    assert "historyEvents" not in harness.call("GET", path).json(), "nothing while Pending"
    harness.run_once()
    harness.clock.forward(1.5)
    wrong = harness.wrong()
    harness.answer(id, wrong)
    harness.call("POST", f"{INSTANCES}/{id}/raiseEvent/Weather", json="rain")
    order(harness, id, "suspend?reason=lunch")
    order(harness, id, "resume?reason=back")
    harness.text(harness.code())
    shown = harness.call("GET", path).json()["historyEvents"]
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
    text = harness.call("GET", path).text
    assert harness.code() not in text
    assert wrong not in text


def test_history_without_output_and_input_hides_them(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    order(harness, id, "terminate?reason=enough")
    query = "showHistory=TRUE&showInput=false"
    body = harness.call("GET", f"{INSTANCES}/{id}?{query}").json()
    assert body["input"] is None
    assert not [event for event in body["historyEvents"] if "Input" in event or "Result" in event]
    shown = harness.call("GET", f"{INSTANCES}/{id}?SHOWHISTORY=true").json()["historyEvents"]
    assert shown[-1]["EventType"] == "ExecutionTerminated"
    assert shown[-1]["Input"] == "enough"


def test_expiry_shows_its_timer(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(95)
    shown = harness.call("GET", f"{INSTANCES}/{id}?showHistory=true").json()["historyEvents"]
    assert [event["EventType"] for event in shown[-2:]] == ["TimerFired", "ExecutionCompleted"]


@pytest.mark.parametrize("word", ["1", "yes", "on", ""])
def test_words_that_are_no_booleans_are_absent(harness: Harness, word: str) -> None:
    id = harness.start_and_send()["id"]
    body = harness.call("GET", f"{INSTANCES}/{id}?showHistory={word}&showInput={word}").json()
    assert "historyEvents" not in body
    assert body["input"] == PHONE


def test_a_failed_one_is_500_only_where_it_is_asked_for(harness: Harness) -> None:
    from simulator import faults

    harness.simulator.faults.add(faults.REFUSE, code=21614)
    id = harness.start_and_send()["id"]
    asked = f"{INSTANCES}/{id}?returnInternalServerErrorOnFailure=true"
    assert harness.call("GET", f"{INSTANCES}/{id}").status_code == 200
    assert harness.call("GET", asked).status_code == 500
    assert harness.call("GET", asked).json()["runtimeStatus"] == "Failed"
    shown = harness.call("GET", f"{INSTANCES}/{id}?showHistory=true").json()["historyEvents"]
    assert [event["EventType"] for event in shown] == [
        "ExecutionStarted",
        "TaskFailed",
        "ExecutionCompleted",
    ]


def test_the_code_of_a_superseded_one_is_no_attempt(harness: Harness) -> None:
    """As by text: the person typed it from the older text."""
    harness.start_and_send()
    older = harness.code()
    harness.clock.forward(16)
    id = harness.start_and_send()["id"]
    if harness.code() == older:
        return  # one in ten thousand
    assert harness.answer(id, older).status_code == 202
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 0
    harness.answer(id, harness.code())
    assert harness.status(id)["output"] is True


def test_removals_at_once_count_each_once(any_harness: Harness) -> None:
    ids = []
    for place in range(200, 230):
        ids.append(any_harness.start(f"+142555{place:05}")["id"])
        any_harness.terminate(ids[-1], None)
    query = "?createdTimeFrom=2020-01-01T00:00:00Z"
    with ThreadPoolExecutor(4) as pool:
        removals = [pool.submit(any_harness.call, "DELETE", INSTANCES + query) for _ in range(4)]
    answers = [removal.result() for removal in removals]
    counts = [answer.json()["instancesDeleted"] for answer in answers if answer.status_code == 200]
    assert sum(counts) == len(ids)
