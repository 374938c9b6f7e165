"""While sending is paused: asking Twilio again whether it accepts our credentials."""

import logging

from bot.channels.gateway import Gateway, LookFailed
from bot.store.tx import Store
from bot.usecases import credentials
from bot.usecases.rules import Rules

log = logging.getLogger(__name__)


def run_once(store: Store, gateway: Gateway, rules: Rules, until: float) -> int:
    """Probes if a probe is due. Returns 1 if one was."""
    if not store.read(credentials.is_due, rules.from_address):
        return 0
    try:
        gateway.check()
    except LookFailed as error:
        log.error("sending is paused: %s", error)
        store.write(credentials.refused, rules.from_address)
    else:
        log.info("Twilio accepts our credentials again: sending goes on")
        store.write(credentials.accepted, rules.from_address)
    return 1
