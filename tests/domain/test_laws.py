"""Checks the laws of `decide` on every single step and every history of up to six inputs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from bot.domain.decision import Decision
from bot.domain.effects import BlockNumber, SendText
from bot.domain.events import Event, EventName
from bot.domain.inputs import (
    Attempted,
    Canceled,
    Chattered,
    DisownedByText,
    Input,
    OlderCodeSent,
    ResendAsked,
    Resumed,
    Suspended,
    TextAccepted,
    TextImpossible,
    TextTried,
    TimePassed,
)
from bot.domain.resending import LEAST_TIME_LEFT, SHORTEST_INTERVAL
from bot.domain.transitions import decide
from bot.domain.verification import SUSPENSION, Cause, Status, Verification
from tests.builders import NOON, ended, new_text, outcome, running, seconds, verification

DEADLINE = NOON + seconds(90)


def inputs(now: datetime) -> list[Input]:
    return [
        TextTried(),
        TextAccepted(now),
        TextAccepted(NOON),  # learned late
        TextImpossible(Cause.SEND_REFUSED, "no route", 21612),
        TextImpossible(Cause.NOT_DELIVERED, "no route", 21612, is_last=False),
        ResendAsked(new_text("another"), is_unsettled=False),
        ResendAsked(new_text("another"), is_unsettled=True),
        Attempted(True, now),
        Attempted(True, now, by_text=False),
        Attempted(False, now),
        Chattered(False, now),
        Chattered(True, now),
        DisownedByText(now),
        OlderCodeSent(now),
        TimePassed(),
        Canceled(Cause.TERMINATED, "enough"),
        Suspended(None),
        Resumed(None),
    ]


def states() -> Iterator[Verification]:
    """Every status, with every number of attempts, running, suspended, and suspended and held."""
    for attempts in range(4):
        yield verification(attempts=attempts)
        yield running(attempts=attempts)
        yield running(attempts=attempts, suspended_at=NOON)
        for status in (Status.APPROVED, Status.EXPIRED, Status.FAILED):
            held = outcome(status, NOON + seconds(30))
            yield running(attempts=attempts, suspended_at=NOON, held_outcome=held)
            yield ended(status, attempts=attempts)
        yield ended(Status.CANCELED, attempts=attempts)
    late = outcome(Status.APPROVED, NOON + seconds(100))
    yield verification(first_try_at=NOON, suspended_at=NOON, held_outcome=late)
    held = outcome(Status.MAX_ATTEMPTS_REACHED, NOON + seconds(30))
    yield running(attempts=4, suspended_at=NOON, held_outcome=held)
    yield ended(Status.MAX_ATTEMPTS_REACHED)


def check_laws(before: Verification, what: Input, now: datetime, decision: Decision) -> None:
    after = decision.verification
    if before.is_terminal:
        assert (after.outcome, after.attempts) == (before.outcome, before.attempts)
        assert after.deadline_at == before.deadline_at
    check_attempts(before, what, after)
    check_texts(before, what, now, decision)
    check_ends(before, what, now, after)
    check_suspension(before, what, decision)
    check_answers(before, what, decision)
    if after is before:
        assert decision.answer is None
    assert after is before or after != before
    if replace(after, newest_send_at=before.newest_send_at) != before:
        assert decision.events, "nothing changes without a line in the history"


def is_in_time(before: Verification, what: Input) -> bool:
    return isinstance(what, Attempted) and what.at < before.deadline_at


def check_attempts(before: Verification, what: Input, after: Verification) -> None:
    wrongs = after.attempts - before.attempts
    if wrongs:
        assert isinstance(what, Attempted)
        told = (wrongs, what.is_right, is_in_time(before, what), before.is_decided)
        assert told == (1, False, True, False)
    assert 0 <= after.attempts <= after.terms.max_attempts


def check_texts(before: Verification, what: Input, now: datetime, decision: Decision) -> None:
    after = decision.verification
    sent_again = after.sends - before.sends
    texts = [effect for effect in decision.effects if isinstance(effect, SendText)]
    assert (len(texts), sent_again) in ((0, 0), (1, 1))
    assert 1 <= after.sends <= after.terms.max_sends
    if isinstance(what, ResendAsked):
        assert (after.deadline_at, after.attempts) == (before.deadline_at, before.attempts)
        assert after.outcome == before.outcome
    if sent_again:
        assert isinstance(what, ResendAsked)
        assert not before.is_decided
        assert now <= before.deadline_at - LEAST_TIME_LEFT
        assert now >= (before.newest_send_at or before.created_at) + SHORTEST_INTERVAL


def check_ends(before: Verification, what: Input, now: datetime, after: Verification) -> None:
    new = after.outcome if not before.is_terminal else None
    held = after.held_outcome if before.held_outcome is None else None
    for end in filter(None, (new, held)):
        if end == before.held_outcome:
            assert isinstance(what, Resumed | TimePassed)
        elif end.status is Status.APPROVED:
            assert isinstance(what, Attempted)
            assert what.is_right
            assert is_in_time(before, what)
            assert before.attempts < 4
            assert end.at < before.deadline_at
        elif end.status is Status.EXPIRED:
            assert now >= before.deadline_at
            assert end.at == before.deadline_at
        elif end.status is Status.MAX_ATTEMPTS_REACHED:
            wrongs = after.attempts - before.attempts
            assert (wrongs, after.attempts) == (1, after.terms.max_attempts)
        elif end.status is Status.CANCELED:
            assert isinstance(what, Canceled | DisownedByText)
    for end in filter(None, (after.outcome, after.held_outcome)):
        if end.status is Status.APPROVED:
            assert end.at < after.deadline_at


def check_suspension(before: Verification, what: Input, decision: Decision) -> None:
    after = decision.verification
    if before.held_outcome is not None and not after.is_terminal:
        assert after.held_outcome == before.held_outcome
    if before.suspended_at is not None and not after.is_terminal and after.suspended_at:
        assert decision.answer is None
    if before.suspended_at is not None and not before.is_terminal and after.outcome is not None:
        assert isinstance(what, Canceled | DisownedByText | Resumed | TimePassed)


def check_answers(before: Verification, what: Input, decision: Decision) -> None:
    after = decision.verification
    assert after.answers - before.answers == (decision.answer is not None)
    assert after.answers <= after.terms.max_attempts + 2
    if before.held_outcome is None and not before.is_decided and isinstance(what, Attempted):
        in_time = is_in_time(before, what)
        assert in_time or after.is_decided, "an answer at the deadline ends it"


@pytest.mark.parametrize("moment", [seconds(30), seconds(90), seconds(91), SUSPENSION])
def test_every_single_step_obeys_the_laws(moment: timedelta) -> None:
    now = NOON + moment
    steps = list(product(states(), inputs(now)))
    assert len(steps) > 500
    for before, what in steps:
        check_laws(before, what, now, decide(before, what, now))


def test_every_history_of_six_inputs_obeys_the_laws() -> None:
    """Ten inputs, including the passing of time. Histories that reach the same state are continued
    only once, which is complete: what follows depends only on state and time."""
    reached = {(running(first_try_at=None, accepted_at=None), NOON)}
    walked = 0
    for _ in range(6):
        nexts = set()
        for before, now in reached:
            for what, later in alphabet(before, now):
                decision = decide(before, what, later)
                check_laws(before, what, later, decision)
                nexts.add((decision.verification, later))
                walked += 1
        reached = nexts
    assert walked > 5_000
    found = {v.status for v, _ in reached}
    assert found == set(Status)


def alphabet(before: Verification, now: datetime) -> list[tuple[Input, datetime]]:
    soon = now + seconds(1)
    past_due = max(now, before.due_at or now)
    return [
        (TextTried(), soon),
        (TextAccepted(soon), soon),
        (TextImpossible(Cause.SEND_REFUSED, "refused"), soon),
        (ResendAsked(new_text("another"), is_unsettled=False), now + SHORTEST_INTERVAL),
        (Attempted(True, soon), soon),
        (Attempted(False, soon), soon),
        (TimePassed(), past_due),
        (Canceled(Cause.TERMINATED, "enough"), soon),
        (Suspended(None), soon),
        (Resumed(None), soon),
    ]


def test_the_right_answer_is_never_beaten_by_the_timer_before_the_deadline() -> None:
    just_before = DEADLINE - timedelta(microseconds=1)
    looked = decide(running(), TimePassed(), just_before).verification
    answered = decide(looked, Attempted(True, just_before), just_before).verification
    assert answered.status is Status.APPROVED


def test_what_is_refused_leaves_the_verification_the_very_same() -> None:
    for status in set(Status) - {Status.PENDING}:
        before = ended(status, is_afterthought_answered=True)
        for what in inputs(NOON + seconds(40)):
            decision = decide(before, what, NOON + seconds(40))
            is_late_no = isinstance(what, DisownedByText) and status is not Status.APPROVED
            events = (Event(EventName.DISOWNED),) if is_late_no else ()
            effects = (BlockNumber(what.at),) if is_late_no else ()
            if not isinstance(what, TextAccepted):
                assert decision == Decision(before, events, effects=effects)


def test_starting_twice_and_acting_on_nothing_are_mistakes_of_the_code() -> None:
    with pytest.raises(ValueError, match="needs a verification"):
        decide(None, TimePassed(), NOON)
    from bot.domain.inputs import Started

    with pytest.raises(ValueError, match="starts once"):
        decide(running(), Started(running(), new_text("a-text")), NOON)


def test_a_verification_without_a_text_fails_instead_of_expiring() -> None:
    nobody_knows = replace(running(), accepted_at=None)
    decision = decide(nobody_knows, TimePassed(), DEADLINE)
    assert decision.verification.status is Status.FAILED
    assert "not known" in (decision.verification.outcome.reason or "")  # type: ignore[union-attr]


def test_a_wrong_answer_proves_that_the_text_arrived_so_it_expires() -> None:
    decision = decide(replace(running(attempts=1), accepted_at=None), TimePassed(), DEADLINE)
    assert decision.verification.status is Status.EXPIRED
