"""Every text left at Twilio is erased, and duties wait for Twilio each by itself."""

import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.dispatch import credentials, erase
from bot.usecases.claim import due_ids
from simulator import faults
from tests.harness import ACCOUNT, PHONE, Harness
from tests.harness import harness as open_harness
from tests.odd_cases.phones import OTHER
from tests.sms.webhooks import report, signed

# -- duties wait for Twilio each by itself ---------------------------------------------------------


def test_the_probe_does_not_wait_behind_erasures(tmp_path: Path) -> None:
    with open_harness(tmp_path, ERASE_AT_TWILIO="yes") as harness:
        harness.dispatcher.start()
        threads = {thread.name for thread in threading.enumerate()}
        assert {"credentials", "erase", "count", "sweep"} <= threads, "each in a thread of its own"


def test_nothing_is_erased_while_twilio_does_not_know_us(tmp_path: Path) -> None:
    """Each would fail, and its tries are few."""
    with open_harness(tmp_path, ERASE_AT_TWILIO="yes") as harness:
        harness.start_and_send()
        harness.simulator.faults.add(faults.REFUSE, code=20003)
        harness.start_and_send(OTHER)
        harness.text(harness.code())
        assert (
            erase.run_once(harness.store, harness.service.gateway, harness.service.rules, math.inf)
            == 0
        )
        harness.clock.forward(10)
        credentials.run_once(harness.store, harness.service.gateway, harness.service.rules)
        assert (
            erase.run_once(harness.store, harness.service.gateway, harness.service.rules, math.inf)
            == 2
        )


# -- texts left at Twilio --------------------------------------------------------------------------


@pytest.fixture
def erasing(tmp_path: Path) -> Iterator[Harness]:
    with open_harness(tmp_path, ERASE_AT_TWILIO="yes") as harness:
        yield harness


def delivered(harness: Harness) -> None:
    """Twilio empties only what is no longer on its way."""
    for message in harness.simulator.world.messages():
        if message.direction == "outbound-api":
            harness.simulator.world.set_status(message.sid, "delivered")


def deliver_all(harness: Harness) -> None:
    delivered(harness)
    harness.clock.forward(61)
    erase.run_once(harness.store, harness.service.gateway, harness.service.rules, math.inf)


def erased_at_twilio(harness: Harness) -> None:
    deliver_all(harness)
    left = [m for m in harness.simulator.world.messages() if not m.is_erased]
    assert [m for m in left if m.direction in ("outbound-api", "inbound")] == []


def test_a_text_accepted_after_its_number_was_forgotten_is_erased(erasing: Harness) -> None:
    send = erasing.simulator.webhooks.report

    def forgotten_meanwhile(message: Any) -> Any:
        erasing.forget(PHONE)
        return send(message)

    erasing.simulator.webhooks.report = forgotten_meanwhile
    erasing.start_and_send()
    assert len(erasing.texts()) == 1
    erased_at_twilio(erasing)


def test_a_text_that_only_a_report_tells_of_is_erased(erasing: Harness) -> None:
    """The process died with Twilio's answer, and the number was forgotten."""
    erasing.simulator.faults.add(faults.ERROR_AFTER)
    erasing.simulator.faults.add(faults.LIST_ERROR, times=50)
    id = erasing.start_and_send()["id"]
    text_id = erasing.view(id).text.id
    erasing.forget(PHONE)
    form = {
        "MessageSid": erasing.texts()[0].sid,
        "AccountSid": ACCOUNT.sid,
        "MessageStatus": "delivered",
    }
    assert signed(erasing, f"/twilio/status/{text_id}", form).status_code == 204
    erased_at_twilio(erasing)


def test_the_reply_is_erased_too_and_a_late_one(erasing: Harness) -> None:
    erasing.start_and_send()
    code = erasing.code()
    erasing.text(erasing.wrong())
    erasing.text(code)
    erasing.text(code)
    erased_at_twilio(erasing)


def test_a_code_that_comes_after_all_was_forgotten_is_erased(erasing: Harness) -> None:
    erasing.start_and_send()
    code = erasing.code()
    erasing.forget(PHONE)
    erasing.text(code)
    erased_at_twilio(erasing)


@pytest.mark.parametrize("how", ["terminate", "STOP", "NO", "supersede", "expire"])
def test_a_text_of_unknown_outcome_is_found_and_erased_after_the_end(
    erasing: Harness, how: str
) -> None:
    erasing.simulator.faults.add(faults.ERROR_AFTER)
    id = erasing.start()["id"]
    erasing.dispatcher.send.run_once()
    assert erasing.view(id).text.state == "unknown"
    if how == "terminate":
        erasing.terminate(id, None)
    elif how == "supersede":
        erasing.start()
    elif how == "expire":
        erasing.simulator.faults.add(faults.LIST_ERROR, times=100)
        for _ in range(16):
            erasing.forward(10)
        erasing.simulator.faults.clear()
        erasing.simulator.faults.add(faults.REPORTS_NEVER, times=1000)
    else:
        erasing.text(how)
    assert erasing.status(id)["customStatus"]["status"] != "pending"
    delivered(erasing)
    for _ in range(6):
        erasing.forward(60)
    deliver_all(erasing)
    assert erasing.texts()[0].is_erased


