"""A NO that was missed, and sent before a newer start of its number."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from bot.store.tx import Done
from bot.usecases.claim import TextClaim, claim_due
from bot.usecases.send import hand_back, postponed
from simulator import faults
from tests.dispatch.missing import catch_up, missed
from tests.harness import INSTANCES, Harness

OTHER = "+14255550124"


def outcome(harness: Harness, id: str) -> tuple[str, str | None]:
    shown = harness.status(id)["customStatus"]
    return shown["status"], shown["cause"]


@pytest.fixture
def no_then_start(harness: Harness) -> Callable[..., tuple[str, str]]:
    def begin(
        said: str = "NO", *, between: Callable[[str], object] | None = None
    ) -> tuple[str, str]:
        harness.start_and_send(OTHER)  # so that Twilio's list is read from here on
        older = harness.start_and_send()["id"]
        harness.clock.forward(20)
        missed(harness, said)
        harness.clock.forward(5)
        if between is not None:
            between(older)
        return older, harness.start_and_send()["id"]

    return begin


@pytest.mark.parametrize("is_ended_first", [False, True])
def test_it_blocks_the_number_and_leaves_the_newer_one_alone(
    harness: Harness, no_then_start: Callable[..., tuple[str, str]], is_ended_first: bool
) -> None:
    def end(id: str) -> None:
        harness.call("POST", f"{INSTANCES}/{id}/terminate?reason=x")

    _, newer = no_then_start(between=end if is_ended_first else None)
    harness.clock.forward(7)
    catch_up(harness)
    assert outcome(harness, newer) == ("pending", None)
    refused = harness.post_start()
    assert (refused.status_code, refused.json()["code"]) == (409, "disowned")
    assert 23.9 * 3600 < int(refused.headers["Retry-After"]) < 24 * 3600  # from when it was sent
    harness.text(harness.code())
    assert outcome(harness, newer) == ("approved", "answered")
    harness.clock.forward(100)
    assert harness.post_start().status_code == 202, "the holder has asked for a code since"


def test_it_does_nothing_once_the_newer_one_is_approved(
    harness: Harness, no_then_start: Callable[..., tuple[str, str]]
) -> None:
    _, newer = no_then_start()
    harness.answer(newer, harness.code())
    catch_up(harness)
    assert outcome(harness, newer) == ("approved", "answered")
    assert harness.post_start().status_code == 202


def test_any_other_text_from_then_says_nothing_about_the_newer_one(
    harness: Harness, no_then_start: Callable[..., tuple[str, str]]
) -> None:
    _, newer = no_then_start("hello")
    catch_up(harness)
    assert outcome(harness, newer) == ("pending", None)


def test_nothing_more_is_texted_to_the_number(
    harness: Harness, no_then_start: Callable[..., tuple[str, str]]
) -> None:
    _, newer = no_then_start()
    harness.clock.forward(20)
    path = f"{INSTANCES}/{newer}/raiseEvent/ResendSmsChallenge"
    assert harness.call("POST", path, json={}).status_code == 202
    catch_up(harness)
    harness.run_once()
    assert len(harness.texts()) == 2
    assert outcome(harness, newer) == ("pending", None)


@pytest.mark.parametrize("is_tried", [False, True])
def test_a_newer_one_without_any_text_yet_ends(harness: Harness, is_tried: bool) -> None:
    harness.start_and_send(OTHER)
    harness.start_and_send()
    harness.clock.forward(20)
    missed(harness, "NO")
    harness.clock.forward(5)
    if is_tried:
        harness.simulator.faults.add(faults.REFUSE, code=20429)
    newer = harness.start()["id"]
    if is_tried:
        harness.run_once()  # put off
    catch_up(harness)
    harness.forward(31)
    assert len(harness.texts()) == 1
    assert outcome(harness, newer) == ("canceled", "disowned")


def test_it_blocks_the_number_though_the_newer_one_is_over(
    harness: Harness, no_then_start: Callable[..., tuple[str, str]]
) -> None:
    _, newer = no_then_start()
    harness.call("POST", f"{INSTANCES}/{newer}/terminate?reason=x")
    catch_up(harness)
    assert outcome(harness, newer) == ("canceled", "terminated")
    assert harness.post_start().json()["code"] == "disowned"


def starts(harness: Harness) -> None:
    harness.text("START")


def misses_a_start(harness: Harness) -> None:
    missed(harness, "START")


def verifies(harness: Harness) -> None:
    harness.start_and_send()
    harness.text(harness.code())


@pytest.mark.parametrize("between", [starts, misses_a_start, verifies])
def test_it_does_nothing_if_the_number_has_texted_start_or_was_verified_since(
    harness: Harness,
    no_then_start: Callable[..., tuple[str, str]],
    between: Callable[[Harness], None],
) -> None:
    no_then_start(between=lambda _: between(harness))
    catch_up(harness)
    assert harness.post_start().status_code == 202


def test_it_does_nothing_to_one_that_was_approved_before(
    harness: Harness,
) -> None:
    harness.answer(harness.start_and_send()["id"], harness.code())
    harness.clock.forward(5)
    missed(harness, "NO")
    harness.clock.forward(5)
    harness.start_and_send()
    harness.start_and_send(OTHER)
    catch_up(harness)
    assert harness.post_start().status_code == 202


def begin(harness: Harness) -> None:
    harness.start_and_send(OTHER)
    harness.start_and_send()
    harness.clock.forward(20)
    missed(harness, "NO")
    harness.clock.forward(5)


def send_on(harness: Harness) -> None:
    for _ in range(12):
        harness.forward(5)


def test_a_text_that_twilio_never_got_is_not_sent_after_it(harness: Harness) -> None:
    begin(harness)
    harness.simulator.faults.add(faults.ERROR_BEFORE)
    newer = harness.start()["id"]
    harness.run_once()  # it is not known whether Twilio has it
    catch_up(harness)
    send_on(harness)
    assert len(harness.texts()) == 1
    assert outcome(harness, newer) == ("canceled", "disowned")


def claimed(harness: Harness) -> TextClaim:
    rules, lease = harness.service.rules, timedelta(seconds=30)
    asked_at = time.monotonic()
    (claim,) = harness.store.write(claim_due, lease=lease, limit=10, rules=rules, asked_at=asked_at)
    return claim


@pytest.mark.parametrize(
    "give_back", [partial(postponed, delay=timedelta(seconds=2), code=20429), hand_back]
)
def test_nor_is_one_that_was_being_sent_and_is_put_off(
    harness: Harness, give_back: Callable[..., Done[None]]
) -> None:
    begin(harness)
    newer = harness.start()["id"]
    claim = claimed(harness)
    catch_up(harness)
    harness.store.write(give_back, claim)
    send_on(harness)
    assert len(harness.texts()) == 1
    assert outcome(harness, newer) == ("canceled", "disowned")


def test_one_whose_only_text_did_not_arrive_ends(harness: Harness) -> None:
    """A further one was queued, and is withdrawn."""
    begin(harness)
    newer = harness.start_and_send()["id"]
    harness.clock.forward(20)
    path = f"{INSTANCES}/{newer}/raiseEvent/ResendSmsChallenge"
    assert harness.call("POST", path, json={}).status_code == 202
    harness.simulator.webhooks.post_report(harness.texts()[-1], "failed", 30003)
    assert outcome(harness, newer) == ("pending", None)
    catch_up(harness)
    assert outcome(harness, newer) == ("canceled", "disowned")


def test_a_report_of_an_older_text_leaves_one_alone_whose_text_is_being_sent(
    harness: Harness,
) -> None:
    harness.start_and_send()
    harness.clock.forward(20)
    harness.text("STOP")
    harness.text("START")
    newer = harness.start()["id"]
    claimed(harness)
    harness.simulator.webhooks.post_report(harness.texts()[0], "undelivered", 21610)
    assert (outcome(harness, newer), harness.opt_outs(5)) == (("pending", None), [])
