"""A reply, judged: an inbound text, or the answer given by HTTP."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot import wording
from bot.domain import code, phone, reply
from bot.domain.code import Keyring
from bot.domain.errors import AlreadyFinished, UnknownVerification
from bot.domain.limits import Limit
from bot.domain.reply import Attempt, Heard, Keyword, Quote, TooLong
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
from bot.domain.verification import Cause, Verification
from bot.store import erasures, history, inbound, opt_outs, usage, verifications
from bot.store.inbound import Ignored
from bot.store.tx import Change, Done, StoreUnavailable, Tx
from bot.usecases.record import record

# Twilio stamps whole seconds, so what looks a little earlier may be a little later.
STAMP_RESOLUTION = timedelta(seconds=1)

KEY_RETIRED = "key_retired"


@dataclass(frozen=True, slots=True)
class InboundText:
    message_sid: str
    phone: str  # who sent it, E.164 in its canonical spelling
    sender: str  # our number or Messaging Service, which opt-outs are kept for
    body: str = field(repr=False)
    keyword: Keyword | None = None  # as Twilio's Advanced Opt-Out read it
    age: timedelta | None = None  # of a text that was missed, by Twilio's clock
    is_to_short_code: bool = False  # where no network answers HELP and STOP
    heard: Heard = field(init=False, repr=False)  # read here, before any transaction

    def __post_init__(self) -> None:
        object.__setattr__(self, "heard", reply.hear(self.body))


@dataclass(frozen=True, slots=True)
class Judged:
    """The sentence to answer with, or None; whether the text had been judged before; and why it
    changed nothing, where it was ignored."""

    answer: str | None
    is_repeat: bool = False
    ignored: Ignored | None = None


def judge_text(
    tx: Tx,
    text: InboundText,
    *,
    keyring: Keyring,
    wrong: Sequence[Limit] = (),
    service: str | None = None,
    erased_code_length: int | None = None,
    may_expire: Callable[[], bool] = lambda: True,
) -> Done[Judged]:
    """What comes of a text. A repeat gets the first answer and changes nothing.

    `service`: the name that answers from a short code bear. `erased_code_length`: where Twilio's
    copies are erased, the digits of a code, for texts that belong to no verification any more.
    `may_expire`: False while replies that were missed are still being read.

    Raises StoreUnavailable where it would expire a verification before that.
    """
    given = inbound.recall(tx, text.message_sid)
    if given is not None:
        return Done(Judged(given.answer, is_repeat=True))
    keyword = text.keyword or _keyword(tx, text)
    if keyword is not None:
        done = _obey(tx, text, keyword, service)
    else:
        done = _judge(tx, text, keyring, wrong, erased_code_length, may_expire)
    inbound.remember(
        tx,
        text.message_sid,
        answer=done.value.answer,
        ignored=done.value.ignored,
        sender=phone.masked(text.phone),
    )
    return done


def ignore_text(tx: Tx, *, message_sid: str, reason: Ignored, sender: str) -> Done[bool]:
    """Remembers a text that is not for us, and why; `sender` is masked. False: it was known."""
    if inbound.recall(tx, message_sid) is not None:
        return Done(False)
    inbound.remember(tx, message_sid, answer=None, ignored=reason, sender=sender)
    return Done(True)


def judge_event(
    tx: Tx,
    id: str,
    heard: Heard,
    *,
    keyring: Keyring,
    wrong: Sequence[Limit] = (),
    may_expire: Callable[[], bool] = lambda: True,
) -> Done[None]:
    """The answer given by HTTP to one verification. Text that holds no code is no attempt.

    Raises UnknownVerification, AlreadyFinished, StoreUnavailable.
    """
    verification = require_running(tx, id)
    require_time(tx, verification, may_expire)
    read = _read(verification, heard)
    if not isinstance(read, Attempt):
        history.append(tx, id, [Event("unread_event")])
        return Done(None)
    if verification.key_id not in keyring.ids:
        return Done(None, changes=retire_key(tx, verification))
    attempted = _attempted(tx, verification, read, keyring, wrong, at=tx.now, by_text=False)
    decision = decide(verification, attempted, tx.now)
    return Done(None, changes=record(tx, verification, decision))


def note_event(tx: Tx, id: str, event_name: str) -> Done[None]:
    """An event nobody waits for: its name goes into the history, its content nowhere.

    Raises UnknownVerification, AlreadyFinished.
    """
    require_running(tx, id)
    history.append(tx, id, [Event("event_raised", {"name": event_name})])
    return Done(None)


def require_time(tx: Tx, verification: Verification | None, may_expire: Callable[[], bool]) -> None:
    """Refuses what would expire a verification while replies that were missed in an outage are
    still being read: one of them may approve it. Raises StoreUnavailable."""
    if verification is None or verification.is_decided or tx.now < verification.deadline_at:
        return
    if not may_expire():
        raise StoreUnavailable("replies that were missed are read first")


def require_running(tx: Tx, id: str) -> Verification:
    """Raises UnknownVerification, AlreadyFinished."""
    verification = verifications.load(tx, id)
    if verification is None:
        raise UnknownVerification("No instance has this id.")
    if verification.is_terminal:
        raise AlreadyFinished("This instance has already finished.")
    return verification


def retire_key(tx: Tx, verification: Verification) -> tuple[Change, ...]:
    """Fails a verification whose secret key was removed."""
    impossible = TextImpossible(Cause.KEY_RETIRED, KEY_RETIRED)
    return record(tx, verification, decide(verification, impossible, tx.now))


def _keyword(tx: Tx, text: InboundText) -> Keyword | None:
    """The keyword a text is. One that opens with a stop word and goes on asks to be left alone,
    unless it carries a code."""
    word = reply.keyword(text.heard)
    if word is not None or not reply.opens_with_stop(text.heard):
        return word
    verification = _newest_of(tx, text.phone)
    length = verification.terms.code_length if verification else 0
    return None if reply.holds_code_run(text.heard, code_length=length) else Keyword.STOP


def _obey(tx: Tx, text: InboundText, keyword: Keyword, service: str | None) -> Done[Judged]:
    """Twilio answers keywords by itself, except where texts come from a short code of our own
    without Advanced Opt-Out: there it is ours to do."""
    answers = text.is_to_short_code and text.keyword is None
    tx.lock_number(text.phone)
    if keyword is Keyword.START:
        opt_outs.unmark(tx, phone=text.phone, sender=text.sender)
    if keyword is Keyword.HELP and answers:
        return Done(Judged(wording.help_text(service)))
    if keyword is not Keyword.STOP:
        return Done(Judged(None))
    # Confirmed once: nothing is texted to a number after that.
    answers = answers and opt_outs.load(tx, phone=text.phone, sender=text.sender) is None
    opt_outs.mark(tx, phone=text.phone, sender=text.sender)
    judged = Judged(wording.stopped_text(service) if answers else None)
    pending = verifications.pending_of(tx, text.phone)
    if pending is None:
        return Done(judged)
    decision = decide(pending, Canceled(Cause.OPTED_OUT, "opted_out"), tx.now)
    return Done(judged, changes=record(tx, pending, decision))


def _judge(
    tx: Tx,
    text: InboundText,
    keyring: Keyring,
    wrong: Sequence[Limit],
    erased_code_length: int | None,
    may_expire: Callable[[], bool],
) -> Done[Judged]:
    verification = _newest_of(tx, text.phone)
    if text.age is None:  # a missed one is what the others wait for
        require_time(tx, verification, may_expire)
    if text.heard.is_too_long:
        return Done(Judged(None, ignored=Ignored.TOO_LONG))
    if verification is None:
        _erase_lone_code(tx, text, erased_code_length)
        return Done(Judged(None, ignored=Ignored.NO_VERIFICATION))
    if verification.is_to_erase:
        erasures.add_sid(tx, text.message_sid)
    else:  # begun before the setting, perhaps beside one that was forgotten
        _erase_lone_code(tx, text, erased_code_length)
    if _predates(tx, text, verification):
        return Done(Judged(None, ignored=Ignored.BEFORE_ITS_START))
    done = _judge_reply(tx, text, verification, keyring, wrong)
    if done.value and opt_outs.load(tx, phone=text.phone, sender=text.sender):
        # A number that has texted STOP gets no text, not even this answer.
        return Done(Judged(None), changes=done.changes)
    return Done(Judged(done.value), changes=done.changes)


def _newest_of(tx: Tx, number: str) -> Verification | None:
    """What a text of this number is about: its pending verification, or else its latest one."""
    return verifications.pending_of(tx, number) or verifications.latest_of(tx, number)


def _erase_lone_code(tx: Tx, text: InboundText, code_length: int | None) -> None:
    """A code without a verification is of one that was forgotten meanwhile."""
    if code_length is None:
        return
    read = reply.read(text.heard, code_length=code_length, challenge_text="")
    if isinstance(read, Attempt):
        erasures.add_sid(tx, text.message_sid)


def _judge_reply(
    tx: Tx,
    text: InboundText,
    verification: Verification,
    keyring: Keyring,
    wrong: Sequence[Limit],
) -> Done[str | None]:
    if verification.key_id not in keyring.ids:
        return Done(None, changes=retire_key(tx, verification))
    read = _read(verification, text.heard)
    at = tx.now - (text.age or timedelta(0))
    if not isinstance(read, Attempt):
        chattered = Chattered(is_quote=isinstance(read, Quote), at=at)
        return _answered(tx, verification, decide(verification, chattered, tx.now))
    if not _is_right(verification, read, keyring):
        older = _older_with_code(tx, verification, read, keyring)
        if older is not None:
            return _answered(tx, older, decide(older, OlderCodeSent(), tx.now))
    attempted = _attempted(tx, verification, read, keyring, wrong, at=at, by_text=True)
    return _answered(tx, verification, decide(verification, attempted, tx.now))


def _answered(tx: Tx, before: Verification, decision: Decision) -> Done[str | None]:
    changes = record(tx, before, decision)
    if decision.answer is None:
        return Done(None, changes=changes)
    return Done(wording.answer(decision.answer, decision.verification), changes=changes)


def _predates(tx: Tx, text: InboundText, verification: Verification) -> bool:
    """A missed text, older than the verification: it was meant for one before."""
    if text.age is None:
        return False
    return tx.now - text.age + STAMP_RESOLUTION <= verification.created_at


def _read(v: Verification, heard: Heard) -> Attempt | Quote | reply.Chatter | TooLong:
    return reply.read(heard, code_length=v.terms.code_length, challenge_text=v.challenge_text)


def _attempted(
    tx: Tx,
    verification: Verification,
    read: Attempt,
    keyring: Keyring,
    wrong: Sequence[Limit],
    *,
    at: datetime,
    by_text: bool,
) -> Attempted:
    if _is_right(verification, read, keyring):
        return Attempted(True, at, by_text=by_text)
    mark = keyring.guess_mark(
        key_id=verification.key_id, nonce=verification.nonce, digits=read.digits
    )
    left = usage.left(tx, usage.WRONG, wrong, phone=verification.phone)
    return Attempted(False, at, by_text=by_text, guess=mark, wrong_left=left)


def _is_right(verification: Verification, attempt: Attempt, keyring: Keyring) -> bool:
    expected = keyring.code(
        key_id=verification.key_id,
        nonce=verification.nonce,
        length=verification.terms.code_length,
    )
    return code.is_same(attempt.digits, expected)


def _older_with_code(
    tx: Tx, pending: Verification, attempt: Attempt, keyring: Keyring
) -> Verification | None:
    """The superseded verification whose text the person is answering, if there is one."""
    for older in verifications.superseded_of(tx, pending.phone):
        is_readable = older.id != pending.id and older.key_id in keyring.ids
        if is_readable and _is_right(older, attempt, keyring):
            return verifications.load(tx, older.id)  # with its lock, if it is still there
    return None
