"""What can happen to a verification, and what follows.

`decide(verification, input, now)` is the whole of it: a pure function that every face and every
timer goes through. It holds the deadline, the attempts and finality; what needs a query (is this
code an older text's? has the number opted out?) reaches it as a field of the input.

    pending ── right answer before the deadline ─────▶ approved
       │─────── the last attempt is wrong ───────────▶ max_attempts_reached
       │─────── the deadline passes ─────────────────▶ expired (failed, if nobody knows whether
       │                                                Twilio ever took the text)
       │─────── terminated, superseded, opted out ───▶ canceled
       └─────── the text cannot be sent ─────────────▶ failed

Laws, walked whole by `tests/domain/test_laws.py`:
- An outcome is final. Whatever comes later returns the same status, reason and attempts.
- Attempts never exceed the terms' bound, and only a wrong answer in time counts as one.
- Nothing answered at or after the deadline is approved.
- While suspended, outcomes are held back: decided at once, published by a resume (or after an
  hour), discarded by a cancel. The deadline runs on.
- An input that changes nothing returns the very same verification and no events.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from bot.domain.verification import SUSPENSION, Cause, Outcome, Status, Verification

# One code-shaped reply is answered within this time of the end.
AFTERTHOUGHT = timedelta(minutes=10)
LONGEST_TOLD = 60  # characters of a reason in the history of a pause


class Answer(StrEnum):
    """What the person is told by text. `wording.answer` has the sentences."""

    APPROVED = "approved"
    WRONG = "wrong"
    OUT_OF_TRIES = "out_of_tries"
    TOO_LATE = "too_late"
    HINT = "hint"
    OLDER_TEXT = "older_text"
    ALREADY_VERIFIED = "already_verified"
    NO_LONGER_NEEDED = "no_longer_needed"


@dataclass(frozen=True, slots=True)
class Started:
    """A caller asked. Carries the new verification, whose `created_at` is the decision's now."""

    verification: Verification


@dataclass(frozen=True, slots=True)
class TextTried:
    """The text is about to be handed to Twilio."""


@dataclass(frozen=True, slots=True)
class TextAccepted:
    """Twilio has the text since `at`, which may have been learned late."""

    at: datetime


@dataclass(frozen=True, slots=True)
class TextImpossible:
    """The text cannot be sent, or did not arrive and never will. `is_of_number`: since its number
    gets no texts, and not since Twilio or we have a trouble."""

    cause: Cause
    reason: str
    error_code: int | None = None
    is_of_number: bool = False


@dataclass(frozen=True, slots=True)
class Attempted:
    """A reply held a code. `at` is when it counts; `by_text` says whether a text may answer it;
    `guess` is a keyed hash of it; `wrong_left` is how many wrong answers the number, over all its
    verifications, may still give, this one included (None: any number)."""

    is_right: bool
    at: datetime
    by_text: bool = True
    guess: str | None = None
    wrong_left: int | None = None


@dataclass(frozen=True, slots=True)
class Chattered:
    """A reply by text that held no code, or carried our own text back."""

    is_quote: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class OlderCodeSent:
    """A reply held the code of this superseded verification, inside its window."""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The timer looked."""


@dataclass(frozen=True, slots=True)
class Canceled:
    cause: Cause
    reason: str | None


@dataclass(frozen=True, slots=True)
class Suspended:
    reason: str | None


@dataclass(frozen=True, slots=True)
class Resumed:
    reason: str | None


Input = (
    Started
    | TextTried
    | TextAccepted
    | TextImpossible
    | Attempted
    | Chattered
    | OlderCodeSent
    | TimePassed
    | Canceled
    | Suspended
    | Resumed
)

Detail = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history. Never holds a code or what a person wrote."""

    name: str
    detail: Detail = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    verification: Verification
    events: tuple[Event, ...] = ()
    answer: Answer | None = None
    is_excused: bool = False  # it failed through Twilio or us: the start does not count


def decide(verification: Verification | None, what: Input, now: datetime) -> Decision:
    """What follows when `what` happens to `verification` at `now`.

    Raises ValueError where `Started` meets an existing verification, or anything else meets none.
    """
    if isinstance(what, Started):
        if verification is not None:
            raise ValueError("a verification starts once")
        return Decision(what.verification, (Event("started"),))
    if verification is None:
        raise ValueError(f"{type(what).__name__} needs a verification")
    if verification.is_terminal:
        return _after_the_end(verification, what, now)
    return _while_pending(verification, what, now)


