"""One row of the table `outbox`: a text and its state."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.delivery import Delivery
from bot.domain.effects import Channel, Purpose
from bot.store.rows import Row, to_instant, to_instant_or_none


class TextState(StrEnum):
    """The stages of a text on its way to Twilio. `schema.sql` explains each."""

    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


# It is not known yet whether Twilio accepts a text in these states.
UNSETTLED = (TextState.QUEUED, TextState.SENDING, TextState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Text:
    """One row."""

    id: str
    verification_id: str
    purpose: Purpose
    channel: Channel
    from_address: str  # as of the newest claim; empty: queued before version 4 of the schema
    locale: str
    state: TextState
    queued_at: datetime
    claims: int
    tries: int
    looks: int
    first_try_at: datetime | None
    sid: str | None
    delivery: Delivery | None
    error_code: int | None

    @property
    def is_unsettled(self) -> bool:
        """Whether it is still unknown if Twilio accepts it."""
        return self.state in UNSETTLED

    @property
    def may_arrive(self) -> bool:
        """Whether it may still arrive, or has arrived."""
        is_taken = self.state is TextState.ACCEPTED and self.delivery is not Delivery.FAILED
        return self.is_unsettled or is_taken


def from_row(row: Row) -> Text:
    to_instant_or_none(row["due_at"])  # not kept, but must be readable: sending depends on it
    return Text(
        id=row["id"],
        verification_id=row["verification_id"],
        purpose=Purpose(row["purpose"]),
        channel=Channel(row["channel"]),
        from_address=row["from_address"],
        locale=row["locale"],
        state=TextState(row["state"]),
        queued_at=to_instant(row["queued_at"]),
        claims=row["claims"],
        tries=row["tries"],
        looks=row["looks"],
        first_try_at=to_instant_or_none(row["first_try_at"]),
        sid=row["sid"],
        delivery=Delivery(row["delivery"]) if row["delivery"] else None,
        error_code=row["error_code"],
    )
