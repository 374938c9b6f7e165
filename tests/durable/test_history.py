"""A status has the history as the extension shows it, and only what is asked for."""

import pytest

from tests.durable.orders import order
from tests.harness import INSTANCES, PHONE, Harness


def cause_each_event(harness: Harness, id: str) -> str:
    """Answers wrongly, raises another event, suspends, resumes, and answers. Returns the wrong
    code."""
    harness.clock.forward(1.5)
    wrong = harness.wrong()
    harness.answer(id, wrong)
    harness.call("POST", f"{INSTANCES}/{id}/raiseEvent/Weather", json="rain")
    order(harness, id, "suspend?reason=lunch")
    order(harness, id, "resume?reason=back")
    harness.text(harness.code())
    return wrong


def test_history_is_shown_as_the_extension_shows_it(harness: Harness) -> None:
    harness.restart(CODE_LENGTH="10")  # too long to be met by chance
    id = harness.start()["id"]
    path = f"{INSTANCES}/{id}?showHistory=true&showHistoryOutput=true"
    assert "historyEvents" not in harness.call("GET", path).json(), "nothing while Pending"
    harness.run_once()
    wrong = cause_each_event(harness, id)
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
    assert (shown[1]["FunctionName"], shown[1]["Input"]) == ("E4_SendSmsChallenge", f'"{PHONE}"')
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
