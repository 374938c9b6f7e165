"""Many at once, on both databases; and a client that repeats what met a 5xx."""

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.base.exceptions import TwilioRestException

from bot.store.tx import OutcomeUnknown
from simulator.webhooks import Answer
from tests.harness import FUNCTION_KEY, PHONE, Harness
from tests.harness import harness as open_harness
from tests.verify.conftest import FORMS, Verify, refused

PATIENCE = 10
HEADERS = {
    "Authorization": "Basic " + b64encode(f"anyone:{FUNCTION_KEY}".encode()).decode(),
    "Content-Type": "application/x-www-form-urlencoded",
}
TRIES = 3  # of Twilio's Java client, a tenth of a second apart, whatever the method


@pytest.fixture
def verify(tmp_path: Path, database_url: str) -> Iterator[Verify]:
    with open_harness(tmp_path, DATABASE_URL=database_url, **FORMS) as harness:
        yield Verify(harness)


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """The result of each call; for a refusal, the exception of Twilio's client."""
    gate, found = Barrier(len(calls)), []

    def run(call: Callable[[], Any]) -> None:
        gate.wait()
        try:
            found.append(call())
        except TwilioRestException as error:
            found.append(error)

    threads = [Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(calls)
    return found


def wrong_codes(harness: Harness, count: int) -> list[str]:
    """Returns wrong codes, all different."""
    code = harness.code()
    size = 10 ** len(code)
    return [str((int(code) + n) % size).zfill(len(code)) for n in range(1, count + 1)]


def posted(verify: Verify, path: str, form: dict[str, str]) -> tuple[int, Any]:
    """Returns the status and the body. It has a connection of its own, and the standard library's
    client: a session of `requests` for each of hundreds costs more than the service does."""
    connection = HTTPConnection(verify.harness.url.removeprefix("http://"), timeout=60)
    try:
        connection.request("POST", f"/v2/Services/{verify.sid}{path}", urlencode(form), HEADERS)
        response = connection.getresponse()
        return response.status, json.load(response)
    finally:
        connection.close()


def asked(verify: Verify, path: str, form: dict[str, str]) -> tuple[int, Any]:
    """The same, and again where the database has no connection free for too many at once."""
    for _ in range(PATIENCE):
        status, body = posted(verify, path, form)
        if status != 503:
            break
        time.sleep(0.05)  # as a client does: at once, it would only be one of too many again
    return status, body


def checked(verify: Verify, code: str) -> tuple[int, str]:
    status, body = asked(verify, "/VerificationCheck", {"To": PHONE, "Code": code})
    return status, body.get("status" if status == 200 else "code")


def created(verify: Verify) -> Any:
    status, body = asked(verify, "/Verifications", {"To": PHONE, "Channel": "sms"})
    assert status == 201, body
    return body["sid"]


def test_a_hundred_creates_at_once_are_one_text(verify: Verify) -> None:
    (sid,) = set(at_once([lambda: created(verify)] * 100))
    verify.harness.run_once()
    assert len(verify.harness.texts()) == 1
    for texts in (2, 3, 4, 5):
        verify.harness.forward(15)
        assert set(at_once([lambda: created(verify)] * 10)) == {sid}
        verify.harness.run_once()
        assert len(verify.harness.texts()) == texts
    verify.harness.forward(15)
    assert refused(verify.create) == (429, 60203)
    verify.harness.run_once()
    assert len(verify.harness.texts()) == 5
    assert len(verify.fetch(sid).send_code_attempts) == 5
    assert verify.check(verify.harness.code()).status == "approved"


def test_wrong_checks_and_replies_at_once_are_five_attempts(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    id = sid.removeprefix("VE")
    wrongs = wrong_codes(verify.harness, 400)
    checks = [lambda code=code: checked(verify, code) for code in wrongs[:200]]
    replies = [lambda code=code: verify.harness.text(code) for code in wrongs[200:]]
    found = at_once([call for pair in zip(checks, replies, strict=True) for call in pair])
    answers = [answer for answer in found if isinstance(answer, tuple)]
    assert len(answers) == 200
    assert set(answers) <= {(200, "pending"), (429, 60202)}
    assert answers.count((200, "pending")) <= 5
    events = verify.harness.history(id)
    assert events.count("wrong_answer") == 5
    assert events.count("max_attempts_reached") == 1
    assert verify.harness.status(id)["customStatus"]["attemptsUsed"] == 5


def test_one_right_among_each_is_one_approval(verify: Verify) -> None:
    """All wrong ones are one attempt: the same code, directly after itself."""
    sid = verify.create_and_send().sid
    right, (wrong,) = verify.harness.code(), wrong_codes(verify.harness, 1)
    codes = [*[wrong] * 100, right, *[wrong] * 99]
    checks = [lambda code=code: checked(verify, code) for code in codes]
    replies = [lambda code=code: verify.harness.text(code) for code in codes]
    found = at_once([call for pair in zip(checks, replies, strict=True) for call in pair])
    answers = [answer for answer in found if isinstance(answer, tuple)]
    assert answers.count((200, "approved")) == 1
    assert set(answers) <= {(200, "approved"), (200, "pending"), (404, 20404)}
    events = verify.harness.history(sid.removeprefix("VE"))
    said = [answer.body for answer in found if isinstance(answer, Answer)]
    # Not if the right one came before all others.
    is_wrong_first = (200, "pending") in answers or any("not right" in body for body in said)
    assert (events.count("approved"), events.count("wrong_answer")) == (1, int(is_wrong_first))


def test_right_checks_and_replies_at_once_are_one_approval(verify: Verify) -> None:
    sid = verify.create_and_send().sid
    right = verify.harness.code()
    checks: list[Callable[[], Any]] = [lambda: checked(verify, right)] * 100
    replies: list[Callable[[], Any]] = [lambda: verify.harness.text(right)] * 100
    found = at_once([*checks, *replies])
    assert [answer for answer in found if isinstance(answer, tuple)] == [(200, "approved")] * 100
    assert verify.harness.history(sid.removeprefix("VE")).count("approved") == 1


def test_a_repeat_after_a_lost_answer_is_one_text(
    verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit happens, its answer is lost, and the client asks again, as Twilio's for Java."""
    store, write, lost = verify.harness.store, verify.harness.store.write, []

    def losing(*args: Any, **more: Any) -> Any:
        done = write(*args, **more)
        if len(lost) < TRIES - 1:
            lost.append(done)
            raise OutcomeUnknown("the connection was lost at COMMIT")
        return done

    monkeypatch.setattr(store, "write", losing)
    statuses = []
    for _ in range(TRIES):
        status, body = posted(verify, "/Verifications", {"To": PHONE, "Channel": "sms"})
        statuses.append(status)
        if status < 500:
            break
        verify.harness.clock.forward(0.1)
    assert statuses == [503, 503, 201]
    monkeypatch.undo()
    assert body["sid"] == f"VE{lost[0].id}"
    verify.harness.run_once()
    assert len(verify.harness.texts()) == 1


def test_a_repeated_check_whose_answer_was_lost_is_approved(
    verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify.create_and_send()
    code = verify.harness.code()
    store, write, lost = verify.harness.store, verify.harness.store.write, []

    def losing(*args: Any, **more: Any) -> Any:
        done = write(*args, **more)
        if not lost:
            lost.append(done)
            raise OutcomeUnknown("the connection was lost at COMMIT")
        return done

    monkeypatch.setattr(store, "write", losing)
    status, body = posted(verify, "/VerificationCheck", {"To": PHONE, "Code": code})
    assert (status, body["code"]) == (503, 20503)
    assert checked(verify, code) == (200, "approved")
