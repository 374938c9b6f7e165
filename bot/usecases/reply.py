"""A reply, judged: an inbound text, or the answer given by HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain import code, reply, wording
from bot.domain.code import Keyring
from bot.domain.errors import AlreadyFinished, UnknownVerification
from bot.domain.limits import Limit
from bot.domain.reply import Attempt, Keyword, Quote
from bot.domain.transitions import (
    Attempted,
    Canceled,
    Chattered,
    Decision,
    Event,
    OlderCodeSent,
    TextImpossible,
    decide,
)
from bot.domain.verification import Verification
from bot.store import history, inbound, opt_outs, tallies, verifications
from bot.store.tx import Change, Done, Tx
from bot.usecases.record import record

# Twilio stamps whole seconds, so what looks a little earlier may be a little later.
STAMP_RESOLUTION = timedelta(seconds=1)

KEY_RETIRED = "key_retired"


@dataclass(frozen=True, slots=True)
class InboundText:
    message_sid: str
    phone: str  # who sent it, E.164
    sender: str  # our number or Messaging Service, which opt-outs are kept for
    body: str = field(repr=False)
    keyword: Keyword | None = None  # as Twilio's Advanced Opt-Out read it
    sent_at: datetime | None = None  # of a text that was missed, as Twilio stamped it


@dataclass(frozen=True, slots=True)
class Judged:
    """The sentence to answer with, or None; and whether the text had been judged before."""

    answer: str | None
    is_repeat: bool = False


def judge_text(
    tx: Tx, text: InboundText, *, keyring: Keyring, wrong: Sequence[Limit] = ()
) -> Done[Judged]:
    """What comes of a text. A repeat gets the first answer and changes nothing."""
    given = inbound.recall(tx, text.message_sid)
    if given is not None:
        return Done(Judged(given.answer, is_repeat=True))
    keyword = text.keyword or reply.keyword(text.body)
    judged = _obey(tx, text, keyword) if keyword else _judge(tx, text, keyring, wrong)
    if judged.value and opt_outs.load(tx, phone=text.phone, sender=text.sender):
        judged = replace(judged, value=None)  # who has texted STOP gets no text, not even this
    inbound.remember(tx, text.message_sid, answer=judged.value)
    return Done(Judged(judged.value), judged.has_work, judged.changes)


def judge_event(
    tx: Tx, id: str, text: str, *, keyring: Keyring, wrong: Sequence[Limit] = ()
) -> Done[None]:
    """The answer given by HTTP to one verification. Text that holds no code is no attempt.

    Raises UnknownVerification, AlreadyFinished.
    """
    verification = require_running(tx, id)
    read = _read(verification, text)
    if not isinstance(read, Attempt):
        history.append(tx, id, [Event("unread_event")])
        return Done(None)
    if verification.key_id not in keyring.ids:
        return Done(None, changes=retire_key(tx, verification))
    is_right = _is_right(verification, read, keyring)
    is_last = not is_right and _is_last(tx, verification, wrong)
    attempted = Attempted(is_right, tx.now, by_text=False, is_last=is_last)
    decision = decide(verification, attempted, tx.now)
    return Done(None, changes=record(tx, verification, decision))


def note_event(tx: Tx, id: str, event_name: str) -> Done[None]:
    """An event nobody waits for: its name goes into the history, its content nowhere.

    Raises UnknownVerification, AlreadyFinished.
    """
    require_running(tx, id)
    history.append(tx, id, [Event("event_raised", {"name": event_name})])
    return Done(None)


def require_running(tx: Tx, id: str) -> Verification:
    """Raises UnknownVerification, AlreadyFinished."""
    verification = verifications.load(tx, id)
    if verification is None:
        raise UnknownVerification("No instance has this id.")
    if verification.is_terminal:
        raise AlreadyFinished("This instance has already finished.")
    return verification


def retire_key(tx: Tx, verification: Verification) -> tuple[Change, ...]:
    """Ends a verification whose secret key is listed no more: its code can be told no longer."""
    return record(tx, verification, decide(verification, TextImpossible(KEY_RETIRED), tx.now))


def _obey(tx: Tx, text: InboundText, keyword: Keyword) -> Done[str | None]:
    """Twilio answers keywords itself, so we say nothing."""
    tx.lock_number(text.phone)
    if keyword is Keyword.START:
        opt_outs.unmark(tx, phone=text.phone, sender=text.sender)
    if keyword is not Keyword.STOP:
        return Done(None)
    opt_outs.mark(tx, phone=text.phone, sender=text.sender)
    pending = verifications.pending_of(tx, text.phone)
    if pending is None:
        return Done(None)
    decision = decide(pending, Canceled("opted_out"), tx.now)
    return Done(None, changes=record(tx, pending, decision))


def _judge(tx: Tx, text: InboundText, keyring: Keyring, wrong: Sequence[Limit]) -> Done[str | None]:
    verification = verifications.pending_of(tx, text.phone)
    verification = verification or verifications.latest_of(tx, text.phone)
    if verification is None or _predates(text, verification):
        return Done(None)
    if verification.key_id not in keyring.ids:
        return Done(None, changes=retire_key(tx, verification))
    read = _read(verification, text.body)
    at = min(text.sent_at or tx.now, tx.now)
    if not isinstance(read, Attempt):
        chattered = Chattered(is_quote=isinstance(read, Quote), at=at)
        return _answered(tx, verification, decide(verification, chattered, tx.now))
    is_right = _is_right(verification, read, keyring)
    if not is_right:
        older = _older_with_code(tx, verification, read, keyring)
        if older is not None:
            return _answered(tx, older, decide(older, OlderCodeSent(), tx.now))
    is_last = not is_right and _is_last(tx, verification, wrong)
    attempted = Attempted(is_right, at, is_last=is_last)
    return _answered(tx, verification, decide(verification, attempted, tx.now))


def _answered(tx: Tx, before: Verification, decision: Decision) -> Done[str | None]:
    changes = record(tx, before, decision)
    if decision.answer is None:
        return Done(None, changes=changes)
    return Done(wording.answer(decision.answer, decision.verification), changes=changes)


def _predates(text: InboundText, verification: Verification) -> bool:
    """A missed text, older than the verification: it was meant for one before."""
    if text.sent_at is None:
        return False
    return text.sent_at + STAMP_RESOLUTION <= verification.created_at


def _read(v: Verification, text: str) -> reply.Attempt | reply.Quote | reply.Chatter:
    return reply.read(text, code_length=v.terms.code_length, challenge_text=v.challenge_text)


def _is_right(verification: Verification, attempt: Attempt, keyring: Keyring) -> bool:
    expected = keyring.code(
        key_id=verification.key_id,
        nonce=verification.nonce,
        length=verification.terms.code_length,
    )
    return code.is_same(attempt.digits, expected)


def _is_last(tx: Tx, verification: Verification, wrong: Sequence[Limit]) -> bool:
    """Whether one more wrong answer uses up what the number has over all its verifications."""
    fewer = [replace(limit, amount=limit.amount - 1) for limit in wrong]
    if any(limit.amount == 0 for limit in fewer):
        return True
    return tallies.hit(tx, tallies.WRONG, fewer, phone=verification.phone) is not None


def _older_with_code(
    tx: Tx, pending: Verification, attempt: Attempt, keyring: Keyring
) -> Verification | None:
    """The superseded verification whose text the person is answering, if there is one."""
    for older in verifications.superseded_of(tx, pending.phone):
        is_readable = older.id != pending.id and older.key_id in keyring.ids
        if is_readable and _is_right(older, attempt, keyring):
            return verifications.load(tx, older.id)  # with its lock, if it is still there
    return None