def _while_pending(v: Verification, what: Input, now: datetime) -> Decision:
    match what:
        case TextTried():
            return _tried(v, now)
        case TextAccepted(at):
            return _accepted(v, at, now)
        case TextImpossible(cause, reason, error_code, is_of_number):
            failed = _end(v, Outcome(Status.FAILED, now, cause, reason, error_code))
            return replace(failed, is_excused=not is_of_number and not v.is_decided)
        case Attempted():
            return _attempted(v, what)
        case Chattered(is_quote, at):
            return _chattered(v, is_quote, at)
        case TimePassed():
            return _time_passed(v, now)
        case Canceled(cause, reason):
            return _publish(v, Outcome(Status.CANCELED, now, cause, reason))
        case Suspended(reason):
            return _suspended(v, reason, now)
        case Resumed(reason):
            return _resumed(v, reason, now)
        case Started() | OlderCodeSent():
            return Decision(v)
        case _:
            assert_never(what)


def _after_the_end(v: Verification, what: Input, now: datetime) -> Decision:
    assert v.outcome is not None
    match what:
        case Attempted(by_text=True) if now - v.outcome.at <= AFTERTHOUGHT:
            return _afterthought(v, _AFTER_THE_END[v.outcome.status])
        case OlderCodeSent() if now < v.deadline_at:
            return _afterthought(v, Answer.OLDER_TEXT)
        case TextAccepted(at) if v.accepted_at is None:
            # A fact about delivery may still be added; it opens no window.
            return Decision(replace(v, accepted_at=at), (Event("text_accepted"),))
        case _:
            return Decision(v)


_AFTER_THE_END = {
    Status.APPROVED: Answer.ALREADY_VERIFIED,
    Status.EXPIRED: Answer.TOO_LATE,
    Status.MAX_ATTEMPTS_REACHED: Answer.OUT_OF_TRIES,
    Status.CANCELED: Answer.NO_LONGER_NEEDED,
    Status.FAILED: Answer.NO_LONGER_NEEDED,
}


def _afterthought(v: Verification, answer: Answer) -> Decision:
    if v.is_afterthought_answered:
        return Decision(v)
    return _answered(replace(v, is_afterthought_answered=True), (Event("late_reply"),), answer)


def _tried(v: Verification, now: datetime) -> Decision:
    if v.first_try_at is not None:
        return Decision(v)
    # Twilio may take the text at any moment until we give up, so until it is known when it
    # did, the window is held open for the longest time it can last.
    deadline_at = now + v.terms.send_within + v.terms.window
    return Decision(replace(v, first_try_at=now, deadline_at=deadline_at), (Event("text_tried"),))


def _accepted(v: Verification, at: datetime, now: datetime) -> Decision:
    if v.accepted_at is not None:
        return Decision(v)
    accepted_at = max(v.first_try_at or v.created_at, min(at, now))
    if v.is_decided:  # what is decided was in time by the deadline of its moment
        return Decision(replace(v, accepted_at=accepted_at), (Event("text_accepted"),))
    opened = replace(v, accepted_at=accepted_at, deadline_at=accepted_at + v.terms.window)
    return Decision(opened, (Event("text_accepted"),))


def _attempted(v: Verification, what: Attempted) -> Decision:
    if v.is_decided:
        return Decision(v, (Event("reply_while_held"),))
    if what.at >= v.deadline_at:
        return _told(_lapse(v), Answer.TOO_LATE, what)
    if what.is_right:
        right = Event("right_answer", {"by_text": what.by_text})
        ended = _end(v, Outcome(Status.APPROVED, what.at, Cause.ANSWERED))
        return _told(_preceded(right, ended), Answer.APPROVED, what)
    return _wrong(v, what)


