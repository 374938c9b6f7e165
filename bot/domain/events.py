"""Events: the lines of a verification's history, never with a code in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Detail = Mapping[str, str | int | bool | None]


class EventName(StrEnum):
    """Names of events. The values are stored. The name of an ending event equals the final
    status."""

    STARTED = "started"
    # The text on its way.
    TEXT_TRIED = "text_tried"
    TEXT_ACCEPTED = "text_accepted"
    TEXT_POSTPONED = "text_postponed"
    RESEND_ASKED = "resend_asked"
    FURTHER_TEXT_FAILED = "further_text_failed"  # while another may still be answered
    TEXT_UNKNOWN = "text_unknown"
    DELIVERY = "delivery"
    # The replies to it.
    RIGHT_ANSWER = "right_answer"
    WRONG_ANSWER = "wrong_answer"
    REPEATED_ANSWER = "repeated_answer"
    REPLY_WHILE_HELD = "reply_while_held"
    QUOTED_TEXT = "quoted_text"
    UNREAD_REPLY = "unread_reply"
    UNREAD_EVENT = "unread_event"
    EVENT_RAISED = "event_raised"
    LATE_REPLY = "late_reply"
    DISOWNED = "disowned"  # NO after the end or beside it; one in time is the cause of its end
    WEBHOOK_REPLAYED = "webhook_replayed"  # an operator replayed a webhook event
    # A suspension.
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    HELD = "held"
    # Ends.
    APPROVED = "approved"
    EXPIRED = "expired"
    MAX_ATTEMPTS_REACHED = "max_attempts_reached"
    CANCELED = "canceled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history. Never holds a code or what a person wrote."""

    name: EventName
    detail: Detail = field(default_factory=dict)
