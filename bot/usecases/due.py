"""Reads when the next work is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store import outbox, rows_aside, verifications
from bot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Due:
    """The instants at which the next text and the next verification are due; None: none is."""

    now: datetime
    text_at: datetime | None
    verification_at: datetime | None
    is_unreadable: bool  # the first due time of either

    @property
    def has_due_texts(self) -> bool:
        return self.text_at is not None and self.text_at <= self.now

    @property
    def has_due_verifications(self) -> bool:
        return self.verification_at is not None and self.verification_at <= self.now

    @property
    def time_to_next(self) -> timedelta | None:
        """How long until the next of those that are not due yet; None: there is none."""
        instants = (self.text_at, self.verification_at)
        ahead = [at - self.now for at in instants if at is not None and at > self.now]
        return min(ahead, default=None)


def due(tx: Tx) -> Due:
    text_at, verification_at = outbox.next_due_at(tx), verifications.next_due_at(tx)
    is_unreadable = (text_at is None and rows_aside.has_work(tx, "outbox")) or (
        verification_at is None and rows_aside.has_work(tx, "verification")
    )
    return Due(tx.now, text_at, verification_at, is_unreadable)


def oldest_pending_age(tx: Tx) -> timedelta | None:
    """How long ago the oldest pending verification was started; None: none is pending."""
    since = verifications.oldest_pending_since(tx)
    return None if since is None else tx.now - since
