"""Reads the state of the service: the work under way, and the faults that an operator must fix."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store import circuits, hourly_counts, outbox, rows_aside, verification_list
from bot.store.circuits import Circuit
from bot.store.tx import Tx
from bot.usecases import readiness
from bot.usecases.readiness import Fault


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How much is under way now."""

    pending: int
    queue: dict[str, int]  # texts by state
    queue_age: timedelta | None  # of the oldest text that nothing has tried to send
    overdue: timedelta  # how long the oldest due item has waited
    circuit: Circuit | None  # open while Twilio does not accept our credentials
    version: str  # changes whenever something happens or is removed
    faults: list[Fault]  # that an operator must fix
    notes: list[Fault]  # faults that do not stop the work
    rows_set_aside: int  # rows that cannot be read or carried out
    ahead: timedelta  # stored time, of the clock
    now: datetime


def service_state(tx: Tx, *, from_address: str, ahead: timedelta) -> ServiceState:
    queued_at = outbox.oldest_queued_at(tx)
    return ServiceState(
        pending=verification_list.count_pending(tx),
        queue=outbox.count_by_state(tx),
        queue_age=tx.now - queued_at if queued_at else None,
        overdue=readiness.overdue(tx),
        circuit=circuits.load(tx, from_address),
        version=hourly_counts.version(tx),
        faults=readiness.faults(tx, from_address=from_address, ahead=ahead),
        notes=readiness.notes(tx),
        rows_set_aside=rows_aside.count(tx),
        ahead=ahead,
        now=tx.now,
    )
