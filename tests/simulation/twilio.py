"""A Twilio whose seed decides what is late, lost, doubled, shuffled, refused or denied."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from bot.channels.gateway import (
    Accepted,
    ChannelUnavailable,
    Conversation,
    Postponed,
    ReceivedText,
    Refused,
    SendResult,
    SentMessage,
    Unknown,
)
from bot.channels.twilio.client import CLOCK_SLACK, STAMP_SLACK
from bot.store.steady import UNCOUNTED
from tests.harness import HandClock

# A message is in the list no later than this after Twilio took it; looks are five seconds apart.
LONGEST_LAG = 4.0


class Killed(BaseException):
    """The process dies at this point and loses its memory."""


@dataclass(frozen=True)
class Taken:
    """A text that Twilio has."""

    sid: str
    to: str
    body: str
    text_id: str
    at: datetime
    listed_at: datetime


@dataclass(frozen=True)
class Reply:
    sid: str
    phone: str
    body: str
    at: datetime


class Twilio:
    """Remembers the texts that it accepted, whatever it answered, to compare with the database."""

    def __init__(self, random: Random, clock: HandClock) -> None:
        self._random = random
        self._clock = clock
        self._sids = 0
        self.taken: list[Taken] = []
        self.replies: list[Reply] = []
        self.is_gone = False
        self.interleave: Callable[[], None] = lambda: None

    def sid(self) -> str:
        self._sids += 1
        return f"SM{self._sids:032x}"

    # -- the gateway -----------------------------------------------------------------------------

    def send(
        self, *, to: str, body: str, validity_seconds: int, text_id: str, until: float
    ) -> SendResult:
        self.interleave()  # the connection is being made, and others go on
        if self._clock.now.timestamp() >= until:
            return Postponed(None)  # nothing is written from then on
        if self.is_gone:
            return self._random.choice([Postponed(None), Unknown("timeout")])
        what = self._random.choices(
            ["take", "refuse", "busy", "lose before", "lose after", "die before", "die after"],
            [60, 4, 8, 6, 10, 4, 8],
        )[0]
        if what == "die before":
            raise Killed
        if what == "refuse":
            return Refused(self._random.choice([21614, 21610, 21211]), "It will never be taken.")
        if what == "busy":
            return Postponed(20429, self._random.choice([None, 1.0]))
        if what == "lose before":
            return Unknown("timeout")
        taken = self._take(to, body, text_id)
        self.interleave()  # taken, and the answer is on its way
        if what == "die after":
            raise Killed
        return Unknown("500") if what == "lose after" else Accepted(taken.sid)

    def find_sent(
        self, *, to: str, body: str, tried_ago: timedelta, sid: str | None
    ) -> list[SentMessage]:
        since = self._clock.now - tried_ago - CLOCK_SLACK - UNCOUNTED
        self.interleave()
        if self.is_gone or self._random.random() < 0.2:
            raise ChannelUnavailable("no answer")
        found = [
            SentMessage(taken.sid, self._clock.now - taken.at.replace(microsecond=0))
            for taken in self.taken
            if taken.listed_at <= self._clock.now
            and (taken.sid == sid or (taken.to == to and taken.body == body and taken.at >= since))
        ]
        return sorted(found, key=lambda message: message.age, reverse=True)

    def check(self) -> None:
        if self.is_gone:
            raise ChannelUnavailable("no answer")

    def prepare(self) -> None: ...

    def erase(self, sid: str) -> None: ...

    def conversation(
        self, phone: str, *, began_ago: timedelta, ended_ago: timedelta | None
    ) -> Conversation:
        return Conversation([], is_whole=True)

    def received_since(self, ago: timedelta) -> Iterator[ReceivedText]:
        if self.is_gone or self._random.random() < 0.1:
            raise ChannelUnavailable("no answer")
        for reply in self.replies:
            at = reply.at.replace(microsecond=0)
            if at >= self._clock.now - ago - STAMP_SLACK:
                yield ReceivedText(reply.sid, reply.phone, reply.body, self._clock.now - at)

    def _take(self, to: str, body: str, text_id: str) -> Taken:
        lag = timedelta(seconds=self._random.uniform(0, LONGEST_LAG))
        now = self._clock.now
        taken = Taken(self.sid(), to, body, text_id, now, now + lag)
        self.taken.append(taken)
        return taken
