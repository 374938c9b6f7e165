"""The parts of a decision about a verification, and its effects."""

from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.effects import CountUsage, Effect, EraseTexts, Notify, UsageKind, WithdrawTexts
from bot.domain.events import Event
from bot.domain.verification import Status, Verification


class AutoReply(StrEnum):
    """Answers to the person, by text. `wording.answer` has the sentences."""

    APPROVED = "approved"
    WRONG = "wrong"
    OUT_OF_TRIES = "out_of_tries"
    TOO_LATE = "too_late"
    HINT = "hint"
    OLDER_TEXT = "older_text"
    ALREADY_VERIFIED = "already_verified"
    NO_LONGER_NEEDED = "no_longer_needed"
    DISOWNED = "disowned"


@dataclass(frozen=True, slots=True)
class Decision:
    """The return value of `decide`. `usecases/record.py` writes it to the store."""

    verification: Verification
    events: tuple[Event, ...] = ()
    answer: AutoReply | None = None
    is_excused: bool = False  # it failed through Twilio or us: the start does not count
    effects: tuple[Effect, ...] = ()


def effects_of(before: Verification, decision: Decision) -> tuple[Effect, ...]:
    """Effects that follow from the change itself, whichever input caused it."""
    after = decision.verification
    effects: list[Effect] = []
    # A text that Twilio has taken is settled; a further one may not be.
    has_unsettled = before.accepted_at is None or before.sends > 1
    if after.is_decided and not before.is_decided and has_unsettled:
        effects.append(WithdrawTexts())
    has_ended = after.is_terminal and not before.is_terminal
    was_taken_late = after.is_terminal and before.accepted_at != after.accepted_at
    if after.is_to_erase and (has_ended or was_taken_late):
        effects.append(EraseTexts())
    if after.attempts > before.attempts:
        effects.append(CountUsage(UsageKind.WRONG))
    if has_ended and after.status is Status.APPROVED:
        effects.append(CountUsage(UsageKind.APPROVAL))
    # Only without a guess, or failed verifications would allow unlimited guesses.
    if decision.is_excused and after.attempts == 0:
        effects.append(CountUsage(UsageKind.UNSENT))
    if has_ended:
        effects.append(Notify())
    return tuple(effects)


def with_first_event(event: Event, decision: Decision) -> Decision:
    return replace(decision, events=(event, *decision.events))


def answered(v: Verification, events: tuple[Event, ...], answer: AutoReply) -> Decision:
    """A decision with this answer to the person, or with none once enough were given: each is
    billed, and a bot that replies to each would never stop."""
    if v.answers >= v.terms.max_attempts + 2:
        return Decision(v, events)
    return Decision(replace(v, answers=v.answers + 1), events, answer)
