"""A text on its way: claimed, accepted, refused, unknown, looked up, reported on.

Each begins by loading the text's verification, whose lock is the text's too.

Sending is three steps: claim the row in one transaction, call Twilio in none, write the result in
another. Whoever dies in between leaves a lease that lapses, and its text counts as unknown then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from bot import wording
from bot.domain.code import Keyring
from bot.domain.transitions import Event, TextAccepted, TextImpossible, TextTried, decide
from bot.domain.verification import Cause, Verification
from bot.store import circuits, erasures, history, opt_outs, outbox, verifications
from bot.store.outbox import Text
from bot.store.tx import Change, Done, Tx
from bot.usecases.answer import retire_key
from bot.usecases.record import record

# Looked up twice before it counts as never taken, this far apart: Twilio's list may lag.
LOOKS = 2
LOOK_AGAIN = timedelta(seconds=5)

OPTED_OUT_CODE = 21610  # Twilio's: the number has texted STOP
CREDENTIALS_CODE = 20003  # Twilio's: it does not know who we are


class Duty(Enum):
    SEND = "send"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Claim:
    """One text to send or to look up, leased to one sender."""

    duty: Duty
    text_id: str
    number: int  # the claim's own; only the newest one counts
    verification_id: str
    request_id: str  # of the request that began it
    phone: str
    body: str = field(repr=False)  # holds the code: in memory only
    validity_seconds: int
    sid: str | None  # known from a report
    looks: int
    tries: int
    give_up_at: datetime
    sender: str  # our number or Messaging Service
    is_to_erase: bool  # Twilio's copy, once the verification is over
    tried_ago: timedelta  # since the first try, when it was claimed
    asked_at: float  # of time.monotonic(), before it was claimed: the lease is no older


@dataclass(frozen=True, slots=True)
class Message:
    """A message as Twilio's list shows it. Its age is by Twilio's own clock: ours may be set, or
    be ahead for as long as it once was (`store/steady.py`), but what has passed is the same."""

    sid: str
    age: timedelta


@dataclass(frozen=True, slots=True)
class Report:
    text_id: str
    sid: str
    delivery: str
    error_code: int | None
    is_final: bool  # it has not arrived and never will
    is_of_number: bool  # since the number gets no texts
    sentence: str | None  # what to tell the admin
    sender: str
    is_to_erase: bool = False  # where its verification is gone


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a text was at Twilio before a carrier had it, and when that was."""

    delay: timedelta
    at: datetime


def claim_due(
    tx: Tx,
    *,
    lease: timedelta,
    limit: int,
    keyring: Keyring,
    sender: str,
    asked_at: float,
    only: str | None = None,
) -> Done[list[Claim]]:
    """Takes what is due, or of it `only` one text. `asked_at`, of this process's monotonic clock,
    is from when on it counts the lease. What has no use any more is settled on the way,
    what cannot be read is set aside, and where Twilio does not know our credentials the rest waits
    for the next probe."""
    circuit = circuits.load(tx, sender)
    claims: list[Claim] = []
    changes: list[Change] = []
    due = outbox.lock_due(tx, limit=limit, only=only)
    found = verifications.load_free(tx, [text.verification_id for text in due])
    by_id = {verification.id: verification for verification in found}
    for text in due:
        verification = by_id.get(text.verification_id)
        if verification is None:
            outbox.set_aside(tx, text.id)
        elif verification.is_decided:
            _let_go(tx, text)
        elif verification.key_id not in keyring.ids:
            changes += retire_key(tx, verification)
            _let_go(tx, text)
        elif text.state == outbox.QUEUED and tx.now >= verification.give_up_at:
            changes += _give_up(tx, text, verification)
        elif circuit is not None:
            outbox.wait(tx, text.id, due_at=_until_probe(circuit.probe_at, text, verification, tx))
        else:
            claims.append(_claim(tx, text, verification, lease, keyring, sender, asked_at))
    # Rows that were only settled made room for others.
    return Done(claims, has_work=len(claims) < len(due), changes=tuple(changes))


def set_aside(tx: Tx, id: str) -> Done[None]:
    """A text that cannot be claimed, whatever the reason: it must not hold up the others."""
    outbox.set_aside(tx, id)
    return Done(None)


def hand_back(tx: Tx, claim: Claim) -> Done[None]:
    """The claim was not begun: the process is stopping. Somebody else may have it at once."""
    verifications.load(tx, claim.verification_id)
    if claim.duty is Duty.SEND:
        outbox.put_back(tx, claim.text_id, claim=claim.number, due_at=tx.now, error_code=None)
    else:
        outbox.to_look(tx, claim.text_id, claim=claim.number, due_at=tx.now, looks=claim.looks)
    return Done(None, has_work=True)


