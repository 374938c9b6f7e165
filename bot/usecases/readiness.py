"""Whether Textback can do its work: what is overdue, and whether Twilio knows us."""

from datetime import timedelta

from bot.store import circuits, outbox, verifications
from bot.store.tx import Tx

# A dispatcher is never this late; what is, has none.
OVERDUE = timedelta(seconds=5)


def faults(tx: Tx, *, sender: str) -> list[str]:
    """What keeps it from working, a word each. Empty: nothing does."""
    found = []
    if circuits.load(tx, sender) is not None:
        found.append("twilio_credentials")
    if overdue(tx) > OVERDUE:
        found.append("dispatcher")
    return found


def overdue(tx: Tx) -> timedelta:
    """How long the longest due has waited."""
    due = (outbox.next_due_at(tx), verifications.next_due_at(tx))
    waits = [tx.now - at for at in due if at is not None]
    return max([timedelta(0), *waits])
