"""Inbound texts missed while the service was down.

Twilio does not repeat a webhook that met a dead server. So before anything is expired, its list of
inbound messages is read since the oldest pending verification began, and what was not seen goes
the way of every reply, judged as of Twilio's own stamp.
"""

import logging

from bot.domain import phone
from bot.sms.gateway import Gateway, LookFailed
from bot.store import verifications as table
from bot.usecases.reply import InboundText
from bot.usecases.verifications import Verifications

log = logging.getLogger(__name__)


def run_once(verifications: Verifications, gateway: Gateway) -> int:
    """Feeds every inbound text since the oldest pending start. Returns how many there were."""
    since = verifications.store.read(table.oldest_pending_since)
    if since is None:
        return 0
    try:
        received = sorted(gateway.received_since(since), key=lambda text: text.sent_at)
    except LookFailed as error:
        log.warning("texts missed while down cannot be read: %s", error)
        return 0
    for text in received:
        if phone.is_e164(text.phone):
            verifications.judge_text(
                InboundText(
                    message_sid=text.message_sid,
                    phone=text.phone,
                    sender=verifications.sender,
                    body=text.body,
                    sent_at=text.sent_at,
                )
            )
    return len(received)