def _wrong(v: Verification, what: Attempted) -> Decision:
    if what.guess is not None and what.guess == v.last_guess:
        # Carriers and phones repeat texts, and the same guess tells a guesser nothing.
        repeated = Event("repeated_answer", {"by_text": what.by_text})
        if v.answers >= v.terms.max_attempts:  # the two left are for its end
            return Decision(v, (repeated,))
        return _told(Decision(v, (repeated,)), Answer.WRONG, what)
    left = None if what.wrong_left is None else max(0, what.wrong_left - 1)
    counted = replace(v, attempts=v.attempts + 1, last_guess=what.guess, wrong_left=left)
    told: Detail = {"attempt": counted.attempts, "by_text": what.by_text}
    wrong = Event("wrong_answer", told)
    if counted.attempts_left > 0:
        return _told(Decision(counted, (wrong,)), Answer.WRONG, what)
    ended = _end(counted, Outcome(Status.MAX_ATTEMPTS_REACHED, what.at, Cause.ATTEMPTS_USED))
    return _told(_preceded(wrong, ended), Answer.OUT_OF_TRIES, what)


def _chattered(v: Verification, is_quote: bool, at: datetime) -> Decision:
    if v.is_decided:
        return Decision(v)
    if at >= v.deadline_at:
        return _lapse(v)
    event = Event("quoted_text" if is_quote else "unread_reply")
    if v.is_hinted or v.suspended_at is not None:
        return Decision(v, (event,))
    return _answered(replace(v, is_hinted=True), (event,), Answer.HINT)


def _time_passed(v: Verification, now: datetime) -> Decision:
    if v.suspended_at is not None:
        if now < v.suspended_at + SUSPENSION:
            return Decision(v)
        return _resumed(v, "nobody resumed it for an hour", now)
    if now < v.deadline_at:
        return Decision(v)
    return _lapse(v)


def _lapse(v: Verification) -> Decision:
    """The deadline has passed: stamped with the deadline, not with the moment of noticing."""
    if v.accepted_at is None and v.attempts == 0:
        reason = "It is not known whether Twilio took the text: it gave no clear answer in time."
        unknown = Outcome(Status.FAILED, v.deadline_at, Cause.SEND_UNKNOWN, reason)
        return replace(_end(v, unknown), is_excused=not v.is_decided)
    return _end(v, Outcome(Status.EXPIRED, v.deadline_at, Cause.WINDOW_OVER))


def _suspended(v: Verification, reason: str | None, now: datetime) -> Decision:
    if v.suspended_at is not None:
        return Decision(v)
    if now >= v.deadline_at:
        return _lapse(v)
    return Decision(replace(v, suspended_at=now), (Event("suspended", _shortened(reason)),))


def _resumed(v: Verification, reason: str | None, now: datetime) -> Decision:
    if v.suspended_at is None:
        return Decision(v)
    running = replace(v, suspended_at=None, held=None)
    event = Event("resumed", _shortened(reason))
    if v.held is not None:
        return _preceded(event, _publish(running, v.held))
    if now >= v.deadline_at:
        return _preceded(event, _lapse(running))
    return Decision(running, (event,))


def _shortened(reason: str | None) -> Detail:
    """A verification is suspended as often as callers like, and its history is shown whole."""
    return {"reason": reason[:LONGEST_TOLD] if reason else reason}


def _end(v: Verification, outcome: Outcome) -> Decision:
    if v.held is not None:
        return Decision(v)
    if v.suspended_at is None:
        return _publish(v, outcome)
    return Decision(replace(v, held=outcome), (Event("held", {"status": outcome.status}),))


def _publish(v: Verification, outcome: Outcome) -> Decision:
    ended = replace(v, outcome=outcome, suspended_at=None, held=None)
    detail: Detail = {
        "cause": outcome.cause,
        "reason": outcome.reason,
        "error_code": outcome.error_code,
    }
    told = {name: value for name, value in detail.items() if value is not None}
    return Decision(ended, (Event(outcome.status.value, told),))


def _preceded(event: Event, decision: Decision) -> Decision:
    return replace(decision, events=(event, *decision.events))


def _told(decision: Decision, answer: Answer, what: Attempted) -> Decision:
    if not what.by_text or decision.verification.suspended_at is not None:
        return decision
    return _answered(decision.verification, decision.events, answer)


def _answered(v: Verification, events: tuple[Event, ...], answer: Answer) -> Decision:
    # Every answer is billed, and two bots must not talk to each other for ever.
    if v.answers >= v.terms.max_attempts + 2:
        return Decision(v, events)
    return Decision(replace(v, answers=v.answers + 1), events, answer)
