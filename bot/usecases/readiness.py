"""Whether Textback can do its work: what is overdue or set aside, whether Twilio accepts our
credentials, and whether time goes on as the clock does."""

from dataclasses import dataclass, field
from datetime import timedelta

from bot.store import aside, circuits, outbox, verifications, webhook_endpoints
from bot.store.steady import TOLERATED
from bot.store.tx import Store, Tx

# A dispatcher is never this late; what is, has none.
OVERDUE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Both are for an operator to mend, a word each; with notes alone the work is done."""

    faults: list[str]
    notes: list[str] = field(default_factory=list)


def look(store: Store, from_address: str) -> Readiness:
    """Raises StoreUnavailable."""

    def query(tx: Tx) -> Readiness:
        tx.now  # noqa: B018  how far stored time is ahead is known once the clock was read
        found = faults(tx, from_address=from_address, ahead=store.steady.ahead)
        return Readiness(found, notes(tx))

    return store.read(query)


def faults(tx: Tx, *, from_address: str, ahead: timedelta) -> list[str]:
    """Faults that an operator must mend, a word each. `ahead`: of stored time over the clock."""
    found = []
    if ahead > TOLERATED:
        found.append("clock")
    if aside.count(tx) > 0:
        found.append("set_aside")
    if circuits.load(tx, from_address) is not None:
        found.append("twilio_credentials")
    if overdue(tx) > OVERDUE:
        found.append("dispatcher")
    return found


def notes(tx: Tx) -> list[str]:
    """What is no reason to send requests elsewhere: another process would find the same."""
    is_disabled = any(not endpoint.is_enabled for endpoint in webhook_endpoints.configured(tx))
    return ["webhook_endpoint"] if is_disabled else []


def overdue(tx: Tx) -> timedelta:
    """How long the longest due has waited."""
    due = (outbox.next_due_at(tx), verifications.next_due_at(tx))
    waits = [tx.now - at for at in due if at is not None]
    return max([timedelta(0), *waits])
