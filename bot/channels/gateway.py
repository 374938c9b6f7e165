"""The interface between Textback and a channel: the calls, and the types of their results."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import ClassVar, Protocol

from bot.domain.delivery import Delivery, SendOutcome
from bot.domain.ignored import IgnoreReason


class Blame(Enum):
    """Why a text will never be accepted, where that has further consequences."""

    NUMBER = "number"  # the number gets no texts, now or later
    OPTED_OUT = "opted_out"  # the number has texted STOP
    CREDENTIALS = "credentials"  # the channel does not accept ours: nothing goes out
    OURS = "ours"  # our account, address or settings

    @property
    def is_of_number(self) -> bool:
        return self in (Blame.NUMBER, Blame.OPTED_OUT)


@dataclass(frozen=True, slots=True)
class Accepted:
    outcome: ClassVar = SendOutcome.ACCEPTED
    code: ClassVar = None

    sid: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The channel will never accept the text."""

    outcome: ClassVar = SendOutcome.REFUSED

    code: int | None
    sentence: str
    blame: Blame = Blame.OURS


@dataclass(frozen=True, slots=True)
class Postponed:
    """The channel did not accept the text but may accept it later, after `retry_after_seconds` if
    given."""

    outcome: ClassVar = SendOutcome.POSTPONED

    code: int | None
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The channel may or may not have accepted the text."""

    outcome: ClassVar = SendOutcome.UNKNOWN

    cause: str
    code: int | None = None


SendResult = Accepted | Refused | Postponed | Unknown


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A sent message as the channel's list shows it. Its age is measured with the channel's
    clock, so it does not depend on ours, which may be wrong or be set (`store/steady.py`)."""

    sid: str
    age: timedelta


@dataclass(frozen=True, slots=True)
class Report:
    """How far a text has come, posted by the channel."""

    text_id: str
    sid: str
    delivery: Delivery
    error_code: int | None
    is_final: bool  # it has not arrived and never will
    blame: Blame | None  # of an error
    sentence: str | None  # what to tell the operator


@dataclass(frozen=True, slots=True)
class ReceivedText:
    """An inbound text in the channel's list."""

    message_sid: str
    phone: str
    body: str = field(repr=False)
    age: timedelta  # by the channel's clock
    is_to_short_code: bool = False  # where no network obeys HELP and STOP


@dataclass(frozen=True, slots=True)
class NotForUs:
    """A text that no phone sent, or that was not sent to us."""

    message_sid: str
    reason: IgnoreReason
    masked_phone: str


class Direction(Enum):
    REPLY = "reply"  # of the person
    TEXT = "text"  # that began with us
    ANSWER = "answer"  # to a reply


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """A message as the channel's list shows it, without its body."""

    sid: str
    direction: Direction
    status: str  # in the channel's words
    error_code: int | None
    at: datetime

    @property
    def is_inbound(self) -> bool:
        return self.direction is Direction.REPLY


@dataclass(frozen=True, slots=True)
class Conversation:
    """The messages between a phone and us, oldest first."""

    messages: list[ListedMessage]
    is_whole: bool  # False: the list did not reach back to its beginning


class Level(StrEnum):
    """How much a finding asks of the operator."""

    GOOD = "good"
    WARNING = "warning"  # works, or may
    FAULT = "fault"  # texts do not go out, or replies do not come in
    LOOK = "look"  # the channel's API does not say: the operator must check


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation of a channel about the account that texts go through."""

    kind: str  # of the channel's own kinds
    level: Level
    sentence: str


class ChannelUnavailable(Exception):
    """The channel did not answer a request, or refused it."""


class Gateway(Protocol):
    def send(
        self, *, to: str, body: str, validity_seconds: int, text_id: str, until: float
    ) -> SendResult:
        """Sends one text. After `until`, an instant of `time.monotonic()`, no byte is written; if
        no answer has come by then, the result is Unknown."""

    def prepare(self) -> None:
        """Does the slow set-up of the first request in advance: it would hold up the whole process
        then."""

    def check(self) -> None:
        """Checks whether the channel accepts our credentials, by a request that changes nothing.
        Raises ChannelUnavailable if not, or without an answer."""

    def find_sent(
        self, *, to: str, body: str, tried_ago: timedelta, sid: str | None
    ) -> list[SentMessage]:
        """Messages that may be this text, oldest first: those with its body from an hour before the
        try on, and those since the try whose body was removed. Raises ChannelUnavailable."""

    def conversation(
        self, phone: str, *, began_ago: timedelta, ended_ago: timedelta | None
    ) -> Conversation:
        """The messages between this phone and us, oldest first. Raises ChannelUnavailable."""

    def log_address(self, sid: str) -> str | None:
        """The page of a message in the channel's console; None: it has none."""

    def erase(self, sid: str) -> None:
        """Empties the body of the channel's copy of a message. Raises ChannelUnavailable."""

    def received_since(self, ago: timedelta) -> Iterator[ReceivedText | NotForUs]:
        """Inbound texts to our address; with a service, of other channels too. Raises
        ChannelUnavailable."""
