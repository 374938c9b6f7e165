"""The rules of a verification: what follows from each input.

`decide(verification, input, now)` contains all rules: the deadline, the attempts, finality. It is a
pure function that every face and every timer calls. Facts that need a query (is it the last text
that may arrive? may another text be asked for?) are fields of the input.

    pending ── right answer before the deadline ─────▶ approved
       │─────── the last attempt is wrong ───────────▶ max_attempts_reached
       │─────── the deadline passes ─────────────────▶ expired (failed, if it is unknown whether
       │                                                Twilio ever took the text)
       │─────── terminated, superseded, STOP, NO ────▶ canceled
       └─────── the text cannot be sent ─────────────▶ failed

Laws, checked in every state by `tests/domain/test_laws.py`:
- An outcome is final. Whatever comes later returns the same status, reason and attempts.
- Attempts never exceed the terms' bound, and only a wrong answer in time counts as one.
- Nothing answered at or after the deadline is approved.
- While suspended, outcomes are held back: decided at once, published by a resume (or after an
  hour), discarded by a cancel. The deadline runs on.
- An input that changes nothing returns the very same verification and no events.

Over 250 lines: the rules of a verification are read as one.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from bot.domain.decision import (
    AutoReply,
    Decision,
    answered,
    effects_of,
    with_first_event,
)
from bot.domain.effects import (
    BlockNumber,
    CountUsage,
    EraseTexts,
    LiftText,
    UsageKind,
)
from bot.domain.events import Detail, Event, EventName
from bot.domain.inputs import (
    Attempted,
    Canceled,
    Chattered,
    DisownedByText,
    Input,
    OlderCodeSent,
    ResendAsked,
    Resumed,
    Started,
    Suspended,
    TextAccepted,
    TextImpossible,
    TextTried,
    TimePassed,
)
from bot.domain.resending import Resending, resending
from bot.domain.verification import SUSPENSION, Cause, Outcome, Status, Verification

# One code-shaped reply is answered within this time of the end.
AFTERTHOUGHT = timedelta(minutes=10)
# A NO that arrives within this time after the end still blocks texts to the number.
LATE_NO = timedelta(hours=24)
LONGEST_REASON_IN_HISTORY = 60  # characters kept of the reason for a suspension or resume


def decide(verification: Verification | None, input: Input, now: datetime) -> Decision:
    """Decides the consequences of `input` for `verification` at `now`.

    Raises ValueError where `Started` meets an existing verification, or anything else meets none.
    """
    if isinstance(input, Started):
        if verification is not None:
            raise ValueError("a verification starts once")
        kind = UsageKind.PROBE if input.is_probe else UsageKind.START
        effects = (CountUsage(kind), input.text)
        detail = {"locale": input.verification.locale, "operator": input.operator}
        started = Event(EventName.STARTED, _without_none(detail))
        return Decision(input.verification, (started,), effects=effects)
    if verification is None:
        raise ValueError(f"{type(input).__name__} needs a verification")
    follows = _after_the_end if verification.is_terminal else _while_pending
    decision = follows(verification, input, now)
    if decision.verification is verification:
        return decision
    return replace(decision, effects=(*decision.effects, *effects_of(verification, decision)))


def _while_pending(v: Verification, input: Input, now: datetime) -> Decision:
    match input:
        case TextTried():
            return _tried(v, now)
        case TextAccepted(at):
            return _accepted(v, at, now)
        case ResendAsked():
            return _resend_asked(v, input, now)
        case TextImpossible():
            return _impossible(v, input, now)
        case Attempted():
            return _attempted(v, input)
        case Chattered(is_quote, at):
            return _chattered(v, is_quote, at)
        case TimePassed():
            return _time_passed(v, now)
        case Canceled(cause, reason, operator, is_unsent):
            canceled = _publish(v, Outcome(Status.CANCELED, now, cause, reason), operator)
            return replace(canceled, is_excused=is_unsent and not v.is_decided)
        case DisownedByText(at):
            return _disowned(v, at)
        case Suspended(reason):
            return _suspended(v, reason, now)
        case Resumed(reason):
            return _resumed(v, reason, now)
        case Started() | OlderCodeSent():
            return Decision(v)
        case _:
            assert_never(input)


def _after_the_end(v: Verification, input: Input, now: datetime) -> Decision:
    assert v.outcome is not None
    match input:
        case Attempted(by_text=True) if now - v.outcome.at <= AFTERTHOUGHT:
            return _afterthought(v, _AFTER_THE_END[v.outcome.status])
        case OlderCodeSent(at) if at < v.deadline_at or v.status is Status.APPROVED:
            return _afterthought(v, AutoReply.OLDER_TEXT)
        case DisownedByText(at) if _may_be_disowned_late(v, now):
            late = _afterthought(v, AutoReply.DISOWNED)
            disowned = (Event(EventName.DISOWNED),)
            return replace(late, events=disowned, effects=(BlockNumber(at),))
        case TextAccepted(at) if v.accepted_at is None:
            # A fact about delivery may still be added; it opens no window.
            return Decision(replace(v, accepted_at=at), (Event(EventName.TEXT_ACCEPTED),))
        case TextAccepted() if v.is_to_erase:  # a further one
            return Decision(v, effects=(EraseTexts(),))
        case _:
            return Decision(v)


_AFTER_THE_END = {
    Status.APPROVED: AutoReply.ALREADY_VERIFIED,
    Status.EXPIRED: AutoReply.TOO_LATE,
    Status.MAX_ATTEMPTS_REACHED: AutoReply.OUT_OF_TRIES,
    Status.CANCELED: AutoReply.NO_LONGER_NEEDED,
    Status.FAILED: AutoReply.NO_LONGER_NEEDED,
}


def _afterthought(v: Verification, answer: AutoReply) -> Decision:
    if v.is_afterthought_answered:
        return Decision(v)
    return answered(
        replace(v, is_afterthought_answered=True), (Event(EventName.LATE_REPLY),), answer
    )


def _may_be_disowned_late(v: Verification, now: datetime) -> bool:
    """A person who did not ask for the code may read it long after its window."""
    assert v.outcome is not None
    return v.outcome.status is not Status.APPROVED and now - v.outcome.at <= LATE_NO


def _tried(v: Verification, now: datetime) -> Decision:
    if v.first_try_at is not None:
        return Decision(v)
    # Twilio may accept the text at any moment until we give up. Until the moment is known, the
    # deadline is the latest possible one.
    deadline_at = now + v.terms.send_within + v.terms.window
    return Decision(
        replace(v, first_try_at=now, deadline_at=deadline_at), (Event(EventName.TEXT_TRIED),)
    )


def _resend_asked(v: Verification, input: ResendAsked, now: datetime) -> Decision:
    if resending(v, now, is_unsettled=input.is_unsettled) is not Resending.DUE:
        return Decision(v)
    asked = replace(v, sends=v.sends + 1, newest_send_at=now)
    kind = UsageKind.PROBE if input.is_probe else UsageKind.START  # it costs as much as a start
    event = Event(
        EventName.RESEND_ASKED, _without_none({"send": asked.sends, "operator": input.operator})
    )
    return Decision(asked, (event,), effects=(CountUsage(kind), input.text))


def _impossible(v: Verification, input: TextImpossible, now: datetime) -> Decision:
    if not input.is_last:
        detail: Detail = {
            "cause": input.cause,
            "reason": input.reason,
            "error_code": input.error_code,
        }
        # Not if somebody has guessed: further guesses would be free.
        is_excused = not (input.is_of_number or v.is_decided or v.attempts)
        effects = (LiftText(),) if is_excused else ()
        return Decision(v, (Event(EventName.FURTHER_TEXT_FAILED, detail),), effects=effects)
    failed = _end(v, Outcome(Status.FAILED, now, input.cause, input.reason, input.error_code))
    return replace(failed, is_excused=not input.is_of_number and not v.is_decided)


def _accepted(v: Verification, at: datetime, now: datetime) -> Decision:
    accepted_at = max(v.first_try_at or v.created_at, min(at, now))
    newest_send_at = max(v.newest_send_at or accepted_at, accepted_at)
    if v.accepted_at is not None:  # a further one
        is_later = newest_send_at != v.newest_send_at
        return Decision(replace(v, newest_send_at=newest_send_at) if is_later else v)
    if v.is_decided:  # it was decided by the deadline known at that time
        return Decision(replace(v, accepted_at=accepted_at), (Event(EventName.TEXT_ACCEPTED),))
    opened = replace(
        v,
        accepted_at=accepted_at,
        newest_send_at=newest_send_at,
        deadline_at=accepted_at + v.terms.window,
    )
    return Decision(opened, (Event(EventName.TEXT_ACCEPTED),))


def _attempted(v: Verification, input: Attempted) -> Decision:
    if v.is_decided:
        return Decision(v, (Event(EventName.REPLY_WHILE_HELD),))
    if input.at >= v.deadline_at:
        lapsed = _lapse(v, has_arrived=input.is_right)
        return _with_last_reply(lapsed, AutoReply.TOO_LATE) if input.by_text else lapsed
    if input.is_right:
        right = Event(EventName.RIGHT_ANSWER, {"by_text": input.by_text})
        approved = Outcome(Status.APPROVED, input.at, Cause.ANSWERED)
        return with_first_event(
            right, _end(v, approved, AutoReply.APPROVED if input.by_text else None)
        )
    return _wrong(v, input)


def _wrong(v: Verification, input: Attempted) -> Decision:
    if input.wrong_left != v.wrong_left:  # earlier wrong answers no longer count
        v = replace(v, wrong_left=input.wrong_left)
    if input.guess is not None and input.guess == v.last_guess:
        # Carriers and phones repeat texts, and the same guess tells a guesser nothing.
        repeated = Event(EventName.REPEATED_ANSWER, {"by_text": input.by_text})
        # Of the answers that `answered` allows, keep one for each attempt and one for afterwards.
        if v.answers + v.attempts_left > v.terms.max_attempts:
            return Decision(v, (repeated,))
        return _told_wrong(Decision(v, (repeated,)), input)
    left = None if input.wrong_left is None else max(0, input.wrong_left - 1)
    counted = replace(v, attempts=v.attempts + 1, last_guess=input.guess, wrong_left=left)
    detail: Detail = {"attempt": counted.attempts, "by_text": input.by_text}
    wrong = Event(EventName.WRONG_ANSWER, detail)
    if counted.attempts_left > 0:
        return _told_wrong(Decision(counted, (wrong,)), input)
    used_up = Outcome(Status.MAX_ATTEMPTS_REACHED, input.at, Cause.ATTEMPTS_USED)
    answer = AutoReply.OUT_OF_TRIES if input.by_text else None
    return with_first_event(wrong, _end(counted, used_up, answer))


def _chattered(v: Verification, is_quote: bool, at: datetime) -> Decision:
    if v.is_decided:
        return Decision(v)
    if at >= v.deadline_at:
        return _lapse(v)
    event = Event(EventName.QUOTED_TEXT if is_quote else EventName.UNREAD_REPLY)
    if v.is_hinted or v.suspended_at is not None:
        return Decision(v, (event,))
    return answered(replace(v, is_hinted=True), (event,), AutoReply.HINT)


def _disowned(v: Verification, at: datetime) -> Decision:
    """The person did not ask for the code: ends the verification, and is no attempt."""
    disowned = Event(EventName.DISOWNED)
    if v.held_outcome is not None:
        if v.held_outcome.status is Status.APPROVED:
            return Decision(v)
        return Decision(v, (disowned,), effects=(BlockNumber(at),))
    if at >= v.deadline_at:
        ended = with_first_event(disowned, _lapse(v))
    else:
        ended = _publish(v, Outcome(Status.CANCELED, at, Cause.DISOWNED))
    thanked = _with_last_reply(ended, AutoReply.DISOWNED)
    return replace(thanked, effects=(BlockNumber(at),))


def _time_passed(v: Verification, now: datetime) -> Decision:
    if v.suspended_at is not None:
        if now < v.suspended_at + SUSPENSION:
            return Decision(v)
        return _resumed(v, "not resumed for an hour", now)
    if now < v.deadline_at:
        return Decision(v)
    return _lapse(v)


_NEVER_TRIED = (Cause.SEND_GIVEN_UP, "The text was not sent in time: nothing sent texts meanwhile.")
_UNCLEAR = (
    Cause.SEND_UNKNOWN,
    "It is not known whether Twilio took the text: it gave no clear answer in time.",
)


def _lapse(v: Verification, *, has_arrived: bool = False) -> Decision:
    """Ends a verification whose deadline has passed, as of the deadline, not as of now.
    `has_arrived`: its text arrived, even if Twilio did not report it."""
    if v.accepted_at is None and v.attempts == 0 and not has_arrived:
        cause, reason = _NEVER_TRIED if v.first_try_at is None else _UNCLEAR
        unsent = Outcome(Status.FAILED, v.deadline_at, cause, reason)
        return replace(_end(v, unsent), is_excused=not v.is_decided)
    return _end(v, Outcome(Status.EXPIRED, v.deadline_at, Cause.WINDOW_OVER))


def _suspended(v: Verification, reason: str | None, now: datetime) -> Decision:
    if v.suspended_at is not None:
        return Decision(v)
    if now >= v.deadline_at:
        return _lapse(v)
    return Decision(replace(v, suspended_at=now), (Event(EventName.SUSPENDED, _shortened(reason)),))


def _resumed(v: Verification, reason: str | None, now: datetime) -> Decision:
    if v.suspended_at is None:
        return Decision(v)
    running = replace(v, suspended_at=None, held_outcome=None)
    event = Event(EventName.RESUMED, _shortened(reason))
    if v.held_outcome is not None:
        return with_first_event(event, _publish(running, v.held_outcome))
    if now >= v.deadline_at:
        return with_first_event(event, _lapse(running))
    return Decision(running, (event,))


def _shortened(reason: str | None) -> Detail:
    """Cuts the reason: callers may suspend without limit, and the whole history is shown."""
    return {"reason": reason[:LONGEST_REASON_IN_HISTORY] if reason else reason}


def _end(v: Verification, outcome: Outcome, answer: AutoReply | None = None) -> Decision:
    """Ends it; while it is suspended, holds the outcome back, and answers nothing."""
    if v.held_outcome is not None:
        return Decision(v)
    if v.suspended_at is None:
        return _publish(v, outcome, answer=answer)
    return Decision(
        replace(v, held_outcome=outcome), (Event(EventName.HELD, {"status": outcome.status}),)
    )


def _publish(
    v: Verification,
    outcome: Outcome,
    operator: str | None = None,
    *,
    answer: AutoReply | None = None,
) -> Decision:
    ended = replace(v, outcome=outcome, suspended_at=None, held_outcome=None)
    detail: Detail = {
        "cause": outcome.cause,
        "reason": outcome.reason,
        "error_code": outcome.error_code,
        "operator": operator,
    }
    events = (Event(EventName(outcome.status.value), _without_none(detail)),)
    return Decision(ended, events) if answer is None else answered(ended, events, answer)


def _without_none(detail: Detail) -> Detail:
    """Drops the fields that are None."""
    return {name: value for name, value in detail.items() if value is not None}


def _told_wrong(decision: Decision, input: Attempted) -> Decision:
    return _replied(decision, AutoReply.WRONG) if input.by_text else decision


def _with_last_reply(decision: Decision, answer: AutoReply) -> Decision:
    """The one answer after the end, to the reply that finds the deadline passed."""
    replied = _replied(decision, answer)
    if replied is decision:
        return decision
    after = replace(replied.verification, is_afterthought_answered=True)
    return replace(replied, verification=after)


def _replied(decision: Decision, answer: AutoReply) -> Decision:
    """The decision with an answer; unchanged while its verification is suspended."""
    if decision.verification.suspended_at is not None:
        return decision
    replied = answered(decision.verification, decision.events, answer)
    return replace(replied, is_excused=decision.is_excused)
