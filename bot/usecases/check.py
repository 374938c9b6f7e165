"""A code entered in a form and checked over HTTP, with a verdict at once."""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from bot.domain.effects import UsageKind
from bot.domain.errors import LimitReached
from bot.domain.events import EventName
from bot.domain.ids import run_id
from bot.domain.reply import Attempt, PreparedText, Reading
from bot.domain.transitions import AFTERTHOUGHT, decide
from bot.domain.verification import Status, Verification
from bot.store import history, usage, verifications
from bot.store.rows import UnreadableRow
from bot.store.tx import Done, Tx
from bot.usecases import attempts, read
from bot.usecases.failing import retire_key
from bot.usecases.heartbeat import JudgedUntil
from bot.usecases.keywords import disprove_opt_out
from bot.usecases.preconditions import require_caught_up
from bot.usecases.read import VerificationView
from bot.usecases.record import count_usage, record
from bot.usecases.rules import Rules


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
    """Finds a verification by id; or by number the pending one if it is the caller's, or else the
    caller's latest. None: nothing fits."""
    if selector.hex_id is not None:
        found = verifications.of_hex_id(tx, selector.hex_id)
        return found if found is not None and _fits(found, selector) else None
    number = selector.phone or ""
    pending = verifications.pending_of(tx, number)
    if pending is not None and _fits(pending, selector):
        return pending
    latest = next((v for v in verifications.recent_of(tx, number) if _fits(v, selector)), None)
    return verifications.load(tx, latest.id) if latest else None  # with its lock


def find_shown(tx: Tx, selector: VerificationSelector) -> VerificationView | None:
    """Finds a verification that may still be asked for. Expired and failed ones are gone, as at
    Twilio; by number only a pending or just approved one is found."""
    found = find(tx, selector)
    is_by_number = selector.phone is not None
    return read.of(tx, found) if found and _is_shown(tx, found, is_by_number=is_by_number) else None


def _is_shown(tx: Tx, v: Verification, *, is_by_number: bool) -> bool:
    if v.outcome is None:
        return True
    if v.status is Status.APPROVED:  # Twilio deletes these; a page may follow one
        return is_just_approved(tx, v)
    return not is_by_number and v.status in (Status.CANCELED, Status.MAX_ATTEMPTS_REACHED)


def _fits(v: Verification, selector: VerificationSelector) -> bool:
    if selector.phone not in (None, v.phone):
        return False
    return selector.started_by is None or v.is_of(selector.started_by, selector.caller_keys)


def check(
    tx: Tx,
    selector: VerificationSelector,
    prepared: PreparedText,
    *,
    rules: Rules,
    judged_until: JudgedUntil,
) -> Done[Checked]:
    """Judges a code like a reply, with one counter for both. The right code of a verification that
    was approved within the last ten minutes is right again: its caller may have lost the first
    answer, or the person may have texted the code.

    Raises LimitReached, StoreUnavailable.
    """
    verification = _find_in_order(tx, selector)
    if verification is None:
        return Done(Checked(Verdict.GONE))
    require_caught_up(tx, verification, judged_until)
    reply = attempts.read_reply(tx, verification, prepared, rules)
    if verification.is_terminal:
        left = verification.deadline_at - tx.now
        return Done(Checked(_of_ended(tx, verification, reply, rules), verification, left))
    if not isinstance(reply, Attempt):
        is_held = verification.is_decided or verification.suspended_at is not None
        is_over = not is_held and tx.now >= verification.deadline_at
        return Done(Checked(Verdict.GONE if is_over else Verdict.UNREADABLE, verification))
    if not rules.keyring.knows(verification):
        changes = retire_key(tx, verification)
        return Done(Checked(Verdict.GONE, verification), changes=changes)
    attempted = attempts.attempt_of(tx, verification, reply, rules, at=tx.now, by_text=False)
    if not attempted.is_right and not verification.is_decided:  # else nothing would be counted
        older = attempts.older_with_code(tx, verification, reply, rules, at=tx.now)
        if older is not None and _is_approval(tx, older, selector):
            return Done(Checked(Verdict.RIGHT, older))
        if older is not None and tx.now < verification.deadline_at:
            return Done(Checked(Verdict.WRONG, verification))
    decision = decide(verification, attempted, tx.now)
    changes = record(tx, verification, decision)
    disprove_opt_out(tx, changes, rules.from_address)
    return Done(_checked(tx, verification, decision.verification), changes=changes)


