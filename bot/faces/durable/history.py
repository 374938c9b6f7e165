"""Our history as the extension's `historyEvents`.

Codes and guesses are never shown: the activity's result and the input of an event, which the
extension has, are left out.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime

from bot.domain.events import EventName
from bot.domain.verification import Stage
from bot.faces.durable.payloads import ANSWER_EVENT, FUNCTION, Json, input_of, output
from bot.store.history import HistoryLine
from bot.usecases.read import VerificationView

ACTIVITY = "E4_SendSmsChallenge"

_ENDS = {
    EventName.APPROVED: "Completed",
    EventName.EXPIRED: "Completed",
    EventName.MAX_ATTEMPTS_REACHED: "Completed",
    EventName.CANCELED: "Terminated",
    EventName.FAILED: "Failed",
}


def events(view: VerificationView, *, show_input: bool, show_output: bool) -> list[Json] | None:
    """Lists the events in the order of time; None while Twilio has not accepted the text."""
    if view.verification.stage is Stage.WAITING:
        return None
    shown = [event for line in view.history for event in _events(line, view)]
    for event in shown:
        if not show_input:
            event.pop("Input", None)
        if not show_output:
            event.pop("Result", None)
    return shown


def _events(line: HistoryLine, view: VerificationView) -> Iterator[Json]:
    if line.event in _ENDS:
        yield from _end(line, view)
    elif line.event in _SHOWN:
        yield from _SHOWN[line.event](line, view)


def _started(line: HistoryLine, view: VerificationView) -> Iterator[Json]:
    sent = input_of(view.verification)
    yield _event("ExecutionStarted", line, FunctionName=FUNCTION, Input=sent)


def _accepted(line: HistoryLine, view: VerificationView) -> Iterator[Json]:
    v = view.verification
    scheduled_at = _time(v.first_try_at or v.created_at)
    fields = {"FunctionName": ACTIVITY, "ScheduledTime": scheduled_at, "Input": json.dumps(v.phone)}
    yield _event("TaskCompleted", line, **fields)
    if v.outcome is None or line.at <= v.outcome.at:  # afterwards it opens no window
        yield _event("TimerCreated", line, FireAt=_time(v.deadline_at))


def _answered(line: HistoryLine, view: VerificationView) -> Iterator[Json]:
    yield _event("EventRaised", line, Name=ANSWER_EVENT)


def _raised(line: HistoryLine, view: VerificationView) -> Iterator[Json]:
    yield _event("EventRaised", line, Name=line.detail["name"])


def _suspended(line: HistoryLine, view: VerificationView) -> Iterator[Json]:
    yield _event("ExecutionSuspended", line, Reason=line.detail["reason"])


def _resumed(line: HistoryLine, view: VerificationView) -> Iterator[Json]:
    yield _event("ExecutionResumed", line, Reason=line.detail["reason"])


def _end(line: HistoryLine, view: VerificationView) -> Iterator[Json]:
    verification = view.verification
    if line.event is EventName.CANCELED:
        yield _event("ExecutionTerminated", line, Input=line.detail.get("reason"))
        return
    if line.event is EventName.EXPIRED:
        yield _event("TimerFired", line, FireAt=_time(verification.deadline_at))
    if line.event is EventName.FAILED and verification.accepted_at is None:
        yield _event("TaskFailed", line, FunctionName=ACTIVITY, Reason=line.detail.get("reason"))
    yield _event(
        "ExecutionCompleted",
        line,
        OrchestrationStatus=_ENDS[line.event],
        Result=output(verification),
    )


_SHOWN: dict[EventName, Callable[[HistoryLine, VerificationView], Iterator[Json]]] = {
    EventName.STARTED: _started,
    EventName.TEXT_ACCEPTED: _accepted,
    EventName.RIGHT_ANSWER: _answered,
    EventName.WRONG_ANSWER: _answered,
    EventName.REPLY_WHILE_HELD: _answered,
    EventName.UNREAD_EVENT: _answered,
    EventName.EVENT_RAISED: _raised,
    EventName.SUSPENDED: _suspended,
    EventName.RESUMED: _resumed,
}


def _event(kind: str, line: HistoryLine, **fields: object) -> Json:
    return {"EventType": kind, "Timestamp": _time(line.at), **fields}


def _time(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds")[:-6] + "Z"
