"""A code entered in a form and checked over HTTP, with a verdict at once."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from bot.domain.reply import Attempt, Heard
from bot.domain.transitions import AFTERTHOUGHT, decide
from bot.domain.verification import Status, Verification
from bot.store import verifications
from bot.store.tx import Done, Tx
from bot.usecases import answer
from bot.usecases.failing import retire_key
from bot.usecases.heartbeat import JudgedUntil
from bot.usecases.keywords import present_of
from bot.usecases.record import record
from bot.usecases.rules import Rules
from bot.usecases.running import require_caught_up


class Verdict(Enum):
    RIGHT = "right"
    WRONG = "wrong"  # counted, unless repeated or an older text's; or a suspension holds it back
    UNREADABLE = "unreadable"  # no code of this length: not counted
    ATTEMPTS_USED = "attempts used"  # by earlier answers, and its window is still open: `left`
    GONE = "gone"  # there is none, or it is over


@dataclass(frozen=True, slots=True)
class VerificationSelector:
    """A verification by its number, its id, or both, and whose it must be."""

    phone: str | None = None
    hex_id: str | None = None
    started_by: str | None = None  # None: by any key
    caller_keys: frozenset[str] = frozenset()  # fingerprints of that caller's keys


@dataclass(frozen=True, slots=True)
class Checked:
    verdict: Verdict
    verification: Verification | None = None
    left: timedelta | None = None  # of its window


def find(tx: Tx, selector: VerificationSelector) -> Verification | None:
    """Finds a verification by id; or by number the pending one, or else the latest. None: nothing
    fits."""
    if selector.hex_id is not None:
        verification = verifications.of_hex_id(tx, selector.hex_id)
    else:
        verification = present_of(tx, selector.phone or "")
    if verification is None or selector.phone not in (None, verification.phone):
        return None
    if selector.started_by is not None and not verification.is_of(
        selector.started_by, selector.caller_keys
    ):
        return None
    return verification


def check(
    tx: Tx,
    selector: VerificationSelector,
    heard: Heard,
    *,
    rules: Rules,
    judged_until: JudgedUntil,
) -> Done[Checked]:
    """Judges a code like a reply, with one counter for both. The right code of a verification that
    was approved within the last ten minutes is right again: its caller may have lost the first
    answer, or the person may have texted the code.

    Raises StoreUnavailable.
    """
    verification = find(tx, selector)
    if verification is None:
        return Done(Checked(Verdict.GONE))
    require_caught_up(tx, verification, judged_until)
    read = answer.read_reply(tx, verification, heard, rules)
    if verification.is_terminal:
        left = verification.deadline_at - tx.now
        return Done(Checked(_of_ended(tx, verification, read, rules), verification, left))
    if not isinstance(read, Attempt):
        is_over = not verification.is_decided and tx.now >= verification.deadline_at
        return Done(Checked(Verdict.GONE if is_over else Verdict.UNREADABLE, verification))
    if not rules.keyring.knows(verification):
        changes = retire_key(tx, verification)
        return Done(Checked(Verdict.GONE, verification), changes=changes)
    attempted = answer.attempt_of(tx, verification, read, rules, at=tx.now, by_text=False)
    if not attempted.is_right and answer.is_of_older_text(tx, verification, read, rules):
        return Done(Checked(Verdict.WRONG, verification))
    decision = decide(verification, attempted, tx.now)
    changes = record(tx, verification, decision)
    after = decision.verification
    return Done(Checked(_of_attempt(after), after), changes=changes)


def _of_attempt(after: Verification) -> Verdict:
    if after.status is Status.APPROVED:
        return Verdict.RIGHT
    is_over = after.is_terminal and after.status is not Status.MAX_ATTEMPTS_REACHED
    return Verdict.GONE if is_over else Verdict.WRONG


def _of_ended(tx: Tx, verification: Verification, read: object, rules: Rules) -> Verdict:
    assert verification.outcome is not None
    if verification.status is Status.MAX_ATTEMPTS_REACHED and tx.now < verification.deadline_at:
        return Verdict.ATTEMPTS_USED
    is_fresh = tx.now - verification.outcome.at <= AFTERTHOUGHT
    is_known = rules.keyring.knows(verification)
    if verification.status is not Status.APPROVED or not is_fresh or not is_known:
        return Verdict.GONE
    is_right = isinstance(read, Attempt) and answer.is_right(verification, read, rules.keyring)
    return Verdict.RIGHT if is_right else Verdict.GONE