def test_texts_that_are_looked_up_after_the_end_hold_up_no_other(tmp_path: Path) -> None:
    """Twilio's list hangs: each look takes as long as a call may."""
    with open_harness(tmp_path, ERASE_AT_TWILIO="yes", SEND_CONCURRENCY="4") as harness:
        harness.simulator.faults.add(faults.ERROR_AFTER, times=20)
        harness.simulator.faults.add(faults.LIST_ERROR, times=10**6)
        for number in range(20):
            harness.start(f"+1425555{1000 + number}")
        harness.run_once()
        for _ in range(20):
            harness.forward(10)
        send = harness.dispatcher.send
        harness.clock.forward(6)
        harness.start()
        claims = send.claim(4)
        assert sum(claim.is_after_end for claim in claims) <= 1
        harness.clock.forward(8)
        for claim in claims:
            send.carry_out(claim)
        for claim in send.claim(4):
            send.carry_out(claim)
        assert len(harness.texts()) == 1
        harness.clock.forward(600)
        looked = 0
        while claims := send.claim(64):
            looked += len(claims)
            for claim in claims:
                send.carry_out(claim)
            harness.clock.forward(30)
            assert looked < 200


def end_with_unknown_outcome(erasing: Harness, count: int) -> list[str]:
    """Ends verifications of whose texts nobody knows whether Twilio has them."""
    erasing.simulator.faults.add(faults.ERROR_AFTER, times=count)
    ids = [erasing.start(f"+1425555{1000 + number}")["id"] for number in range(count)]
    erasing.dispatcher.send.run_once()
    for id in ids:
        erasing.terminate(id, None)
    return ids


def test_one_text_at_a_time_is_looked_up_after_the_end(erasing: Harness) -> None:
    end_with_unknown_outcome(erasing, 3)
    send = erasing.dispatcher.send
    erasing.clock.forward(60)
    (claim,) = send.claim(64)
    assert claim.is_after_end
    erasing.clock.forward(120)
    assert send.claim(64) == [], "while the first look takes its time"
    send.carry_out(claim)
    erasing.clock.forward(120)
    assert len(send.claim(64)) == 1


def test_a_text_is_looked_up_for_a_day_after_the_end(erasing: Harness) -> None:
    end_with_unknown_outcome(erasing, 1)
    erasing.simulator.faults.add(faults.LIST_ERROR)
    send = erasing.dispatcher.send
    erasing.clock.forward(86_399)
    (claim,) = send.claim(64)
    send.carry_out(claim)
    erasing.clock.forward(86_400)
    assert erasing.store.read(due_ids, limit=10) == [claim.text_id]
    assert send.claim(64) == []
    assert erasing.store.read(due_ids, limit=10) == []


def test_a_report_that_names_a_text_after_the_end_lets_it_be_erased(erasing: Harness) -> None:
    (id,) = end_with_unknown_outcome(erasing, 1)
    erasing.simulator.faults.add(faults.LIST_ERROR, times=50)
    (sent,) = erasing.simulator.world.messages()
    assert report(erasing, id, "delivered", sid=sent.sid).status_code == 204
    erased_at_twilio(erasing)


@pytest.mark.parametrize(
    "body",
    ["{code} or 1111", "{code}, call 5551", "my code:{code}/4", "stop {code}", "{code} STOP"]
    + ["Loved “{text}”", "\u200a\u200b👍\u200b to “\u200a{text}\u200a”", "no {code}"],
)
def test_every_reply_that_holds_a_forgotten_code_is_erased(erasing: Harness, body: str) -> None:
    erasing.start_and_send()
    code, text = erasing.code(), erasing.texts()[-1].body
    erasing.forget(PHONE)
    erasing.text(body.format(code=code, text=text))
    erased_at_twilio(erasing)


def test_a_reply_that_is_too_long_to_be_read_is_erased(erasing: Harness) -> None:
    erasing.start_and_send()
    erasing.text(f"{'x ' * 900}{erasing.code()}")
    erasing.forget(PHONE)
    erased_at_twilio(erasing)


def test_texts_of_strangers_and_keywords_are_left_alone(erasing: Harness) -> None:
    erasing.text("hello, is this the pizza place?")
    erasing.text("STOP")
    erase.run_once(erasing.store, erasing.service.gateway, erasing.service.rules, math.inf)
    found = erasing.simulator.world.of_phone(PHONE)
    assert [m.is_erased for m in found if m.direction == "inbound"] == [False, False]
