"""Textback's view of the phone network: what the dispatcher may ask of a channel."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.usecases.delivery import Message


@dataclass(frozen=True, slots=True)
class Accepted:
    sid: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never be taken."""

    code: int | None
    sentence: str
    is_of_number: bool = False  # the number gets no texts, now or later


@dataclass(frozen=True, slots=True)
class Postponed:
    """Not taken; it may be later, no sooner than `retry_after_seconds` where that is given."""

    code: int | None
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Taken or not: nobody knows."""

    cause: str


SendResult = Accepted | Refused | Postponed | Unknown


@dataclass(frozen=True, slots=True)
class Received:
    """An inbound text in Twilio's list."""

    message_sid: str
    phone: str
    body: str = field(repr=False)
    age: timedelta  # by Twilio's clock


@dataclass(frozen=True, slots=True)
class Sighting:
    """A message as Twilio's list shows it, without its body."""

    sid: str
    direction: str  # inbound, outbound-api (a text), outbound-reply (an answer)
    status: str
    error_code: int | None
    at: datetime

    @property
    def is_inbound(self) -> bool:
        return self.direction == "inbound"


@dataclass(frozen=True, slots=True)
class Conversation:
    """What went to and fro between a phone and us, oldest first."""

    sightings: list[Sighting]
    is_whole: bool  # False: the list did not reach back to its beginning


class LookFailed(Exception):
    """Twilio's list did not answer."""


class Gateway(Protocol):
    def send(
        self, *, to: str, body: str, validity_seconds: int, text_id: str, until: float
    ) -> SendResult:
        """`until`, an instant of `time.monotonic()`: nothing is written from then on, and what
        has not been answered is unknown."""

    def check(self) -> None:
        """Asks for something harmless, to see whether Twilio knows us. Raises LookFailed."""

    def look(self, *, to: str, body: str, tried_ago: timedelta, sid: str | None) -> list[Message]:
        """Messages that may be this text, oldest first. Raises LookFailed."""

    def conversation(
        self, phone: str, *, began_ago: timedelta, ended_ago: timedelta | None
    ) -> Conversation:
        """What went to and fro between these, oldest first. Raises LookFailed."""

    def erase(self, sid: str) -> None:
        """Empties the body that Twilio keeps of a message. Raises LookFailed."""

    def received_since(self, ago: timedelta) -> Iterator[Received]:
        """Inbound texts to our sender. Raises LookFailed."""
