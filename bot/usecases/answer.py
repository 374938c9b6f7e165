"""Judges replies: inbound texts, and answers given over HTTP."""

from datetime import timedelta

from bot import wording
from bot.channels.gateway import NotForUs
from bot.domain import phone, reply
from bot.domain.decision import Decision
from bot.domain.events import Event, EventName
from bot.domain.ignored import IgnoreReason
from bot.domain.inputs import Chattered, DisownedByText, OlderCodeSent
from bot.domain.masking import masked_event
from bot.domain.reply import Attempt, PreparedText, Quote, Reading
from bot.domain.transitions import decide
from bot.domain.verification import Verification
from bot.store import inbound, verifications
from bot.store.tx import Done, Tx
from bot.usecases.attempts import (
    attempt_of,
    is_of_older_text,
    is_right,
    older_with_code,
    read_reply,
    writes_code,
)
from bot.usecases.failing import retire_key, withdraw_after_no
from bot.usecases.heartbeat import JudgedUntil
from bot.usecases.inbound_text import InboundText, Judged
from bot.usecases.keywords import (
    disprove_opt_out,
    is_no,
    is_outdated,
    keyword_of,
    obey,
    obey_outdated,
    opt_out_stands,
    relevant_verification,
)
from bot.usecases.preconditions import require_caught_up, require_running
from bot.usecases.record import erase_message, note, record
from bot.usecases.rules import Rules


def judge_text(
    tx: Tx,
    text: InboundText,
    *,
    rules: Rules,
    judged_until: JudgedUntil,
) -> Done[Judged]:
    """Judges a text. A repeat gets the first answer and changes nothing.

    Raises StoreUnavailable if it would expire a verification while earlier replies may be unjudged.
    """
    given = inbound.load(tx, text.message_sid)
    if given is not None:
        return Done(Judged(given.answer, is_repeat=True))
    if rules.erases_at_twilio:
        _erase_code(tx, text, rules)
    keyword = text.keyword or keyword_of(tx, text, rules)
    if keyword is not None and is_outdated(tx, text):
        done = obey_outdated(tx, text, keyword)
    elif keyword is not None:
        done = obey(tx, text, keyword, rules.service_name)
    else:
        done = _judge(tx, text, rules, judged_until)
    answer, ignored = done.value.answer, done.value.ignored
    is_kept = ignored is not None or (keyword is not None and answer is not None)
    inbound.add(
        tx,
        text.message_sid,
        answer=answer,
        ignored=ignored,
        masked_phone=phone.masked(text.phone) if is_kept else None,
    )
    return done


def ignore_text(tx: Tx, text: NotForUs) -> Done[bool]:
    """Remembers a text that is not for us, and why. False: it was known."""
    sid, masked_phone = text.message_sid, text.masked_phone
    if inbound.load(tx, sid) is not None:
        return Done(False)
    inbound.add(tx, sid, answer=None, ignored=text.reason, masked_phone=masked_phone)
    return Done(True)


def judge_event(
    tx: Tx,
    id: str,
    prepared: PreparedText,
    *,
    rules: Rules,
    judged_until: JudgedUntil,
) -> Done[None]:
    """The answer given by HTTP to one verification. Text that holds no code is no attempt.

    Raises UnknownVerification, AlreadyFinished, StoreUnavailable.
    """
    verification = require_running(tx, id)
    require_caught_up(tx, verification, judged_until)
    read = read_reply(tx, verification, prepared, rules)
    if not isinstance(read, Attempt):
        note(tx, id, Event(EventName.UNREAD_EVENT))
        return Done(None)
    if not rules.keyring.knows(verification):
        return Done(None, changes=retire_key(tx, verification))
    attempt = attempt_of(tx, verification, read, rules, at=tx.now, by_text=False)
    if not attempt.is_right and is_of_older_text(tx, verification, read, rules):
        note(tx, id, Event(EventName.UNREAD_EVENT))
        return Done(None)
    changes = record(tx, verification, decide(verification, attempt, tx.now))
    disprove_opt_out(tx, changes, rules.from_address)
    return Done(None, changes=changes)


def note_event(tx: Tx, id: str, event_name: str) -> Done[None]:
    """Records an event without an effect: its name, with a possible code masked, goes into the
    history; its content is discarded.

    Raises UnknownVerification, AlreadyFinished.
    """
    require_running(tx, id)
    note(tx, id, Event(EventName.EVENT_RAISED, {"name": masked_event(event_name)}))
    return Done(None)


