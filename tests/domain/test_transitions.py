"""Examples of decisions and their results."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.decision import AutoReply
from bot.domain.effects import EraseTexts, LiftText
from bot.domain.inputs import (
    Attempted,
    Canceled,
    Chattered,
    OlderCodeSent,
    Resumed,
    Suspended,
    TextAccepted,
    TextImpossible,
    TextTried,
    TimePassed,
)
from bot.domain.transitions import decide
from bot.domain.verification import Cause, Status, Verification
from tests.builders import NOON, ended, outcome, running, seconds, verification

SOON = NOON + seconds(10)


def after(v: Verification, *whats: object, now=SOON) -> Verification:
    for what in whats:
        v = decide(v, what, now).verification
    return v


def wrong(at=SOON) -> Attempted:
    return Attempted(False, at)


def right(at=SOON) -> Attempted:
    return Attempted(True, at)


def test_wrong_wrong_right_is_approved() -> None:
    v = after(running(), wrong(), wrong(), right())
    assert (v.status, v.attempts) == (Status.APPROVED, 2)


def test_the_fourth_wrong_answer_ends_it() -> None:
    v = after(running(), wrong(), wrong(), wrong())
    assert v.status is Status.PENDING
    decision = decide(v, wrong(), SOON)
    assert decision.verification.status is Status.MAX_ATTEMPTS_REACHED
    assert decision.answer is AutoReply.OUT_OF_TRIES


def test_the_window_is_closed_at_the_deadline() -> None:
    deadline = NOON + seconds(90)
    assert after(running(), right(deadline), now=deadline).status is Status.EXPIRED
    late = decide(running(), right(deadline), deadline)
    assert late.answer is AutoReply.TOO_LATE


def test_expiry_is_stamped_with_the_deadline_not_with_the_noticing() -> None:
    v = after(running(), TimePassed(), now=NOON + seconds(500))
    assert v.outcome == outcome(Status.EXPIRED, NOON + seconds(90))


def test_the_window_opens_when_twilio_takes_the_text() -> None:
    v = after(verification(), TextTried(), now=NOON + seconds(5))
    assert v.deadline_at == NOON + seconds(5 + 60 + 90)
    v = after(v, TextAccepted(NOON + seconds(7)), now=NOON + seconds(7))
    assert v.deadline_at == NOON + seconds(7 + 90)


def test_acceptance_learned_late_counts_from_twilios_stamp_between_first_try_and_now() -> None:
    tried = after(verification(), TextTried(), now=NOON + seconds(5))
    now = NOON + seconds(20)
    for stamp, counted in [(6, 6), (1, 5), (99, 20)]:
        v = after(tried, TextAccepted(NOON + seconds(stamp)), now=now)
        assert v.accepted_at == NOON + seconds(counted)


def test_a_reply_is_judged_before_the_send_call_has_returned() -> None:
    tried = after(verification(), TextTried(), now=NOON)
    assert after(tried, right()).status is Status.APPROVED


def test_a_hint_is_given_once() -> None:
    chatter = Chattered(is_quote=False, at=SOON)
    first = decide(running(), chatter, SOON)
    assert first.answer is AutoReply.HINT
    second = decide(first.verification, chatter, SOON)
    assert second.answer is None
    assert second.verification.attempts == 0


def test_one_code_shaped_reply_is_answered_within_ten_minutes_of_the_end() -> None:
    expected = {
        Status.APPROVED: AutoReply.ALREADY_VERIFIED,
        Status.EXPIRED: AutoReply.TOO_LATE,
        Status.MAX_ATTEMPTS_REACHED: AutoReply.OUT_OF_TRIES,
        Status.CANCELED: AutoReply.NO_LONGER_NEEDED,
        Status.FAILED: AutoReply.NO_LONGER_NEEDED,
    }
    for status, answer in expected.items():
        v = ended(status, at=NOON)
        at = NOON + timedelta(minutes=10)
        first = decide(v, wrong(at), at)
        assert first.answer is answer
        assert decide(first.verification, wrong(at), at).answer is None
        too_late = at + timedelta(seconds=1)
        assert decide(v, wrong(too_late), too_late).answer is None
        assert decide(v, Chattered(False, at), at).answer is None


def test_no_verification_is_answered_more_than_its_attempts_and_two() -> None:
    v = running(answers=6)
    decision = decide(v, wrong(), SOON)
    assert decision.answer is None
    assert decision.verification.attempts == 1


def test_an_older_code_is_answered_once_while_its_window_is_open() -> None:
    older = ended(Status.CANCELED)
    first = decide(older, OlderCodeSent(SOON), SOON)
    assert first.answer is AutoReply.OLDER_TEXT
    assert decide(first.verification, OlderCodeSent(SOON), SOON).answer is None
    closed = NOON + seconds(90)
    assert decide(older, OlderCodeSent(closed), closed).answer is None


def test_suspended_four_wrong_then_right_ends_as_out_of_tries_on_resume() -> None:
    v = after(running(), Suspended(None), wrong(), wrong(), wrong(), wrong(), right())
    assert (v.status, v.attempts) == (Status.PENDING, 4)
    assert after(v, Resumed(None)).status is Status.MAX_ATTEMPTS_REACHED


def test_suspended_and_answered_right_in_time_is_approved_on_resume_however_late() -> None:
    v = after(running(), Suspended(None), right())
    v = after(v, Resumed(None), now=NOON + timedelta(minutes=50))
    assert v.status is Status.APPROVED
    assert v.outcome.at == SOON


def test_suspended_and_answered_right_too_late_is_expired_on_resume() -> None:
    late = NOON + seconds(100)
    v = after(after(running(), Suspended(None)), right(late), now=late)
    assert v.status is Status.PENDING
    assert after(v, Resumed(None), now=late).status is Status.EXPIRED


def test_suspended_past_the_deadline_without_an_answer_is_expired_on_resume() -> None:
    v = after(running(), Suspended(None))
    assert after(v, Resumed(None), now=NOON + seconds(90)).status is Status.EXPIRED
    assert after(v, Resumed(None), now=NOON + seconds(89)).status is Status.PENDING


def test_terminate_discards_what_was_held() -> None:
    v = after(running(), Suspended(None), right(), Canceled(Cause.TERMINATED, "enough"))
    assert (v.status, v.held_outcome) == (Status.CANCELED, None)


def test_what_nobody_resumed_for_an_hour_is_published() -> None:
    v = after(running(), Suspended(None), right())
    assert after(v, TimePassed(), now=SOON + timedelta(minutes=59)).status is Status.PENDING
    assert after(v, TimePassed(), now=SOON + timedelta(hours=1)).status is Status.APPROVED


def test_suspending_twice_and_resuming_what_runs_change_nothing() -> None:
    v = after(running(), Suspended("first"))
    assert decide(v, Suspended("second"), SOON).verification is v
    v = running()
    assert decide(v, Resumed(None), SOON).verification is v


def test_a_further_text_that_twilio_took_after_the_end_is_erased() -> None:
    v = ended(Status.APPROVED, is_to_erase=True)
    assert decide(v, TextAccepted(SOON), SOON).effects == (EraseTexts(),)


NOT_TAKEN = TextImpossible(
    Cause.SEND_REFUSED, "Twilio did not take it.", 30001, is_of_number=False, is_last=False
)


def test_a_further_text_that_was_not_sent_does_not_count() -> None:
    assert decide(running(sends=2), NOT_TAKEN, SOON).effects == (LiftText(),)


@pytest.mark.parametrize(
    ("v", "what"),
    [
        (running(sends=2, attempts=1), NOT_TAKEN),
        (running(sends=2), replace(NOT_TAKEN, is_of_number=True)),
        (after(running(sends=2), Suspended(None), right()), NOT_TAKEN),
    ],
    ids=["somebody has guessed", "its number is at fault", "it is decided"],
)
def test_a_further_text_that_was_not_sent_may_count(v: Verification, what: TextImpossible) -> None:
    assert decide(v, what, SOON).effects == ()
