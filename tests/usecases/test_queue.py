"""Starts are refused where the code would arrive too late."""

from bot.usecases.delivery import Report
from tests.desk import Desk

PHONES = [f"+1425555{number:04}" for number in range(200, 220)]


def refused(desk: Desk, phone: str) -> int:
    response = desk.post_start(phone)
    assert (response.status_code, response.json()["code"]) == (503, "queue_too_long")
    return int(response.headers["Retry-After"])


def report_sent(desk: Desk, id: str, delivery: str = "sent") -> None:
    text = desk.verifications.view(id).text
    desk.verifications.report(
        Report(text.id, text.sid, delivery, None, False, False, None, desk.settings.sender)
    )


def test_our_own_oldest_unsent_text_tells(desk: Desk) -> None:
    desk.start(PHONES[0])
    desk.clock.forward(45)
    desk.start(PHONES[1])
    desk.clock.forward(1)
    assert refused(desk, PHONES[2]) == 1
    desk.run_once()
    desk.start(PHONES[2])


def test_twilios_own_queue_tells_by_its_latest_reports(desk: Desk) -> None:
    ids = [desk.start(phone)["id"] for phone in PHONES[:6]]
    desk.run_once()
    desk.clock.forward(50)
    for id in ids[:5]:
        report_sent(desk, id)
        report_sent(desk, id, "delivered")
    assert refused(desk, PHONES[7]) == 5
    desk.clock.forward(120)
    desk.start(PHONES[7])


def test_one_straggler_tells_nothing(desk: Desk) -> None:
    slow = desk.start_and_send(PHONES[0])["id"]
    desk.clock.forward(80)
    for phone in PHONES[1:4]:
        report_sent(desk, desk.start_and_send(phone)["id"])
    report_sent(desk, slow)
    desk.start(PHONES[5])


def test_a_failure_reported_late_tells_nothing(desk: Desk) -> None:
    id = desk.start_and_send(PHONES[0])["id"]
    desk.clock.forward(70)
    report_sent(desk, id, "undelivered")
    desk.start(PHONES[1])


def test_a_text_that_is_tried_again_does_not_stop_the_others(desk: Desk) -> None:
    desk.simulator.faults.add("refuse", code=20429, times=1000, phone=PHONES[0])
    desk.start_and_send(PHONES[0])
    for _ in range(50):
        desk.forward(1)
    desk.start(PHONES[1])
