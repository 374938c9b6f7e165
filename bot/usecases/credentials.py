"""While Twilio does not accept our credentials: when to ask again, and recording the answer."""

from bot.store import circuits, outbox
from bot.store.tx import Done, Tx


def is_due(tx: Tx, from_address: str) -> bool:
    circuit = circuits.load(tx, from_address)
    return circuit is not None and circuit.probe_at <= tx.now


def accepted(tx: Tx, from_address: str) -> Done[None]:
    """Ends the pause: Twilio accepts the credentials, so waiting texts become due now."""
    if circuits.close(tx, from_address):
        outbox.make_queued_due(tx)
    return Done(None, has_work=True)


def refused(tx: Tx, from_address: str) -> Done[None]:
    circuits.schedule_probe(tx, from_address)
    return Done(None)
