"""Reasons to ignore an inbound text."""

from enum import StrEnum


class IgnoreReason(StrEnum):
    """Why a text changed nothing."""

    OTHER_CHANNEL = "other_channel"  # WhatsApp, Messenger, RCS without a service of ours
    UNREADABLE_SENDER = "unreadable_sender"  # a short code, a name
    OTHER_RECIPIENT = "other_recipient"  # to another number or service of the account
    NO_VERIFICATION = "no_verification"  # a stranger's, or too late for any
    BEFORE_ITS_START = "before_its_start"  # missed, and older than the verification
    TOO_LONG = "too_long"
