"""A text from a phone, and the result of judging it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain import reply
from bot.domain.ignored import IgnoreReason
from bot.domain.keywords import Keyword
from bot.domain.reply import PreparedText

# Twilio's timestamps are whole seconds, so a text may be up to a second younger than it seems.
STAMP_RESOLUTION = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Missed:
    """The time when a missed text was sent, as an age at an instant of `monotonic`."""

    before: timedelta
    at: float  # seconds
    monotonic: Callable[[], float]

    @property
    def age(self) -> timedelta:
        return self.before + timedelta(seconds=self.monotonic() - self.at)


@dataclass(frozen=True, slots=True)
class InboundText:
    message_sid: str
    phone: str  # who sent it, E.164 in its canonical spelling
    from_address: str  # ours, which opt-outs are kept for
    body: str = field(repr=False)
    keyword: Keyword | None = None  # as Twilio's Advanced Opt-Out read it
    missed: Missed | None = None
    # It may have been sent so much longer ago than `missed` says (`store/steady.py`).
    uncounted: timedelta = timedelta(0)
    is_outdated: bool = False  # missed, and the number has sent a keyword since
    is_to_short_code: bool = False  # where no network answers HELP and STOP
    prepared: PreparedText = field(init=False, repr=False)  # read here, before any transaction

    def __post_init__(self) -> None:
        object.__setattr__(self, "prepared", reply.prepare(self.body))

    @property
    def age(self) -> timedelta | None:
        """The current age of a text that was missed; to be asked beside `tx.now`, since a
        transaction may have waited for a lock."""
        return self.missed.age if self.missed else None

    def predates(self, began: datetime, *, now: datetime) -> bool:
        """Whether a missed text was sent before an instant."""
        return self.age is not None and now - self.age + STAMP_RESOLUTION <= began


@dataclass(frozen=True, slots=True)
class Judged:
    """The sentence to answer with, or None; whether the text had been judged before; and why it
    changed nothing, where it was ignored."""

    answer: str | None
    is_repeat: bool = False
    ignored: IgnoreReason | None = None