def accepted(tx: Tx, claim: Claim, *, message: Message | None, sid: str) -> Done[None]:
    """Twilio took it: just now, or, learned late, when its `message` was created."""
    verification = verifications.load(tx, claim.verification_id)
    if verification is None:  # forgotten or purged meanwhile
        if claim.is_to_erase:
            erasures.add_sid(tx, sid)
        return Done(None)
    if not outbox.accept(tx, claim.text_id, sid=sid):
        return Done(None)
    at = tx.now - message.age if message else tx.now
    decision = decide(verification, TextAccepted(at), tx.now)
    return Done(None, changes=record(tx, verification, decision))


def refused(
    tx: Tx, claim: Claim, *, code: int | None, sentence: str, is_of_number: bool
) -> Done[None]:
    """Twilio will never take it; or it does not know us, and then nothing is sent for a while."""
    text = _still_ours(tx, claim)
    if text is None:
        return Done(None)
    if text.sid is not None:  # a report says that it did: look again
        return unknown(tx, claim)
    if code == CREDENTIALS_CODE:
        probe_at = circuits.open_or_keep(tx, claim.sender, error_code=code)
        return postponed(tx, claim, delay=probe_at - tx.now, code=code)
    if code == OPTED_OUT_CODE:
        opt_outs.mark(tx, phone=claim.phone, sender=claim.sender)
    outbox.refuse(tx, text.id, error_code=code)
    impossible = TextImpossible(Cause.SEND_REFUSED, sentence, code, is_of_number)
    return Done(None, changes=_fail(tx, claim.verification_id, impossible))


def postponed(tx: Tx, claim: Claim, *, delay: timedelta, code: int | None) -> Done[None]:
    """Not taken, but it may be later: to be sent again, or given up when it is too late."""
    verifications.load(tx, claim.verification_id)
    due_at = min(tx.now + delay, claim.give_up_at)
    is_ours = outbox.put_back(
        tx, claim.text_id, claim=claim.number, due_at=max(due_at, tx.now), error_code=code
    )
    if is_ours:
        history.append(tx, claim.verification_id, [Event("text_postponed", {"error_code": code})])
    return Done(None, has_work=True)


def unknown(tx: Tx, claim: Claim) -> Done[None]:
    """Twilio may have it or not: to be looked up."""
    verifications.load(tx, claim.verification_id)
    if outbox.to_look(tx, claim.text_id, claim=claim.number, due_at=tx.now, looks=0):
        history.append(tx, claim.verification_id, [Event("text_unknown")])
    return Done(None, has_work=True)


def looked(tx: Tx, claim: Claim, messages: Sequence[Message]) -> Done[None]:
    """Twilio's list answered. `messages` are those that may be ours, oldest first."""
    text = _still_ours(tx, claim)
    if text is None:
        return Done(None)
    # A report may have brought the sid since the look began.
    ours = [m for m in messages if m.sid == text.sid or not outbox.is_known_sid(tx, m.sid)]
    if ours:
        return accepted(tx, claim, message=ours[0], sid=ours[0].sid)
    if claim.looks + 1 < LOOKS:
        due_at = tx.now + LOOK_AGAIN
        outbox.to_look(tx, claim.text_id, claim=claim.number, due_at=due_at, looks=claim.looks + 1)
        return Done(None, has_work=True)
    # Twilio never had it: the same text, with the same code, may go out after all.
    return postponed(tx, claim, delay=timedelta(0), code=None)


def not_looked(tx: Tx, claim: Claim) -> Done[None]:
    """The look itself failed: it counts for nothing."""
    verifications.load(tx, claim.verification_id)
    due_at = tx.now + LOOK_AGAIN
    outbox.to_look(tx, claim.text_id, claim=claim.number, due_at=due_at, looks=claim.looks)
    return Done(None, has_work=True)


def is_probe_due(tx: Tx, *, sender: str) -> bool:
    circuit = circuits.load(tx, sender)
    return circuit is not None and circuit.probe_at <= tx.now


def probed(tx: Tx, *, sender: str, is_known: bool) -> Done[None]:
    """Twilio was asked whether it knows us. If so, what waits goes out at once."""
    if not is_known:
        circuits.open_or_keep(tx, sender, error_code=CREDENTIALS_CODE)
        return Done(None)
    if circuits.close(tx, sender):
        outbox.hurry(tx)
    return Done(None, has_work=True)


