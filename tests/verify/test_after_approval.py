"""What a caller sees of its own verification after the approval, whatever began meanwhile."""

from typing import Any

import pytest

from tests.dispatch.missing import catch_up, missed
from tests.harness import FUNCTION_KEY, PHONE, Harness
from tests.verify.conftest import FORMS, Verify, client_of, refused

APP_KEY = "another-function-key-x"
TWO_KEYS = f"web:{FUNCTION_KEY},app:{APP_KEY}"


def attempts(verify: Verify, sid: str) -> int:
    used: int = verify.harness.status(sid.removeprefix("VE"))["customStatus"]["attemptsUsed"]
    return used


def with_other_key(verify: Verify) -> Any:
    return client_of(verify.harness.url, APP_KEY).verify.v2.services(verify.sid)


def other_key_creates(verify: Verify) -> None:
    with_other_key(verify).verifications.create(to=PHONE, channel="sms")
    verify.harness.run_once()


def test_the_code_that_was_texted_back_is_right_after_a_newer_create(verify: Verify) -> None:
    first = verify.create_and_send()
    code = verify.harness.code()
    verify.harness.forward(20)
    verify.harness.text(code)
    newer = verify.create_and_send()
    assert newer.sid != first.sid
    checked = verify.check(code)
    assert (checked.status, checked.valid, checked.sid) == ("approved", True, first.sid)
    assert attempts(verify, newer.sid) == 0
    assert verify.service.verifications(newer.sid).fetch().status == "pending"


def test_the_code_of_the_approved_one_is_wrong_for_the_sid_of_a_newer_create(
    verify: Verify,
) -> None:
    verify.create_and_send()
    code = verify.harness.code()
    verify.harness.text(code)
    newer = verify.create_and_send()
    checked = verify.check(code, None, verification_sid=newer.sid)
    assert (checked.status, checked.valid, checked.sid) == ("pending", False, newer.sid)


def test_a_code_that_was_checked_serves_no_newer_create(verify: Verify) -> None:
    verify.create_and_send()
    code = verify.harness.code()
    assert verify.check(code).status == "approved"
    newer = verify.create_and_send()
    checked = verify.check(code)
    assert (checked.status, checked.valid) == ("pending", False)
    assert attempts(verify, newer.sid) == 0


def test_a_reply_with_the_code_of_the_approved_one_is_no_attempt(verify: Verify) -> None:
    verify.create_and_send()
    code = verify.harness.code()
    verify.harness.text(code)
    newer = verify.create_and_send()
    verify.harness.text(code)
    assert attempts(verify, newer.sid) == 0
    verify.harness.forward(601)
    verify.create_and_send()
    newest = verify.create_and_send()
    verify.harness.text(code)
    assert attempts(verify, newest.sid) == 1


def test_a_create_by_another_key_hides_no_approval(verify: Verify) -> None:
    verify.restart(**FORMS, FUNCTION_KEY=TWO_KEYS)
    created = verify.create_and_send()
    code = verify.harness.code()
    assert verify.check(code).status == "approved"
    other_key_creates(verify)
    assert verify.check(code).status == "approved"
    assert verify.service.verifications(PHONE).fetch().sid == created.sid


def test_the_code_that_was_texted_back_to_another_key_is_wrong(verify: Verify) -> None:
    verify.restart(**FORMS, FUNCTION_KEY=TWO_KEYS)
    verify.create_and_send()
    code = verify.harness.code()
    verify.harness.text(code)
    other_key_creates(verify)
    checked = with_other_key(verify).verification_checks.create(to=PHONE, code=code)
    assert (checked.status, checked.valid) == ("pending", False)


def test_a_create_by_another_key_gives_no_attempts_back(verify: Verify) -> None:
    verify.restart(**FORMS, FUNCTION_KEY=TWO_KEYS)
    verify.create_and_send()
    wrong = verify.harness.wrong()
    for place in range(5):
        verify.check(str(int(wrong) + place).zfill(6)[-6:])
    other_key_creates(verify)
    assert refused(lambda: verify.check(wrong)) == (429, 60202)


def suspended(harness: Harness, id: str) -> None:
    harness.suspend(id, None)
    harness.text(harness.code())
    harness.forward(660)
    harness.resume(id, None)


def read_late(harness: Harness, id: str) -> None:
    harness.forward(30)
    missed(harness, harness.code())
    harness.clock.forward(1400)
    catch_up(harness)


@pytest.mark.parametrize("late", [suspended, read_late])
def test_ten_minutes_run_from_when_callers_can_see_it(verify: Verify, late) -> None:
    created = verify.create_and_send()
    code = verify.harness.code()
    late(verify.harness, created.sid.removeprefix("VE"))
    assert verify.service.verifications(created.sid).fetch().status == "approved"
    assert verify.check(code).status == "approved"
    verify.harness.forward(601)
    assert refused(lambda: verify.check(code)) == (404, 20404)


