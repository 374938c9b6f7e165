"""A verification: one run of proving that someone holds a phone number.

A value. It is never changed, only replaced by what `transitions.decide` returns.
All instants are aware datetimes in UTC.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Status(StrEnum):
    """The status of a verification, in Twilio Verify's terms. All but PENDING are final."""

    PENDING = "pending"
    APPROVED = "approved"
    EXPIRED = "expired"
    MAX_ATTEMPTS_REACHED = "max_attempts_reached"
    CANCELED = "canceled"
    FAILED = "failed"


class Cause(StrEnum):
    """Why a verification ended: what programs decide on. The reason beside it is free text."""

    ANSWERED = "answered"
    WINDOW_OVER = "window_over"
    ATTEMPTS_USED = "attempts_used"
    SUPERSEDED = "superseded"  # by a newer start of the same caller
    TERMINATED = "terminated"  # by a caller or an operator
    OPTED_OUT = "opted_out"  # the number texted STOP
    DISOWNED = "disowned"  # the person said that it was not them
    SEND_REFUSED = "send_refused"  # Twilio will never take the text
    SEND_GIVEN_UP = "send_given_up"  # Twilio did not take it in time
    SEND_UNKNOWN = "send_unknown"  # whether Twilio took it was never known
    NOT_DELIVERED = "not_delivered"  # Twilio took it and reported that it failed
    KEY_RETIRED = "key_retired"  # its secret key was removed


ENDS = tuple(status for status in Status if status is not Status.PENDING)


class Stage(StrEnum):
    """A status, with `pending` divided into waiting, running and suspended."""

    WAITING = "waiting"  # for Twilio to accept the text
    RUNNING = "running"
    SUSPENDED = "suspended"
    APPROVED = "approved"
    EXPIRED = "expired"
    MAX_ATTEMPTS_REACHED = "max_attempts_reached"
    CANCELED = "canceled"
    FAILED = "failed"


FINISHED = frozenset(Stage) - {Stage.WAITING, Stage.RUNNING, Stage.SUSPENDED}


def stages_of(status: Status) -> frozenset[Stage]:
    return frozenset(Stage) - FINISHED if status is Status.PENDING else frozenset([Stage(status)])


# How long an outcome may be held back by a suspension that is not resumed.
SUSPENSION = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a verification, fixed at its start; later changes of the settings do not apply.

    `send_within_seconds` is how long Textback goes on trying to hand the text to Twilio.
    """

    code_length: int = 4
    window_seconds: int = 90
    max_attempts: int = 4
    send_within_seconds: int = 60
    max_sends: int = 3  # texts with its code, the first one included

    @property
    def window(self) -> timedelta:
        return timedelta(seconds=self.window_seconds)

    @property
    def send_within(self) -> timedelta:
        return timedelta(seconds=self.send_within_seconds)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a verification ended, or would end once a suspension is lifted."""

    status: Status
    at: datetime
    cause: Cause
    reason: str | None = None
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    id: str
    phone: str  # E.164
    country: str  # that assigns the number: two letters
    started_by: str  # name of the caller's key
    caller_key: str | None  # fingerprint of that key; None: begun without one
    start_input: str  # the JSON the caller sent, as it came; empty: begun without any
    request_id: str  # of the request that began it: it ties log lines together
    reference: str  # two letters, shown beside the caller's form and in the text
    nonce: str  # random; with the secret key it gives the code
    key_id: str  # which secret key that is
    challenge_text: str  # the text to send, with {code} where the code goes
    terms: Terms
    created_at: datetime
    deadline_at: datetime  # closed at this instant; provisional until accepted_at is known
    first_try_at: datetime | None = None  # when the text was first handed to Twilio
    accepted_at: datetime | None = None  # when Twilio took it: the window opens
    attempts: int = 0
    sends: int = 1  # texts with its code
    # When the newest text was asked for, or accepted by Twilio; None: at the start.
    newest_send_at: datetime | None = None
    last_guess: str | None = None  # keyed hash of the newest wrong guess, never the guess
    # Wrong answers that the limits of its number still allow, as of the start or the newest wrong
    # answer; None: no such limit is set.
    wrong_left: int | None = None
    outcome: Outcome | None = None
    suspended_at: datetime | None = None
    held_outcome: Outcome | None = None  # decided while suspended, not yet published
    is_hinted: bool = False
    answers: int = 0  # texts sent in answer to replies
    is_afterthought_answered: bool = False  # one reply after the end was answered; no other is
    is_to_erase: bool = False  # Twilio's copy of its text, once it is over
    tag: str | None = None  # a label that the caller chose
    locale: str | None = None  # BCP 47 tag of its texts, chosen at the start; None: begun by 0.1
    # Set by the store, for display only: no decision depends on it.
    unwritten_events: int = field(default=0, compare=False)  # beyond what its history may hold
    updated_at: datetime | None = field(default=None, compare=False)

    @property
    def status(self) -> Status:
        return self.outcome.status if self.outcome else Status.PENDING

    @property
    def stage(self) -> Stage:
        if self.outcome is not None:
            return Stage(self.outcome.status.value)
        if self.suspended_at is not None:
            return Stage.SUSPENDED
        return Stage.WAITING if self.accepted_at is None else Stage.RUNNING

    @property
    def is_terminal(self) -> bool:
        return self.outcome is not None

    def is_of(self, caller: str, keys: frozenset[str]) -> bool:
        """Whether this caller began the verification: by name, or with one of the caller's keys,
        which may have had another name or none then."""
        return self.started_by == caller or self.caller_key in keys

    @property
    def is_decided(self) -> bool:
        """Whether the outcome is final: neither a person nor a timer can change it."""
        return self.outcome is not None or self.held_outcome is not None

    @property
    def is_approved(self) -> bool:
        """Whether it is approved, or will be once it is no longer suspended."""
        outcome = self.outcome or self.held_outcome
        return outcome is not None and outcome.status is Status.APPROVED

    @property
    def attempts_left(self) -> int:
        """The attempts left to it, or the wrong answers left to its number, if those are fewer."""
        own = self.terms.max_attempts - self.attempts
        return own if self.wrong_left is None else min(own, self.wrong_left)

    @property
    def due_at(self) -> datetime | None:
        """The instant at which the timer must look at it next; None once it is finished."""
        if self.is_terminal:
            return None
        if self.suspended_at is not None:
            return self.suspended_at + SUSPENSION
        return self.deadline_at
