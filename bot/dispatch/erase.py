"""Erasing the bodies, and so the codes, that Twilio keeps of texts and replies."""

import logging
import time

from bot.channels.gateway import ChannelUnavailable, Gateway
from bot.store.erasures import Erasure
from bot.store.tx import Store
from bot.usecases import erase
from bot.usecases.rules import Rules

AT_ONCE = 5  # leased together: few, so that the rest stays unleased when the budget runs out

log = logging.getLogger(__name__)


def run_once(store: Store, gateway: Gateway, rules: Rules, until: float) -> int:
    """Erases due messages one by one until `until`. Returns how many it tried."""
    if not store.read(erase.are_due, rules.from_address):
        return 0
    tried = 0
    while time.monotonic() < until:
        taken = store.write(erase.take, limit=AT_ONCE)
        for erasure in taken:
            _erase(store, gateway, erasure)
        tried += len(taken)
        if len(taken) < AT_ONCE:
            break
    return tried


def _erase(store: Store, gateway: Gateway, erasure: Erasure) -> None:
    try:
        gateway.erase(erasure.sid)
    except ChannelUnavailable as error:
        log.warning("the text %s is not erased yet: %s", erasure.sid, error)
        store.write(erase.failed, erasure)
    else:
        store.write(erase.done, erasure)