def test_a_refused_create_names_the_end_of_a_suspension(verify: Verify) -> None:
    created = verify.create_and_send()
    verify.harness.suspend(created.sid.removeprefix("VE"), None)
    verify.harness.forward(1000)
    assert refused(verify.create) == (429, 60203)
    assert int(verify.last.headers["Retry-After"]) == 3600 - 1000


@pytest.mark.parametrize("length", [5, 6])
def test_while_it_is_suspended_every_code_is_pending(verify: Verify, length: int) -> None:
    created = verify.create_and_send()
    verify.harness.suspend(created.sid.removeprefix("VE"), None)
    verify.harness.forward(601)
    assert verify.check("123456"[:length]).status == "pending"


@pytest.mark.parametrize("limit", ["12/day", "4000/day"])
@pytest.mark.parametrize("is_by_text", [False, True])
def test_the_code_of_an_approved_one_can_be_guessed_no_more_often_than_before(
    verify: Verify, is_by_text: bool, limit: str
) -> None:
    verify.restart(LIMIT_WRONG_PER_NUMBER=limit)
    verify.create_and_send()
    code = verify.harness.code()
    verify.check(verify.harness.wrong())
    if is_by_text:
        verify.harness.text(code)
    else:
        verify.check(code)
    assert verify.check(code).status == "approved"  # its answer was lost
    for _ in range(verify.harness.settings.max_attempts - 1):
        wrong = verify.harness.wrong()
        for _ in range(9):  # the same one again tells nothing
            assert refused(lambda wrong=wrong: verify.check(wrong)) == (404, 20404)
    assert refused(lambda: verify.check(code)) == (404, 20404)
    assert verify.fetch(PHONE).status == "approved"


def test_wrong_codes_after_approvals_count_in_the_bound_of_the_day(verify: Verify) -> None:
    verify.restart(LIMIT_WRONG_PER_NUMBER="7/day", LIMIT_PER_NUMBER="")
    for _ in range(2):
        verify.create_and_send()
        code = verify.harness.code()
        verify.check(code)
        for _ in range(4):
            assert refused(lambda: verify.check(verify.harness.wrong())) == (404, 20404)
    assert refused(lambda: verify.check(code)) == (404, 20404)  # the seventh was the last
    assert refused(verify.create) == (429, 60202)
    sql = "SELECT count(*) AS n FROM usage WHERE kind = 'wrong'"
    assert verify.harness.store.read(lambda tx: tx.one(sql)["n"]) == 7


def test_a_repeated_wrong_code_after_the_approval_counts_once(verify: Verify) -> None:
    verify.create_and_send()
    code, wrong = verify.harness.code(), verify.harness.wrong()
    verify.check(code)
    before = verify.harness.view(verify.fetch(PHONE).sid.removeprefix("VE")).updated_at
    verify.harness.clock.forward(60)
    for _ in range(9):
        assert refused(lambda: verify.check(wrong)) == (404, 20404)
    assert verify.check(code).status == "approved"
    after = verify.harness.view(verify.fetch(PHONE).sid.removeprefix("VE")).updated_at
    assert after == before, "nothing that callers see has changed"


def test_a_held_outcome_lets_nobody_guess_an_older_code(verify: Verify) -> None:
    """One that was approved by a text is right again for ten minutes."""
    harness = verify.harness
    verify.create_and_send()
    older = harness.code()
    harness.text(older)
    harness.clock.forward(20)
    newer = harness.start_and_send()["id"]
    assert verify.check(older).status == "approved"
    harness.suspend(newer, None)
    harness.answer(newer, harness.code())
    assert verify.check(older).status == "pending"


def test_the_last_wrong_code_of_the_day_is_left_to_a_pending_verification(verify: Verify) -> None:
    """Which it ends, so that no guess comes after it."""
    verify.restart(LIMIT_WRONG_PER_NUMBER="4/day", LIMIT_PER_NUMBER="")
    older = verify.create_and_send().sid
    verify.check(verify.harness.code())
    verify.create_and_send()
    for _ in range(5):
        wrong = {"VerificationSid": older, "Code": verify.harness.wrong()}
        assert verify.post("/VerificationCheck", wrong).status_code == 404
    assert verify.check(verify.harness.wrong()).status == "pending"
    assert refused(lambda: verify.check(verify.harness.code())) == (429, 60202)
    sql = "SELECT count(*) AS n FROM usage WHERE kind = 'wrong'"
    assert verify.harness.store.read(lambda tx: tx.one(sql)["n"]) == 4


def test_a_lost_answer_costs_nothing_whatever_the_bound(verify: Verify) -> None:
    verify.restart(LIMIT_WRONG_PER_NUMBER="1/day")
    verify.create_and_send()
    for _ in range(3):
        assert verify.check(verify.harness.code()).status == "approved"