def _judge(tx: Tx, text: InboundText, rules: Rules, judged_until: JudgedUntil) -> Done[Judged]:
    verification = relevant_verification(tx, text.phone)
    if text.age is None:  # a missed text must not wait for missed texts
        require_caught_up(tx, verification, judged_until)
    if text.prepared.is_too_long:
        return Done(Judged(None, ignored=IgnoreReason.TOO_LONG))
    if verification is None:
        return Done(Judged(None, ignored=IgnoreReason.NO_VERIFICATION))
    if verification.is_to_erase:
        erase_message(tx, text.message_sid)
    is_of_earlier = text.predates(verification.created_at, now=tx.now)
    if is_of_earlier and not _proves(tx, text, verification, rules):
        return _judge_earlier(tx, text, verification, rules)
    done = _judge_reply(tx, text, verification, rules)
    if (done.value.answer or done.changes) and opt_out_stands(tx, text, done.changes):
        # A number that has texted STOP gets no text, not even this answer.
        return Done(Judged(None), changes=done.changes)
    return done


def _erase_code(tx: Tx, text: InboundText, rules: Rules) -> None:
    """Erases a reply at Twilio if it may hold a code, even if its verification was forgotten
    meanwhile or began before the setting was on. One that is too long is not read."""
    code_length = rules.terms.code_length
    if text.prepared.is_too_long or reply.may_hold_code(text.prepared, code_length=code_length):
        erase_message(tx, text.message_sid)


def _judge_earlier(tx: Tx, text: InboundText, newest: Verification, rules: Rules) -> Done[Judged]:
    """A missed text from before the number's newest verification, about which it says nothing. But
    a NO to an earlier one blocks further texts to the number, unless it has texted START since, or
    was verified."""
    ignored = Done(Judged(None, ignored=IgnoreReason.BEFORE_ITS_START))
    recent = verifications.recent_of(tx, text.phone)
    later = [one for one in recent if text.predates(one.created_at, now=tx.now)]
    if text.is_outdated or any(one.is_approved for one in later) or len(later) == len(recent):
        return ignored
    earlier = verifications.load(tx, recent[len(later)].id)  # with its lock
    if earlier is None:
        return ignored
    read = read_reply(tx, earlier, text.prepared, rules)
    if not _says_no(tx, text, earlier, read, rules):
        return ignored
    at = tx.now - (text.age or timedelta(0))
    decision = decide(earlier, DisownedByText(at), tx.now)
    if not decision.effects:  # it was approved, or ended more than a day ago
        return ignored
    changes = record(tx, earlier, decision) + withdraw_after_no(tx, newest)
    return Done(Judged(None), changes=changes)


def _says_no(
    tx: Tx,
    text: InboundText,
    verification: Verification,
    read: Reading,
    rules: Rules,
) -> bool:
    is_quote = isinstance(read, Quote) and read.is_ours
    if not is_no(tx, text.prepared, verification, is_quote=is_quote):
        return False
    return not (isinstance(read, Attempt) and writes_code(verification, text.prepared, rules))


def _judge_reply(
    tx: Tx, text: InboundText, verification: Verification, rules: Rules
) -> Done[Judged]:
    at = max(verification.created_at, tx.now - (text.age or timedelta(0)))
    read = read_reply(tx, verification, text.prepared, rules)
    if _says_no(tx, text, verification, read, rules):
        return _answered(tx, verification, decide(verification, DisownedByText(at), tx.now))
    if not rules.keyring.knows(verification):
        return Done(Judged(None), changes=retire_key(tx, verification))
    if not isinstance(read, Attempt):
        chattered = Chattered(is_quote=isinstance(read, Quote), at=at)
        return _answered(tx, verification, decide(verification, chattered, tx.now))
    attempt = attempt_of(tx, verification, read, rules, at=at, by_text=True)
    if not attempt.is_right and not verification.is_terminal:
        older = older_with_code(tx, verification, read, rules, at=at)
        if older is not None:
            return _answered(tx, older, decide(older, OlderCodeSent(at), tx.now))
    return _answered(tx, verification, decide(verification, attempt, tx.now))


def _answered(tx: Tx, before: Verification, decision: Decision) -> Done[Judged]:
    changes = record(tx, before, decision)
    if decision.answer is not None:
        answer = wording.answer(decision.answer, decision.verification)
        return Done(Judged(answer), changes=changes)
    changes_nothing = before.is_terminal and not changes and not decision.effects
    ignored = IgnoreReason.NO_VERIFICATION if changes_nothing else None
    return Done(Judged(None, ignored=ignored), changes=changes)


def _proves(tx: Tx, text: InboundText, verification: Verification, rules: Rules) -> bool:
    """Whether a text that seems older than the verification answers it after all: it holds the
    right code, and the difference is no more than the time that may not have been counted."""
    if text.age is None or tx.now - text.age + text.uncounted <= verification.created_at:
        return False
    read = read_reply(tx, verification, text.prepared, rules)
    return isinstance(read, Attempt) and is_right(verification, read, rules.keyring)
