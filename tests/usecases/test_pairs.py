"""Two use cases at one moment, on both databases: one waits where the other has read."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from bot.store import disowns, usage
from tests.dispatch.missing import catch_up, missed
from tests.harness import INSTANCES, Harness
from tests.harness import harness as open_harness
from tests.verify.conftest import FORMS, Verify, refused

# Seconds for the other one; on SQLite, where it cannot get on, they pass.
MEETING = 0.3


@pytest.fixture
def harness(tmp_path: Path, database_url: str) -> Iterator[Harness]:
    bounds = {"LIMIT_WRONG_PER_NUMBER": "7/day"}
    with open_harness(tmp_path, DATABASE_URL=database_url, **FORMS, **bounds) as made:
        yield made


def begin_together(calls: list[Callable[[], object]]) -> None:
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def wrong_answers(harness: Harness) -> int:
    sql = "SELECT count(*) AS n FROM usage WHERE kind = 'wrong'"
    counted: int = harness.store.read(lambda tx: tx.one(sql))["n"]
    return counted


def test_a_check_after_an_approval_and_a_wrong_reply_keep_the_bound_of_the_day(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = Verify(harness)
    older = verify.create_and_send()
    for _ in range(3):
        verify.check(harness.wrong())
    right = harness.code()
    harness.text(right)
    newer = verify.create_and_send()
    for _ in range(2):
        verify.check(harness.wrong(), None, verification_sid=newer.sid)
    read, meeting = usage.wrong_left, Barrier(2)

    def wrong_left(*args: Any, **more: Any) -> Any:
        left = read(*args, **more)
        with suppress(BrokenBarrierError):
            meeting.wait(MEETING)
        return left

    monkeypatch.setattr(usage, "wrong_left", wrong_left)
    other = str((int(right) + 77) % 10**6).zfill(6)
    check = partial(verify.check, other, None, verification_sid=older.sid)
    begin_together([lambda: refused(check), lambda: harness.text(harness.wrong())])
    monkeypatch.undo()
    with suppress(TwilioRestException):  # it has ended already if the check came first
        verify.check(harness.wrong(), None, verification_sid=newer.sid)
    assert wrong_answers(harness) == 7
    assert refused(lambda: verify.check(harness.wrong(), None, verification_sid=newer.sid))


def texts_no(harness: Harness) -> None:
    harness.text("NO")


@pytest.mark.parametrize("say_no", [texts_no, catch_up])
def test_a_start_beside_a_no_texts_nothing(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, say_no: Callable[[Harness], object]
) -> None:
    """The start has seen no block when the NO is judged, which does not see the new row."""
    harness.start_and_send("+14255550124")  # so that Twilio's list is read
    older = harness.start_and_send()["id"]
    harness.call("POST", f"{INSTANCES}/{older}/terminate?reason=x")
    harness.clock.forward(20)
    if say_no is catch_up:
        missed(harness, "NO")
    harness.clock.forward(5)
    read, says_no = disowns.ends_at, Thread(target=say_no, args=(harness,))

    def ends_at(*args: Any) -> Any:
        found = read(*args)
        if says_no.ident is None:
            says_no.start()
            says_no.join(MEETING)
        return found

    monkeypatch.setattr(disowns, "ends_at", ends_at)
    harness.post_start()
    says_no.join()
    monkeypatch.undo()
    harness.run_once()
    assert len(harness.texts()) == 1  # the older one
    assert harness.post_start().json()["code"] == "disowned"
