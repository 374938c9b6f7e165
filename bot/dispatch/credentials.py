"""While sending is paused: asks Twilio again whether it accepts our credentials."""

import logging

from bot.channels.gateway import ChannelUnavailable, Gateway
from bot.store.tx import Store
from bot.usecases import credentials
from bot.usecases.rules import Rules

log = logging.getLogger(__name__)


def run_once(store: Store, gateway: Gateway, rules: Rules) -> None:
    """Asks Twilio if it is due."""
    if not store.read(credentials.is_due, rules.from_address):
        return
    try:
        gateway.check()
    except ChannelUnavailable as error:
        log.error("sending is paused: %s", error)
        store.write(credentials.refused, rules.from_address)
    else:
        log.info("Twilio accepts our credentials again: sending goes on")
        store.write(credentials.accepted, rules.from_address)
