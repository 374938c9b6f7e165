"""Erasing the bodies, and so the codes, that Twilio keeps of texts whose verification is over."""

import logging
from datetime import timedelta
from functools import partial

from bot.sms.gateway import Gateway, LookFailed
from bot.store import outbox
from bot.store.tx import Done, Tx
from bot.usecases.verifications import Verifications

AT_ONCE = 10
# Twilio refuses while a text is still on its way, so there is no hurry.
AGAIN = timedelta(minutes=1)

log = logging.getLogger(__name__)


def run_once(verifications: Verifications, gateway: Gateway) -> int:
    """Erases some, one after the other. Returns how many were tried."""
    due = verifications.store.read(partial(outbox.to_erase, limit=AT_ONCE))
    for text in due:
        assert text.sid is not None  # only such are due
        try:
            gateway.erase(text.sid)
        except LookFailed as error:
            log.warning("the text of %s is not erased yet: %s", text.verification_id, error)
            verifications.store.write(partial(_again, id=text.id))
        else:
            verifications.store.write(partial(_erased, id=text.id))
    return len(due)


def _erased(tx: Tx, id: str) -> Done[None]:
    outbox.erased(tx, id)
    return Done(None)


def _again(tx: Tx, id: str) -> Done[None]:
    outbox.erase_again(tx, id, at=tx.now + AGAIN)
    return Done(None)
