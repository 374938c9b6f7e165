"""Looks up a text whose outcome is unknown in Twilio's list. It is sent again only after two looks
that did not find it."""

from collections.abc import Sequence
from datetime import timedelta

from bot.channels.gateway import SentMessage
from bot.domain import timings
from bot.store import outbox, verifications
from bot.store.tx import Done, Tx
from bot.usecases import send
from bot.usecases.claim import TextClaim
from bot.usecases.send import still_ours

# Looked up twice before it counts as never taken, this far apart: Twilio's list may lag.
LOOKS = 2
LOOK_AGAIN = timedelta(seconds=timings.LOOK_AGAIN_SECONDS)


def look_up_answered(tx: Tx, claim: TextClaim, messages: Sequence[SentMessage]) -> Done[None]:
    """Twilio's list answered. `messages` are those that may be ours, oldest first."""
    text = still_ours(tx, claim)
    if text is None:
        return Done(None)
    # A report may have brought the sid since the look began.
    ours = [m for m in messages if m.sid == text.sid or not outbox.is_known_sid(tx, m.sid)]
    if ours:
        return send.accepted(tx, claim, ours[0].sid, age=ours[0].age)
    if claim.looks + 1 < LOOKS:
        due_at = tx.now + LOOK_AGAIN
        outbox.schedule_look_up(
            tx, claim.text_id, claim=claim.number, due_at=due_at, looks=claim.looks + 1
        )
        return Done(None, has_work=True)
    # Twilio never had it: the same text, with the same code, may go out after all.
    return send.postponed(tx, claim, delay=timedelta(0), code=None)


def look_up_failed(tx: Tx, claim: TextClaim, *, delay: timedelta) -> Done[None]:
    """Repeats a look-up that failed or came too early. It does not count as one of the two."""
    verifications.load(tx, claim.verification_id)
    due_at = tx.now + (max(delay, claim.tried_ago) if claim.is_after_end else delay)
    outbox.schedule_look_up(tx, claim.text_id, claim=claim.number, due_at=due_at, looks=claim.looks)
    return Done(None, has_work=True)
