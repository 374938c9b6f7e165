"""Erasing Twilio's copies of texts after their verification has ended, if configured."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.dispatch import erase
from simulator import faults
from simulator.world import Message
from tests.harness import PHONE, Harness
from tests.harness import harness as open_harness


@pytest.fixture
def erasing(tmp_path: Path) -> Iterator[Harness]:
    with open_harness(tmp_path, ERASE_AT_TWILIO="yes") as harness:
        yield harness


def delivered(harness: Harness) -> None:
    for text in harness.texts():
        harness.simulator.world.set_status(text.sid, "delivered")


def replies(harness: Harness) -> list[Message]:
    """The texts of the phone, as Twilio has them."""
    found = harness.simulator.world.of_phone(PHONE)
    return [message for message in found if message.direction == "inbound"]


def run(harness: Harness) -> int:
    return erase.run_once(harness.store, harness.service.gateway, harness.service.rules, math.inf)


def test_a_text_is_erased_when_its_verification_is_over_and_not_before(erasing: Harness) -> None:
    erasing.start_and_send()
    delivered(erasing)
    assert run(erasing) == 0
    erasing.text(erasing.code())
    assert run(erasing) == 2
    assert [text.is_erased for text in erasing.texts()] == [True]
    assert [reply.is_erased for reply in replies(erasing)] == [True]
    assert run(erasing) == 0


def test_one_that_is_still_on_its_way_is_tried_again(erasing: Harness) -> None:
    erasing.start_and_send()
    erasing.text(erasing.code())
    assert run(erasing) == 2
    assert not erasing.texts()[0].is_erased
    assert replies(erasing)[0].is_erased
    assert run(erasing) == 0
    delivered(erasing)
    erasing.clock.forward(60)
    assert run(erasing) == 1
    assert erasing.texts()[0].is_erased


def test_one_that_twilio_was_found_to_have_after_the_end_is_erased_too(erasing: Harness) -> None:
    send = erasing.simulator.webhooks.report

    def answer_at_once(message):
        erasing.text(erasing.code())
        return send(message)

    erasing.simulator.webhooks.report = answer_at_once
    erasing.start_and_send()
    delivered(erasing)
    erasing.clock.forward(60)
    assert run(erasing) == 1
    assert erasing.texts()[0].is_erased


def test_by_default_nothing_is_erased(harness: Harness) -> None:
    harness.start_and_send()
    delivered(harness)
    harness.text(harness.code())
    assert run(harness) == 0
    assert not harness.texts()[0].is_erased


def test_one_that_was_never_sent_has_nothing_to_erase(erasing: Harness) -> None:
    erasing.simulator.faults.add(faults.REFUSE, code=21614)
    erasing.start_and_send()
    assert run(erasing) == 0


def test_forgetting_a_number_does_not_forget_to_erase(erasing: Harness) -> None:
    erasing.start_and_send()
    delivered(erasing)
    erasing.forget("+14255550123")
    assert run(erasing) == 1
    assert erasing.texts()[0].is_erased


def test_what_twilio_never_erases_is_given_up(erasing: Harness) -> None:
    erasing.start_and_send()
    erasing.text(erasing.code())
    for _ in range(40):
        run(erasing)
        erasing.clock.forward(3600)
    assert run(erasing) == 0
