"""Starts are refused where the code would arrive too late."""

from bot.channels.gateway import Report
from bot.domain.delivery import Delivery
from tests.harness import Harness

PHONES = [f"+1425555{number:04}" for number in range(200, 220)]


def refused(harness: Harness, phone: str) -> int:
    response = harness.post_start(phone)
    assert (response.status_code, response.json()["code"]) == (503, "queue_too_long")
    return int(response.headers["Retry-After"])


def report_sent(harness: Harness, id: str, delivery: Delivery = Delivery.SENT) -> None:
    text = harness.view(id).text
    harness.report(Report(text.id, text.sid, delivery, None, False, None, None))


def test_our_own_oldest_unsent_text_tells(harness: Harness) -> None:
    harness.start(PHONES[0])
    harness.clock.forward(45)
    harness.start(PHONES[1])
    harness.clock.forward(1)
    assert refused(harness, PHONES[2]) == 1
    harness.run_once()
    harness.start(PHONES[2])


def test_twilios_own_queue_tells_by_its_latest_reports(harness: Harness) -> None:
    ids = [harness.start(phone)["id"] for phone in PHONES[:6]]
    harness.run_once()
    harness.clock.forward(50)
    for id in ids[:5]:
        report_sent(harness, id)
        report_sent(harness, id, Delivery.DELIVERED)
    assert refused(harness, PHONES[7]) == 5
    harness.clock.forward(120)
    harness.start(PHONES[7])


def test_a_queue_that_nothing_joins_is_shorter_by_the_second(harness: Harness) -> None:
    """So a caller that obeys Retry-After is let in."""
    ids = [harness.start(phone)["id"] for phone in PHONES[:6]]
    harness.run_once()
    harness.clock.forward(70)
    for id in ids[:5]:
        report_sent(harness, id)
    wait = refused(harness, PHONES[7])
    assert wait == 25
    harness.clock.forward(wait)
    harness.start(PHONES[7])


def test_one_straggler_tells_nothing(harness: Harness) -> None:
    """Neither alone nor beside prompt ones, though their mean would be too long."""
    slow = harness.start_and_send(PHONES[0])["id"]
    harness.clock.forward(200)
    report_sent(harness, slow)
    for phone in PHONES[1:4]:
        report_sent(harness, harness.start_and_send(phone)["id"])
    harness.start(PHONES[5])


def test_failures_reported_late_tell_nothing(harness: Harness) -> None:
    """As many as would count if a carrier had taken them."""
    ids = [harness.start(phone)["id"] for phone in PHONES[:6]]
    harness.run_once()
    harness.clock.forward(70)
    for id in ids:
        report_sent(harness, id, Delivery.UNDELIVERED)
    harness.start(PHONES[7])


def test_a_text_that_is_tried_again_does_not_stop_the_others(harness: Harness) -> None:
    harness.simulator.faults.add("refuse", code=20429, times=1000, phone=PHONES[0])
    harness.start_and_send(PHONES[0])
    for _ in range(50):
        harness.forward(1)
    harness.start(PHONES[1])


def test_reports_that_waited_for_a_halted_process_tell_nothing_of_twilio(harness: Harness) -> None:
    """Though they are read before anything notices the halt. Texts accepted after it count."""
    ids = [harness.start(phone)["id"] for phone in PHONES[:5]]
    harness.run_once()
    harness.clock.forward(50)  # it stands still
    for id in ids[:4]:
        report_sent(harness, id)
    harness.store.outages.interrupted()
    report_sent(harness, ids[4])
    later = [harness.start(phone)["id"] for phone in PHONES[5:9]]
    harness.run_once()
    harness.clock.forward(50)
    for id in later:
        report_sent(harness, id)
    assert refused(harness, PHONES[9]) == 5


def test_reports_that_waited_for_a_restart_tell_nothing_of_twilio(harness: Harness) -> None:
    ids = [harness.start(phone)["id"] for phone in PHONES[:5]]
    harness.run_once()
    harness.clock.forward(50)
    harness.restart()
    for id in ids:
        report_sent(harness, id)
    harness.start(PHONES[5])
