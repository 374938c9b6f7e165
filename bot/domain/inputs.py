"""The inputs of `transitions.decide`: everything that can happen to a verification. A fact that
needs a query is a field of its input."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.effects import SendText
from bot.domain.verification import Cause, Verification


@dataclass(frozen=True, slots=True)
class Started:
    """A caller asked. Carries the new verification, whose `created_at` is the decision's now, and
    its text. `is_probe`: let through an open circuit breaker, to see whether it is answered.
    `operator`: name of the operator who asked, where one did."""

    verification: Verification
    text: SendText
    is_probe: bool = False
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class ResendAsked:
    """A caller asked to send the same text, with the same code, once more. `is_unsettled`: it is
    not known whether Twilio took one of its texts. `is_probe`, `operator`: as for a start."""

    text: SendText
    is_unsettled: bool
    is_probe: bool = False
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class TextTried:
    """The text is about to be handed to Twilio."""


@dataclass(frozen=True, slots=True)
class TextAccepted:
    """Twilio has the text since `at`, which may have been learned late."""

    at: datetime


@dataclass(frozen=True, slots=True)
class TextImpossible:
    """The text cannot be sent, or it did not arrive and never will. `is_of_number`: the reason is
    the number, which cannot receive texts, and not a fault of Twilio or ours. `is_last`: no other
    text of the verification is on its way or may have arrived."""

    cause: Cause
    reason: str
    error_code: int | None = None
    is_of_number: bool = False
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class Attempted:
    """A reply contained a code. `at` is the time it counts as sent. `by_text`: it came by text, so
    it may be answered by text. `guess` is a keyed hash of the code. `wrong_left` is how many wrong
    answers the number may still give over all its verifications, this one included (None: no
    limit)."""

    is_right: bool
    at: datetime
    by_text: bool = True
    guess: str | None = None
    wrong_left: int | None = None


@dataclass(frozen=True, slots=True)
class Chattered:
    """A reply by text that held no code, or carried our own text back."""

    is_quote: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class DisownedByText:
    """The person replied that they did not ask for the code."""

    at: datetime


@dataclass(frozen=True, slots=True)
class OlderCodeSent:
    """A reply held the code of this verification, which was superseded or is just approved."""

    at: datetime  # when the person sent it


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The timer checked the verification."""


@dataclass(frozen=True, slots=True)
class Canceled:
    cause: Cause
    reason: str | None
    operator: str | None = None
    is_unsent: bool = False  # its text was tried, and Twilio does not have it


@dataclass(frozen=True, slots=True)
class Suspended:
    reason: str | None


@dataclass(frozen=True, slots=True)
class Resumed:
    reason: str | None


Input = (
    Started
    | ResendAsked
    | TextTried
    | TextAccepted
    | TextImpossible
    | Attempted
    | Chattered
    | DisownedByText
    | OlderCodeSent
    | TimePassed
    | Canceled
    | Suspended
    | Resumed
)
