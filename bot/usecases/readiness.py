"""Whether Textback can do its work: what is overdue or set aside, whether Twilio accepts our
credentials, and
whether time goes on as the clock does."""

from datetime import timedelta

from bot.store import aside, circuits, outbox, verifications
from bot.store.steady import TOLERATED
from bot.store.tx import Store, Tx

# A dispatcher is never this late; what is, has none.
OVERDUE = timedelta(seconds=5)


def look(store: Store, from_address: str) -> list[str]:
    """Faults that an operator must mend, a word each. Raises StoreUnavailable."""

    def query(tx: Tx) -> list[str]:
        tx.now  # noqa: B018  how far stored time is ahead is known once the clock was read
        return faults(tx, from_address=from_address, ahead=store.steady.ahead)

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


def overdue(tx: Tx) -> timedelta:
    """How long the longest due has waited."""
    due = (outbox.next_due_at(tx), verifications.next_due_at(tx))
    waits = [tx.now - at for at in due if at is not None]
    return max([timedelta(0), *waits])
