"""Answers to a text that is handed to Twilio, and how far it has come, as its channel reports.
Reports come in any order and repeat."""

from enum import StrEnum


class SendOutcome(StrEnum):
    """Twilio's answer to a text that was handed to it. The values are published in a metric."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    POSTPONED = "postponed"
    UNKNOWN = "unknown"


class Delivery(StrEnum):
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELED = "canceled"
    READ = "read"

    def is_later_than(self, other: "Delivery | None") -> bool:
        """Whether this state replaces the other, which was reported before."""
        return other is None or _RANKS[self] > _RANKS[other]


# Ranks: a report replaces an earlier one only if its rank is higher.
_RANKS = {
    Delivery.ACCEPTED: 0,
    Delivery.SCHEDULED: 0,
    Delivery.QUEUED: 1,
    Delivery.SENDING: 2,
    Delivery.SENT: 3,
    Delivery.DELIVERED: 4,
    Delivery.UNDELIVERED: 4,
    Delivery.FAILED: 4,
    Delivery.CANCELED: 4,
    Delivery.READ: 5,
}
