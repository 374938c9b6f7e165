"""Opt-outs that no longer hold, or that Textback hears of late: through a start that tests one, or
through a report of an older text."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.faces.durable.payloads import BASE_PATH
from bot.store.tx import Done
from simulator import faults
from tests.dispatch.missing import missed
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


def test_a_refusal_of_an_older_text_ends_the_newer_one_too(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was with Twilio while the newer one began."""
    gateway, newer = harness.service.gateway, []
    send = gateway.send

    def starts_meanwhile(*args: Any, **more: Any) -> Any:
        if not newer:
            newer.append(harness.start()["id"])
        return send(*args, **more)

    monkeypatch.setattr(gateway, "send", starts_meanwhile)
    harness.simulator.faults.add(faults.REFUSE, code=21610)
    harness.start()
    harness.run_once()
    assert harness.texts() == []
    assert outcome(harness, newer[0]) == ("canceled", "opted_out")
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
    harness.run_once()  # taken from the present one, which says nothing of the former
    harness.simulator.webhooks.post_report(former, "failed", 21610)
    sql = "SELECT DISTINCT from_address FROM opt_out"
    assert harness.store.read(lambda tx: [row["from_address"] for row in tx.all(sql)]) == [
        "+14255550100"
    ]
    assert harness.post_start().status_code == 202


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE verification SET created_at = 'x' WHERE id = :id",
        "UPDATE outbox SET queued_at = 'x' WHERE verification_id = :id",
    ],
)
def test_a_report_beside_a_row_that_cannot_be_read_marks_too(harness: Harness, sql: str) -> None:
    harness.start_and_send()
    harness.clock.forward(20)
    newer = harness.start()["id"]
    harness.store.write(lambda tx: Done(tx.run(sql, id=newer)))
    harness.simulator.webhooks.post_report(harness.texts()[0], "failed", 21610)
    assert len(harness.opt_outs(5)) == 1
