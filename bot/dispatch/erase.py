"""Erasing the bodies, and so the codes, that Twilio keeps of texts and replies."""

import logging
from functools import partial

from bot.channels.gateway import Gateway, LookFailed
from bot.store import circuits, erasures
from bot.store.erasures import MOST_TRIES, Erasure
from bot.store.tx import Done, Tx
from bot.usecases.verifications import Verifications

AT_ONCE = 50

log = logging.getLogger(__name__)


def run_once(verifications: Verifications, gateway: Gateway) -> int:
    """Erases some, one after the other. Returns how many were tried."""
    if not verifications.store.read(partial(_are_due, sender=verifications.sender)):
        return 0
    taken = verifications.store.write(_take)
    for erasure in taken:
        try:
            gateway.erase(erasure.sid)
        except LookFailed as error:
            log.warning("the text %s is not erased yet: %s", erasure.sid, error)
            verifications.store.write(partial(_put_off, erasure=erasure))
        else:
            verifications.store.write(partial(_remove, sid=erasure.sid))
    return len(taken)


def _are_due(tx: Tx, *, sender: str) -> bool:
    """While Twilio does not know our credentials each would fail, and its tries are few."""
    return circuits.load(tx, sender) is None and erasures.are_due(tx)


def _take(tx: Tx) -> Done[list[Erasure]]:
    return Done(erasures.take(tx, limit=AT_ONCE))


def _remove(tx: Tx, sid: str) -> Done[None]:
    erasures.remove(tx, sid)
    return Done(None)


def _put_off(tx: Tx, erasure: Erasure) -> Done[None]:
    if erasure.tries + 1 < MOST_TRIES:
        erasures.put_off(tx, erasure)
        return Done(None)
    log.error("the text %s cannot be erased at Twilio; it is given up", erasure.sid)
    return _remove(tx, erasure.sid)