def _find_in_order(tx: Tx, selector: VerificationSelector) -> Verification | None:
    """Locks the number before its verifications, as a start does: all count in one bound."""
    id = verifications.id_of_hex(tx, selector.hex_id) if selector.hex_id is not None else None
    phone = verifications.phone_of(tx, id) if id is not None else selector.phone
    if phone is not None:
        tx.lock_name(phone)
        _is_pending(tx, phone)  # its lock, before an older one's
    return find(tx, selector)


def _is_pending(tx: Tx, phone: str) -> bool:
    """Whether a verification of the number is pending, readable or not; locks it."""
    try:
        return verifications.pending_of(tx, phone) is not None
    except UnreadableRow:
        return True


def _checked(tx: Tx, before: Verification, after: Verification) -> Checked:
    if after is not before:  # as its row says from now on
        after = replace(after, updated_at=tx.now)
    return Checked(_of_attempt(after), after)


def _respect_bound(tx: Tx, v: Verification, rules: Rules) -> None:
    """If the number's bound on wrong codes is reached as well, a new verification is refused until
    that has room, which may be after the window. Raises LimitReached."""
    hit = usage.hit(tx, UsageKind.WRONG, rules.wrong_per_number, phone=v.phone)
    if hit is not None and tx.now + timedelta(seconds=hit[1]) > v.deadline_at:
        raise LimitReached(*hit)


def is_just_approved(tx: Tx, v: Verification) -> bool:
    """Whether it was approved within ten minutes: by the reply, or by the moment at which callers
    could see it, which a suspension or an outage makes later."""
    if v.outcome is None or v.status is not Status.APPROVED:
        return False
    if tx.now - v.outcome.at <= AFTERTHOUGHT:
        return True
    published_at = history.newest_at(tx, v.id, EventName.APPROVED)
    return published_at is not None and tx.now - published_at <= AFTERTHOUGHT


def _is_approval(tx: Tx, older: Verification, selector: VerificationSelector) -> bool:
    """Whether an older verification of this caller was approved by a text, which a page may not
    have noticed. One that was approved by a check has been used: its code must not serve again."""
    is_found_by_number = selector.hex_id is None
    if not is_found_by_number or not _fits(older, selector) or not is_just_approved(tx, older):
        return False
    return history.was_answered_by_text(tx, older.id)


def _of_attempt(after: Verification) -> Verdict:
    if after.status is Status.APPROVED:
        return Verdict.RIGHT
    is_over = after.is_terminal and after.status is not Status.MAX_ATTEMPTS_REACHED
    return Verdict.GONE if is_over else Verdict.WRONG


def _of_ended(tx: Tx, verification: Verification, reply: Reading, rules: Rules) -> Verdict:
    """Raises LimitReached."""
    assert verification.outcome is not None
    if verification.status is Status.MAX_ATTEMPTS_REACHED and tx.now < verification.deadline_at:
        _respect_bound(tx, verification, rules)
        return Verdict.ATTEMPTS_USED
    if not is_just_approved(tx, verification) or not rules.keyring.knows(verification):
        return Verdict.GONE
    return _after_approval(tx, verification, reply, rules)


def _after_approval(tx: Tx, verification: Verification, reply: Reading, rules: Rules) -> Verdict:
    """Judges the code once more. A wrong one counts as before the approval, in the same bounds:
    otherwise ten minutes would be enough to guess it. The last of the number's day is left to a
    pending verification, if there is one, which it ends."""
    if not isinstance(reply, Attempt):
        return Verdict.GONE
    phone, id = verification.phone, run_id(verification.nonce)
    most = verification.terms.max_attempts
    if usage.count_wrong(tx, phone, run_id=id, most=most) >= most:
        return Verdict.GONE
    left = usage.wrong_left(tx, rules.wrong_per_number, phone=phone)
    if left is not None and left <= (1 if _is_pending(tx, phone) else 0):
        return Verdict.GONE
    attempted = attempts.attempt_of(tx, verification, reply, rules, at=tx.now, by_text=False)
    if attempted.is_right:
        return Verdict.RIGHT
    is_of_older = attempts.older_with_code(tx, verification, reply, rules, at=tx.now) is not None
    if not is_of_older and attempted.guess != verification.last_guess:  # a repeat tells nothing
        count_usage(tx, UsageKind.WRONG, verification)
        verifications.note_guess(tx, verification.id, attempted.guess)
    return Verdict.GONE
