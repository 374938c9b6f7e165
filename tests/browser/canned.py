"""A verification in every view there is, made by what really leads to it."""

from collections.abc import Callable

from simulator import faults
from tests.desk import INSTANCES, PHONE, Desk

Make = Callable[[Desk, str], str]


def waiting(desk: Desk, phone: str = PHONE) -> str:
    return str(desk.start(phone)["id"])


def unknown(desk: Desk, phone: str = PHONE) -> str:
    desk.simulator.faults.add(faults.ERROR_BEFORE, phone=phone)
    desk.simulator.faults.add(faults.LIST_ERROR, phone=phone, times=50)
    return sent(desk, phone)


def sent(desk: Desk, phone: str = PHONE) -> str:
    return str(desk.start_and_send(phone)["id"])


def running(desk: Desk, phone: str = PHONE) -> str:
    id = sent(desk, phone)
    desk.text(desk.wrong(phone), phone)
    desk.text("what is this?", phone)
    return id


def suspended(desk: Desk, phone: str = PHONE) -> str:
    id = running(desk, phone)
    desk.call("POST", f"{INSTANCES}/{id}/suspend", params={"reason": "a lunch break"})
    return id


def approved(desk: Desk, phone: str = PHONE) -> str:
    id = running(desk, phone)
    desk.clock.forward(11)
    desk.text(desk.code(phone), phone)
    return id


def expired(desk: Desk, phone: str = PHONE) -> str:
    id = sent(desk, phone)
    desk.simulator.webhooks.post_report(desk.texts(phone)[-1], "delivered")
    desk.forward(90)
    return id


def out_of_tries(desk: Desk, phone: str = PHONE) -> str:
    id = sent(desk, phone)
    for _ in range(4):
        desk.text(desk.wrong(phone), phone)
    return id


def canceled(desk: Desk, phone: str = PHONE) -> str:
    id = sent(desk, phone)
    desk.call("POST", f"{INSTANCES}/{id}/terminate", params={"reason": "the form was closed"})
    return id


def opted_out(desk: Desk, phone: str = PHONE) -> str:
    id = sent(desk, phone)
    desk.text("STOP", phone)
    return id


def refused(desk: Desk, phone: str = PHONE) -> str:
    desk.simulator.faults.add(faults.REFUSE, phone=phone, code=21614)
    return sent(desk, phone)


def undelivered(desk: Desk, phone: str = PHONE) -> str:
    id = sent(desk, phone)
    desk.simulator.webhooks.post_report(desk.texts(phone)[-1], "undelivered", 30005)
    return id


def failed_by_report(desk: Desk, phone: str = PHONE) -> str:
    id = sent(desk, phone)
    desk.simulator.webhooks.post_report(desk.texts(phone)[-1], "failed", 30005)
    return id


# How to get there, and the word the console has for it.
STANDINGS: dict[str, tuple[Make, str]] = {
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


def a_day(desk: Desk) -> None:
    """A morning in three countries, and one of each view at noon."""
    noon = desk.clock.now
    desk.clock.now = noon.replace(hour=1)
    for number in range(120):
        desk.clock.forward(330)
        number_of = ("+1425556{:04}", "+336123{:05}", "+4474001{:05}")[number % 7 % 3]
        (approved if number % 5 else expired)(desk, number_of.format(number * 37))
    desk.clock.now = max(noon, desk.clock.now)
    for number, (make, _) in enumerate(STANDINGS.values()):
        make(desk, f"+1425555{200 + number:04}")
