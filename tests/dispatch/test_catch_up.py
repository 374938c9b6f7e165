"""Texts that met a dead server."""

import pytest

from bot.channels.gateway import LookFailed
from bot.dispatch import catch_up
from bot.settings import Settings
from simulator import faults
from tests.desk import Desk


def missed(desk: Desk, body: str) -> None:
    desk.simulator.faults.add(faults.WEBHOOK_NEVER)
    desk.text(body)


def run(desk: Desk) -> int:
    return catch_up.run_once(desk.verifications, desk.dispatcher._gateway)


def test_a_missed_right_answer_counts_as_of_when_it_was_sent(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    desk.clock.forward(60)
    missed(desk, desk.code())
    desk.clock.forward(600)
    run(desk)
    desk.run_once()
    assert desk.status(id)["output"] is True


def test_a_missed_answer_that_was_too_late_stays_too_late(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    desk.clock.forward(95)
    missed(desk, desk.code())
    desk.clock.forward(600)
    run(desk)
    assert desk.status(id)["customStatus"]["status"] == "expired"


def test_what_was_seen_before_counts_once(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    desk.text(desk.wrong())
    missed(desk, desk.wrong())
    desk.clock.forward(5)
    for _ in range(3):
        run(desk)
    assert desk.status(id)["customStatus"]["attemptsUsed"] == 2


def test_missed_ones_are_judged_in_the_order_they_were_sent(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    for _ in range(4):
        desk.clock.forward(1)
        missed(desk, desk.wrong())
    desk.clock.forward(1)
    missed(desk, desk.code())
    run(desk)
    assert desk.status(id)["customStatus"]["status"] == "max_attempts_reached"


def test_a_missed_stop_is_obeyed(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    missed(desk, "STOP")
    run(desk)
    assert desk.status(id)["output"] == "opted_out"


def test_an_answer_older_than_the_verification_was_meant_for_another(desk: Desk) -> None:
    desk.start_and_send("+14255550199")  # so that the list is read from before
    desk.clock.forward(10)
    missed(desk, "1111")
    desk.clock.forward(10)
    id = desk.start_and_send()["id"]
    run(desk)
    assert desk.status(id)["customStatus"]["attemptsUsed"] == 0


def test_nothing_pending_asks_nothing(desk: Desk) -> None:
    missed(desk, "1234")
    assert run(desk) == 0


def test_life_goes_on_without_the_list(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    desk.simulator.faults.add(faults.LIST_ERROR)
    with pytest.raises(LookFailed):
        run(desk)
    desk.text(desk.code())
    assert desk.status(id)["output"] is True


def test_many_missed_texts_are_read_page_by_page(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    world = desk.simulator.world
    missed(desk, desk.code())
    for number in range(1200):
        world.inbound(sender=f"+1425666{number:04}", body="hello")
    assert run(desk) == 1201
    assert desk.status(id)["output"] is True
    assert isinstance(desk.settings, Settings)
