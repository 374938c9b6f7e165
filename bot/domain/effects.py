"""Effects that a decision asks for beside the new verification. `usecases/record.py` turns each
into rows, in the transaction of the decision."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Purpose(StrEnum):
    """Why a text is sent."""

    CHALLENGE = "challenge"  # it carries the code


class Channel(StrEnum):
    SMS = "sms"


class UsageKind(StrEnum):
    """Kinds of rows in `usage`, from which limits are computed."""

    START = "start"
    PROBE = "probe"  # a start in an area whose circuit breaker is open
    WRONG = "wrong"  # a wrong answer
    APPROVAL = "approval"  # its start no longer counts against the number
    UNSENT = "unsent"  # the same for a start that failed because of Twilio or us


@dataclass(frozen=True, slots=True)
class SendText:
    text_id: str  # part of the status callback's address
    from_address: str  # our number or Messaging Service
    locale: str
    purpose: Purpose = Purpose.CHALLENGE
    channel: Channel = Channel.SMS


@dataclass(frozen=True, slots=True)
class WithdrawTexts:
    """Withdraw unsent texts, and stop looking up texts whose outcome is unknown."""


@dataclass(frozen=True, slots=True)
class EraseTexts:
    """Ask Twilio to erase the bodies of the verification's texts."""


@dataclass(frozen=True, slots=True)
class CountUsage:
    """Add one row of this kind to the usage of the verification's number, country and caller."""

    kind: UsageKind


@dataclass(frozen=True, slots=True)
class LiftText:
    """Stop counting the newest text of the verification against its number. It still counts for its
    country, its caller and the total."""


@dataclass(frozen=True, slots=True)
class Notify:
    """Send an event about the end of the verification to each webhook endpoint."""


@dataclass(frozen=True, slots=True)
class BlockNumber:
    """Refuse starts for the verification's number for a day: its holder replied NO."""

    since: datetime  # when the NO was sent


Effect = SendText | WithdrawTexts | EraseTexts | CountUsage | LiftText | Notify | BlockNumber
