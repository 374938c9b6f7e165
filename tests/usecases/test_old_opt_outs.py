"""Opt-outs that no longer hold, or that Textback hears of late: through a start that tests one, or
through a report of an older text."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.faces.durable.payloads import BASE_PATH
from bot.store.tx import Done
from tests.dispatch.missing import catch_up, missed
from tests.harness import FUNCTION_KEY, INSTANCES, PHONE, Harness

OTHER = "+14255550124"


def outcome(harness: Harness, id: str) -> tuple[str, str | None]:
    shown: dict[str, Any] = harness.status(id)["customStatus"]
    return shown["status"], shown["cause"]


def resend(harness: Harness, id: str) -> int:
    path = f"{BASE_PATH}/instances/{id}/raiseEvent/ResendSmsChallenge"
    return int(harness.call("POST", path, json={}).status_code)


@pytest.fixture
def tested(harness: Harness) -> str:
    """A start that tests an opt-out of yesterday, whose START was missed."""
    harness.text("STOP")
    missed(harness, "START")
    harness.clock.forward(25 * 3600)
    return str(harness.start_and_send()["id"])


def by_text(harness: Harness, id: str) -> None:
    harness.text(harness.code())


def by_text_while_suspended(harness: Harness, id: str) -> None:
    assert harness.call("POST", f"{INSTANCES}/{id}/suspend").status_code == 202
    harness.text(harness.code())
    assert harness.call("POST", f"{INSTANCES}/{id}/resume").status_code == 202


def by_event(harness: Harness, id: str) -> None:
    harness.answer(id, harness.code())


def by_check(harness: Harness, id: str) -> None:
    url = f"{harness.url}/v2/Services/{harness.settings.service_sid}/VerificationCheck"
    form = {"To": PHONE, "Code": harness.code()}
    assert harness.http.post(url, form, auth=("", FUNCTION_KEY), timeout=20).json()["valid"]


@pytest.mark.parametrize("answer", [by_text, by_text_while_suspended, by_event, by_check])
def test_a_right_answer_disproves_an_old_opt_out(
    harness: Harness, tested: str, answer: Callable[[Harness, str], None]
) -> None:
    answer(harness, tested)
    assert outcome(harness, tested) == ("approved", "answered")
    harness.clock.forward(100)
    assert harness.post_start().status_code == 202


def test_a_wrong_answer_does_not(harness: Harness, tested: str) -> None:
    harness.answer(tested, harness.wrong())
    harness.clock.forward(100)
    assert harness.post_start().status_code == 409


def test_the_text_of_a_start_that_tests_an_opt_out_can_be_sent_again(
    harness: Harness, tested: str
) -> None:
    harness.clock.forward(20)
    assert resend(harness, tested) == 202
    harness.run_once()
    assert len(harness.texts()) == 2
    harness.text("STOP")  # it still holds
    assert resend(harness, tested) == 410
    assert harness.post_start().status_code == 409


def test_a_number_marked_by_an_older_text_gets_no_further_one(harness: Harness) -> None:
    older = harness.start_and_send()["id"]
    harness.clock.forward(20)
    newer = harness.start()["id"]
    harness.simulator.webhooks.post_report(harness.texts()[-1], "failed", 21610)
    harness.run_once()
    assert len(harness.texts()) == 1
    assert outcome(harness, newer) == ("canceled", "opted_out")
    assert outcome(harness, older) == ("canceled", "superseded")
    assert harness.post_start().json()["code"] == "opted_out"


def test_not_if_twilio_has_taken_a_text_since(harness: Harness) -> None:
    """Then the number has texted START in between."""
    harness.start_and_send()
    harness.clock.forward(20)
    newer = harness.start_and_send()["id"]
    harness.simulator.webhooks.post_report(harness.texts()[0], "failed", 21610)
    harness.text(harness.code())
    assert outcome(harness, newer) == ("approved", "answered")
    harness.clock.forward(100)
    assert harness.post_start().status_code == 202


def test_a_stop_to_our_former_number_is_none_to_the_present_one(harness: Harness) -> None:
    harness.start_and_send()
    former = harness.texts()[-1]
    harness.clock.forward(20)
    world = harness.simulator.world
    world.number = replace(world.number, phone="+14255550199")
    harness.restart(TWILIO_PHONE_NUMBER="+14255550199")
    newer = harness.start()["id"]
    harness.simulator.webhooks.post_report(former, "undelivered", 21610)
    assert outcome(harness, newer) == ("pending", None)
    assert harness.opt_outs(5) == []
    assert harness.post_start().status_code == 202


def test_a_report_beside_a_row_that_cannot_be_read_marks_too(harness: Harness) -> None:
    harness.start_and_send()
    harness.clock.forward(20)
    newer = harness.start()["id"]
    sql = "UPDATE verification SET created_at = 'x' WHERE id = :id"
    harness.store.write(lambda tx: Done(tx.run(sql, id=newer)))
    harness.simulator.webhooks.post_report(harness.texts()[0], "failed", 21610)
    assert len(harness.opt_outs(5)) == 1


# -- a NO that was missed and sent before a newer start --------------------------------------------


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
def test_it_blocks_the_number_and_ends_the_newer_one(
    harness: Harness, no_then_start: Callable[..., tuple[str, str]], is_ended_first: bool
) -> None:
    def end(id: str) -> None:
        harness.call("POST", f"{INSTANCES}/{id}/terminate?reason=x")

    _, newer = no_then_start(between=end if is_ended_first else None)
    harness.clock.forward(7)
    catch_up(harness)
    view = harness.view(newer)
    assert view.verification.outcome.at == view.updated_at == harness.clock.now
    assert outcome(harness, newer) == ("canceled", "disowned")
    refused = harness.post_start()
    assert (refused.status_code, refused.json()["code"]) == (409, "disowned")
    assert 23.9 * 3600 < int(refused.headers["Retry-After"]) <= 24 * 3600


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
    _, newer = no_then_start(between=lambda _: between(harness))
    catch_up(harness)
    assert outcome(harness, newer) == ("pending", None)


def test_it_does_nothing_to_one_that_was_approved_before(
    harness: Harness,
) -> None:
    harness.answer(harness.start_and_send()["id"], harness.code())
    harness.clock.forward(5)
    missed(harness, "NO")
    harness.clock.forward(5)
    newer = harness.start_and_send()["id"]
    harness.start_and_send(OTHER)
    catch_up(harness)
    assert outcome(harness, newer) == ("pending", None)
