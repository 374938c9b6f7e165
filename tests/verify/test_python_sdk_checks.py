"""Twilio's Python client checks codes, also of what another interface or key began."""

import pytest

from tests.harness import PHONE, SYSTEM_KEY
from tests.verify.conftest import Verify, client_of, refused

# -- check -----------------------------------------------------------------------------------------


def test_a_wrong_code_is_200_and_the_right_one_approves(verify: Verify) -> None:
    created = verify.create_and_send()
    wrong = verify.check(verify.harness.wrong())
    assert (wrong.status, wrong.valid, verify.last.status) == ("pending", False, 200)
    right = verify.check(verify.harness.code())
    assert (right.status, right.valid, right.sid) == ("approved", True, created.sid)
    assert verify.harness.history(created.sid.removeprefix("VE"))[-1] == "approved"


def test_the_right_code_is_right_for_ten_minutes_more(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    code = verify.harness.code()
    for seconds in (0, 300, 299):
        verify.harness.forward(seconds)
        assert verify.check(code).status == "approved"
        assert verify.check(code, to=None, verification_sid=sid).valid
        assert verify.fetch(sid).status == verify.fetch(PHONE).status == "approved"
        assert refused(lambda: verify.check(verify.harness.wrong())) == (404, 20404)
        assert refused(lambda: verify.check("12345")) == (404, 20404)
    verify.harness.forward(2)
    assert refused(lambda: verify.check(code)) == (404, 20404)
    assert refused(lambda: verify.fetch(sid)) == (404, 20404)


def test_the_last_wrong_code_is_200_and_the_next_429(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    for _ in range(5):
        assert verify.check(verify.harness.wrong()).status == "pending"
    for code in (verify.harness.code(), verify.harness.wrong()):
        assert refused(lambda code=code: verify.check(code)) == (429, 60202)
    assert int(verify.last.headers["Retry-After"]) == 600
    assert verify.fetch(sid).status == "max_attempts_reached"
    verify.harness.forward(600)
    assert refused(lambda: verify.check(verify.harness.code())) == (404, 20404)


def test_what_is_expired_is_gone(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    code = verify.harness.code()
    verify.harness.clock.forward(600)
    assert refused(lambda: verify.check("12345")) == (404, 20404), "the timer has not looked yet"
    assert refused(lambda: verify.check(code)) == (404, 20404)
    assert refused(lambda: verify.fetch(sid)) == (404, 20404)


@pytest.mark.parametrize("was_approved", [False, True])
def test_what_is_of_a_retired_secret_key_is_gone(verify: Verify, was_approved: bool) -> None:
    verify.create_and_send()
    code = verify.harness.code()
    if was_approved:
        assert verify.check(code).status == "approved"
    verify.restart(SECRET_KEY="another-secret-key")
    assert refused(lambda: verify.check(code)) == (404, 20404)


@pytest.mark.parametrize("code", ["1234", "12345", "1234567", "abcdef"])
def test_a_code_of_another_form_is_wrong_and_no_attempt(verify: Verify, code: str) -> None:
    """A handler of 60200 would tell the person that the number is wrong."""
    sid = verify.create_and_send().sid
    assert verify.check(code).status == "pending"
    status = verify.harness.status(sid.removeprefix("VE"))
    assert status["customStatus"]["attemptsUsed"] == 0


def test_by_sid_and_number_both_must_fit(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    code = verify.harness.code()
    other = "+14255550124"
    assert refused(lambda: verify.check(code, other, verification_sid=sid)) == (404, 20404)
    assert verify.check(code, PHONE, verification_sid=sid).status == "approved"


def test_a_text_approves_while_a_page_polls(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    assert verify.fetch(sid).status == "pending"
    verify.harness.text(verify.harness.code())
    assert (verify.fetch(sid).status, verify.fetch(sid).valid) == ("approved", True)
    assert verify.check(verify.harness.code()).status == "approved", "entered as well"


def test_checks_and_replies_share_one_counter(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    for place in range(5):
        wrong = verify.harness.wrong()
        verify.harness.text(wrong) if place % 2 else verify.check(wrong)
    assert verify.fetch(sid).status == "max_attempts_reached"


# -- beside the other interface --------------------------------------------------------------------


@pytest.mark.parametrize("id", ["", "/my own id", "/" + "c0ffee" * 5 + "00"])
def test_what_the_other_interface_began_goes_on_here(verify: Verify, id: str) -> None:
    path = "/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification" + id
    began = verify.harness.call("POST", path, json=PHONE)
    assert began.status_code == 202
    verify.harness.run_once()
    client = client_of(verify.harness.url, SYSTEM_KEY)
    service = client.verify.v2.services(verify.sid)
    verify.harness.forward(15)
    again = service.verifications.create(to=PHONE, channel="sms")
    assert len(again.send_code_attempts) == 2
    checks = service.verification_checks
    code = verify.harness.code()
    assert checks.create(verification_sid=again.sid, code=code).status == "approved"
    assert verify.harness.status(began.json()["id"])["output"] is True


def test_what_another_key_began_is_not_seen(verify: Verify) -> None:
    verify.restart(FUNCTION_KEY="web:a-function-key-for-tests,app:another-key-for-the-tests")
    sid = verify.create_and_send().sid
    code = verify.harness.code()
    client = client_of(verify.harness.url, "another-key-for-the-tests")
    other = client.verify.v2.services(verify.sid)
    assert refused(lambda: other.verifications(sid).fetch()) == (404, 20404)
    assert refused(lambda: other.verifications(PHONE).fetch()) == (404, 20404)
    assert refused(lambda: other.verifications(sid).update(status="canceled")) == (404, 20404)
    assert refused(lambda: other.verification_checks.create(to=PHONE, code=code)) == (404, 20404)
    assert refused(lambda: other.verifications.create(to=PHONE, channel="sms")) == (429, 60212)
    assert verify.check(code).status == "approved"
    manager = client_of(verify.harness.url, SYSTEM_KEY).verify.v2.services(verify.sid)
    assert manager.verifications(sid).fetch().status == "approved"


def test_a_check_names_the_bound_of_the_number_where_that_ended_it(verify: Verify) -> None:
    verify.restart(LIMIT_WRONG_PER_NUMBER="2/day")
    verify.create_and_send()
    for _ in range(2):
        verify.check(verify.harness.wrong())
    assert refused(lambda: verify.check(verify.harness.wrong())) == (429, 60202)
    checked = dict(verify.last.headers)
    assert refused(verify.create) == (429, 60202)
    for name in ("Twilio-Reached-Rate-Limit", "Retry-After"):
        assert checked[name] == verify.last.headers[name]
    assert checked["Twilio-Reached-Rate-Limit"] == "LIMIT_WRONG_PER_NUMBER"
