"""Makes a verification in each view, by the steps that lead there in practice."""

from collections.abc import Callable
from datetime import timedelta

from simulator import faults
from tests.harness import INSTANCES, PHONE, Harness

Make = Callable[[Harness, str], str]


def waiting(harness: Harness, phone: str = PHONE) -> str:
    return str(harness.start(phone)["id"])


def unknown(harness: Harness, phone: str = PHONE) -> str:
    harness.simulator.faults.add(faults.ERROR_BEFORE, phone=phone)
    harness.simulator.faults.add(faults.LIST_ERROR, phone=phone, times=50)
    return sent(harness, phone)


def sent(harness: Harness, phone: str = PHONE) -> str:
    return str(harness.start_and_send(phone)["id"])


def running(harness: Harness, phone: str = PHONE) -> str:
    id = sent(harness, phone)
    harness.text(harness.wrong(phone), phone)
    harness.text("what is this?", phone)
    return id


def suspended(harness: Harness, phone: str = PHONE) -> str:
    id = running(harness, phone)
    harness.call("POST", f"{INSTANCES}/{id}/suspend", params={"reason": "a lunch break"})
    return id


def approved(harness: Harness, phone: str = PHONE) -> str:
    id = running(harness, phone)
    harness.clock.forward(11)
    harness.text(harness.code(phone), phone)
    return id


def expired(harness: Harness, phone: str = PHONE) -> str:
    id = sent(harness, phone)
    harness.simulator.webhooks.post_report(harness.texts(phone)[-1], "delivered")
    harness.forward(90)
    return id


def out_of_tries(harness: Harness, phone: str = PHONE) -> str:
    id = sent(harness, phone)
    for _ in range(4):
        harness.text(harness.wrong(phone), phone)
    return id


def canceled(harness: Harness, phone: str = PHONE) -> str:
    id = sent(harness, phone)
    harness.call("POST", f"{INSTANCES}/{id}/terminate", params={"reason": "the form was closed"})
    return id


def opted_out(harness: Harness, phone: str = PHONE) -> str:
    id = sent(harness, phone)
    harness.text("STOP", phone)
    return id


def refused(harness: Harness, phone: str = PHONE) -> str:
    harness.simulator.faults.add(faults.REFUSE, phone=phone, code=21614)
    return sent(harness, phone)


def undelivered(harness: Harness, phone: str = PHONE) -> str:
    id = sent(harness, phone)
    harness.simulator.webhooks.post_report(harness.texts(phone)[-1], "undelivered", 30005)
    return id


def failed_by_report(harness: Harness, phone: str = PHONE) -> str:
    id = sent(harness, phone)
    harness.simulator.webhooks.post_report(harness.texts(phone)[-1], "failed", 30005)
    return id


# How to make one in this view, and the console's word for it.
VIEWS: dict[str, tuple[Make, str]] = {
    "approved": (approved, "approved"),
    "expired": (expired, "expired"),
    "out of tries": (out_of_tries, "out of tries"),
    "canceled": (canceled, "canceled"),
    "opted out": (opted_out, "canceled"),
    "refused": (refused, "failed"),
    "undelivered": (undelivered, "pending"),
    "failed by report": (failed_by_report, "failed"),
    "waiting": (waiting, "pending, not sent yet"),
    "unknown": (unknown, "pending, not sent yet"),
    "running": (running, "pending"),
    "suspended": (suspended, "suspended"),
}


def a_day(harness: Harness) -> None:
    """Makes a morning of verifications in three countries, and one for each view at noon."""
    noon = harness.clock.now + timedelta(days=1)  # time never runs backwards: the next day
    harness.clock.now = noon.replace(hour=1)
    for number in range(120):
        harness.clock.forward(330)
        number_of = ("+1425556{:04}", "+336123{:05}", "+4474001{:05}")[number % 7 % 3]
        (approved if number % 5 else expired)(harness, number_of.format(number * 37))
    harness.clock.now = max(noon, harness.clock.now)
    for number, (make, _) in enumerate(VIEWS.values()):
        make(harness, f"+1425555{200 + number:04}")
