"""While sending is paused: asking Twilio again whether it knows our credentials."""

import logging
from functools import partial

from bot.channels.gateway import Gateway, LookFailed
from bot.usecases import delivery
from bot.usecases.verifications import Verifications

log = logging.getLogger(__name__)


def run_once(verifications: Verifications, gateway: Gateway) -> bool:
    """Probes if a probe is due. Whether one was."""
    sender = verifications.sender
    if not verifications.store.read(partial(delivery.is_probe_due, sender=sender)):
        return False
    try:
        gateway.check()
    except LookFailed as error:
        log.error("sending is paused: %s", error)
        is_known = False
    else:
        log.info("Twilio knows our credentials again: sending goes on")
        is_known = True
    verifications.store.write(partial(delivery.probed, sender=sender, is_known=is_known))
    return True
