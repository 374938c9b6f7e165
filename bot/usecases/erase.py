"""Messages whose bodies Twilio is to empty: taken under a lease, then done, put off or given up."""

import logging

from bot.store import circuits, erasures
from bot.store.erasures import MOST_TRIES, Erasure
from bot.store.tx import Done, Tx

log = logging.getLogger(__name__)


def are_due(tx: Tx, from_address: str) -> bool:
    """Whether erasures are due: not while Twilio refuses our credentials, as each would use up a
    try."""
    return circuits.load(tx, from_address) is None and erasures.are_due(tx)


def take(tx: Tx, *, limit: int) -> Done[list[Erasure]]:
    return Done(erasures.take(tx, limit=limit))


def done(tx: Tx, erasure: Erasure) -> Done[None]:
    erasures.remove(tx, erasure.sid)
    return Done(None)


def failed(tx: Tx, erasure: Erasure) -> Done[None]:
    if erasure.tries + 1 < MOST_TRIES:
        erasures.put_off(tx, erasure)
        return Done(None)
    log.error("the text %s cannot be erased at Twilio; it is given up", erasure.sid)
    return done(tx, erasure)