def reported(tx: Tx, report: Report) -> Done[Wait | None]:
    """Twilio tells how far a text has come. Unordered, repeated, possibly of nothing we know.
    Where it was handed to a carrier just now: how long it had waited at Twilio."""
    verification = verifications.of_text(tx, report.text_id)
    text = outbox.load(tx, report.text_id)
    if verification is None and report.is_to_erase:
        erasures.add_sid(tx, report.sid)  # taken, then forgotten
    if verification is None or text is None or text.sid not in (None, report.sid):
        return Done(None)
    if text.sid is None:
        if outbox.is_known_sid(tx, report.sid):
            return Done(None)
        outbox.name(tx, text, sid=report.sid)
        if verification.is_terminal and verification.is_to_erase:
            erasures.add(tx, verification.id)
    waited = None
    is_news = outbox.report(tx, text, delivery=report.delivery, error_code=report.error_code)
    if is_news:
        detail = {"delivery": report.delivery, "error_code": report.error_code}
        history.append(tx, text.verification_id, [Event("delivery", {**detail})])
        if report.delivery == "sent" and verification.accepted_at is not None:
            waited = Wait(tx.now - verification.accepted_at, tx.now)
    changes: tuple[Change, ...] = ()
    if is_news and report.error_code == OPTED_OUT_CODE:
        opt_outs.mark(tx, phone=verification.phone, sender=report.sender)
    if is_news and report.is_final:
        changes = _did_not_arrive(tx, verification, report)
    return Done(waited, has_work=text.sid is None, changes=changes)


def _did_not_arrive(tx: Tx, verification: Verification, report: Report) -> tuple[Change, ...]:
    if tx.now >= verification.deadline_at:
        return ()
    sentence = report.sentence or "The text did not arrive."
    impossible = TextImpossible(
        Cause.NOT_DELIVERED, sentence, report.error_code, report.is_of_number
    )
    return _fail(tx, verification.id, impossible)


def _claim(
    tx: Tx,
    text: Text,
    verification: Verification,
    lease: timedelta,
    keyring: Keyring,
    sender: str,
    asked_at: float,
) -> Claim:
    number = outbox.claim(tx, text, until=tx.now + lease)
    record(tx, verification, decide(verification, TextTried(), tx.now))
    code = keyring.code(
        key_id=verification.key_id,
        nonce=verification.nonce,
        length=verification.terms.code_length,
    )
    return Claim(
        duty=Duty.SEND if text.state == outbox.QUEUED else Duty.LOOK,
        text_id=text.id,
        number=number,
        verification_id=verification.id,
        request_id=verification.request_id,
        phone=verification.phone,
        body=wording.fill(verification.challenge_text, code),
        # Nobody gets a code with hardly time to answer it. Twilio takes 1 to 36000 seconds.
        validity_seconds=max(6, verification.terms.window_seconds - 30),
        sid=text.sid,
        looks=text.looks if text.state == outbox.UNKNOWN else 0,
        tries=text.tries,
        give_up_at=verification.give_up_at,
        sender=sender,
        is_to_erase=verification.is_to_erase,
        tried_ago=tx.now - (text.first_try_at or tx.now),
        asked_at=asked_at,
    )


def _until_probe(probe_at: datetime, text: Text, verification: Verification, tx: Tx) -> datetime:
    """A queued text keeps its bound: it is given up in time, whatever Twilio knows of us."""
    at = max(probe_at, tx.now + timedelta(seconds=1))
    return min(at, verification.give_up_at) if text.state == outbox.QUEUED else at


def _let_go(tx: Tx, text: Text) -> None:
    if text.state == outbox.SENDING:
        outbox.abandon(tx, text)
    else:
        outbox.settle(tx, text.verification_id)


def _give_up(tx: Tx, text: Text, verification: Verification) -> tuple[Change, ...]:
    outbox.refuse(tx, text.id, error_code=None)
    sentence = f"Twilio did not take the text within {verification.terms.send_within_seconds}"
    sentence += " seconds."
    if text.error_code is not None:
        sentence += f" Its last answer was {text.error_code}."
    impossible = TextImpossible(Cause.SEND_GIVEN_UP, sentence, text.error_code)
    decision = decide(verification, impossible, tx.now)
    return record(tx, verification, decision)


def _fail(tx: Tx, verification_id: str, impossible: TextImpossible) -> tuple[Change, ...]:
    verification = verifications.load(tx, verification_id)
    if verification is None:
        return ()
    return record(tx, verification, decide(verification, impossible, tx.now))


def _still_ours(tx: Tx, claim: Claim) -> Text | None:
    verifications.load(tx, claim.verification_id)
    text = outbox.load(tx, claim.text_id)
    is_ours = text is not None and text.state == outbox.SENDING and text.claims == claim.number
    return text if is_ours else None
