"""Whether Textback can do its work: what is overdue or set aside, whether Twilio accepts our
credentials, and whether stored time agrees with the clock."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bot.store import circuits, outbox, rows_aside, verifications, webhook_endpoints
from bot.store.steady import TOLERATED
from bot.store.tx import Store, StoreUnavailable, Tx

# A running dispatcher is never this late.
OVERDUE = timedelta(seconds=5)


class Fault(StrEnum):
    """Faults that an operator must fix. The values are published."""

    STORE = "store"  # the database cannot be read or written
    DISPATCHER = "dispatcher"  # work is overdue
    CLOCK = "clock"  # stored time is ahead of it
    SET_ASIDE = "set_aside"  # rows that cannot be read
    TWILIO_CREDENTIALS = "twilio_credentials"
    WEBHOOK_ENDPOINT = "webhook_endpoint"  # one is disabled


@dataclass(frozen=True, slots=True)
class Readiness:
    """The faults and notes that an operator must fix. Faults stop work; notes do not."""

    faults: list[Fault]
    notes: list[Fault] = field(default_factory=list)


def check(store: Store, from_address: str) -> Readiness:
    """Raises StoreUnavailable. After a write has failed it writes too: a process without a
    dispatcher may not have tried again since."""
    if store.is_damaged:  # a page that is still whole would say that all is well
        raise StoreUnavailable("the database is damaged: restore a backup, and restart the service")
    if store.outages.is_open:
        store.check_writable()

    def query(tx: Tx) -> Readiness:
        tx.now  # noqa: B018  how far stored time is ahead is known once the clock was read
        found = faults(tx, from_address=from_address, ahead=store.steady.ahead)
        return Readiness(found, notes(tx))

    return store.read(query)


def faults(tx: Tx, *, from_address: str, ahead: timedelta) -> list[Fault]:
    """`ahead`: of stored time over the clock."""
    found = []
    if ahead > TOLERATED:
        found.append(Fault.CLOCK)
    if rows_aside.count(tx) > 0:
        found.append(Fault.SET_ASIDE)
    if circuits.load(tx, from_address) is not None:
        found.append(Fault.TWILIO_CREDENTIALS)
    if overdue(tx) > OVERDUE:
        found.append(Fault.DISPATCHER)
    return found


def notes(tx: Tx) -> list[Fault]:
    """Faults that are no reason to route requests elsewhere: every process has the same ones."""
    is_disabled = any(not endpoint.is_enabled for endpoint in webhook_endpoints.configured(tx))
    return [Fault.WEBHOOK_ENDPOINT] if is_disabled else []


def overdue(tx: Tx) -> timedelta:
    """Returns how long the oldest due text or verification has been waiting."""
    due = (outbox.next_due_at(tx), verifications.next_due_at(tx))
    waits = [tx.now - at for at in due if at is not None]
    return max([timedelta(0), *waits])
