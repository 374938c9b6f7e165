"""Sending a text: claim it in one transaction, call Twilio in none, write the result in another.

Each use case begins by loading the text's verification, whose lock is the text's too. A process
that dies in between leaves a lease that lapses; its call's outcome is unknown then (`look_up.py`).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from bot import wording
from bot.channels.gateway import Blame, Message, Refused
from bot.domain.events import Event, EventName
from bot.domain.inputs import TextAccepted, TextImpossible, TextTried
from bot.domain.transitions import decide
from bot.domain.verification import Cause, Verification
from bot.store import circuits, history, opt_outs, outbox, verifications
from bot.store.texts import Text, TextState
from bot.store.tx import Change, Done, Tx
from bot.usecases.record import erase_message, record, withdraw_texts
from bot.usecases.rules import Rules
from bot.usecases.running import retire_key


class Duty(Enum):
    """What is to be done with a claimed text."""

    SEND = "send"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Claim:
    """One text to send or to look up, leased to one thread."""

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
    from_address: str  # our number or Messaging Service
    is_to_erase: bool  # Twilio's copy, once the verification is over
    tried_ago: timedelta  # since the first try, when it was claimed
    asked_at: float  # of time.monotonic(), before it was claimed: the lease is no older


def claim_due(
    tx: Tx,
    *,
    lease: timedelta,
    limit: int,
    rules: Rules,
    asked_at: float,
    only: str | None = None,
) -> Done[list[Claim]]:
    """Takes due texts, or `only` one of them. The lease is counted from `asked_at`, an instant of
    `time.monotonic()`. On the way, texts without a use are settled, rows that cannot be read are
    set aside, and while Twilio does not accept our credentials the rest waits for the next probe.
    """
    circuit = circuits.load(tx, rules.from_address)
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
        elif verification.key_id not in rules.keyring.ids:
            changes += retire_key(tx, verification)
            _let_go(tx, text)
        elif text.state is TextState.QUEUED and tx.now >= verification.give_up_at:
            changes += _give_up(tx, text, verification)
        elif circuit is not None:
            outbox.wait(tx, text.id, due_at=_until_probe(circuit.probe_at, text, verification, tx))
        else:
            claims.append(_claim(tx, text, verification, lease, rules, asked_at))
    # Rows that were only settled made room for others.
    return Done(claims, has_work=len(claims) < len(due), changes=tuple(changes))


def set_aside(tx: Tx, id: str) -> Done[None]:
    """A text that cannot be claimed, whatever the reason: it must not hold up the others."""
    outbox.set_aside(tx, id)
    return Done(None)


def hand_back(tx: Tx, claim: Claim) -> Done[None]:
    """The claim was not begun, since the process stops. Another process may claim it at once."""
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
            erase_message(tx, sid)
        return Done(None)
    if not outbox.accept(tx, claim.text_id, sid=sid):
        return Done(None)
    at = tx.now - message.age if message else tx.now
    decision = decide(verification, TextAccepted(at), tx.now)
    return Done(None, changes=record(tx, verification, decision))


def refused(tx: Tx, claim: Claim, result: Refused) -> Done[None]:
    """Twilio will never take it; or it does not accept our credentials, and then nothing is sent
    for a while."""
    text = still_ours(tx, claim)
    if text is None:
        return Done(None)
    if text.sid is not None:  # a report says that it did: look again
        return unknown(tx, claim)
    if result.blame is Blame.CREDENTIALS:
        probe_at = circuits.open_or_keep(tx, claim.from_address, error_code=result.code or 0)
        return postponed(tx, claim, delay=probe_at - tx.now, code=result.code)
    if result.blame is Blame.OPTED_OUT:
        opt_outs.mark(tx, phone=claim.phone, from_address=claim.from_address)
    outbox.refuse(tx, text.id, error_code=result.code)
    impossible = TextImpossible(
        Cause.SEND_REFUSED, result.sentence, result.code, result.blame.is_of_number
    )
    return Done(None, changes=fail(tx, claim.verification_id, impossible))


def postponed(tx: Tx, claim: Claim, *, delay: timedelta, code: int | None) -> Done[None]:
    """Not taken, but it may be later: to be sent again, or given up when it is too late."""
    verifications.load(tx, claim.verification_id)
    due_at = min(tx.now + delay, claim.give_up_at)
    is_ours = outbox.put_back(
        tx, claim.text_id, claim=claim.number, due_at=max(due_at, tx.now), error_code=code
    )
    if is_ours:
        history.append(
            tx, claim.verification_id, [Event(EventName.TEXT_POSTPONED, {"error_code": code})]
        )
    return Done(None, has_work=True)


def unknown(tx: Tx, claim: Claim) -> Done[None]:
    """Twilio may have it or not: to be looked up."""
    verifications.load(tx, claim.verification_id)
    if outbox.to_look(tx, claim.text_id, claim=claim.number, due_at=tx.now, looks=0):
        history.append(tx, claim.verification_id, [Event(EventName.TEXT_UNKNOWN)])
    return Done(None, has_work=True)


def fail(tx: Tx, verification_id: str, impossible: TextImpossible) -> tuple[Change, ...]:
    verification = verifications.load(tx, verification_id)
    if verification is None:
        return ()
    return record(tx, verification, decide(verification, impossible, tx.now))


def still_ours(tx: Tx, claim: Claim) -> Text | None:
    verifications.load(tx, claim.verification_id)
    text = outbox.load(tx, claim.text_id)
    is_ours = text is not None and text.state is TextState.SENDING and text.claims == claim.number
    return text if is_ours else None


def _claim(
    tx: Tx,
    text: Text,
    verification: Verification,
    lease: timedelta,
    rules: Rules,
    asked_at: float,
) -> Claim:
    number = outbox.claim(tx, text, until=tx.now + lease, from_address=rules.from_address)
    record(tx, verification, decide(verification, TextTried(), tx.now))
    code = rules.keyring.code(
        key_id=verification.key_id,
        nonce=verification.nonce,
        length=verification.terms.code_length,
    )
    return Claim(
        duty=Duty.SEND if text.state is TextState.QUEUED else Duty.LOOK,
        text_id=text.id,
        number=number,
        verification_id=verification.id,
        request_id=verification.request_id,
        phone=verification.phone,
        body=wording.fill(verification.challenge_text, code),
        # A code must not arrive with hardly any time left to answer it. Twilio takes 1 to 36000
        # seconds.
        validity_seconds=max(6, verification.terms.window_seconds - 30),
        sid=text.sid,
        looks=text.looks if text.state is TextState.UNKNOWN else 0,
        tries=text.tries,
        give_up_at=verification.give_up_at,
        from_address=rules.from_address,
        is_to_erase=verification.is_to_erase,
        tried_ago=tx.now - (text.first_try_at or tx.now),
        asked_at=asked_at,
    )


def _until_probe(probe_at: datetime, text: Text, verification: Verification, tx: Tx) -> datetime:
    """A queued text keeps its bound: it is given up in time, whatever Twilio accepts."""
    at = max(probe_at, tx.now + timedelta(seconds=1))
    return min(at, verification.give_up_at) if text.state is TextState.QUEUED else at


def _let_go(tx: Tx, text: Text) -> None:
    if text.state is TextState.SENDING:
        outbox.abandon(tx, text)
    else:
        withdraw_texts(tx, text.verification_id)


def _give_up(tx: Tx, text: Text, verification: Verification) -> tuple[Change, ...]:
    outbox.refuse(tx, text.id, error_code=None)
    sentence = f"Twilio did not take the text within {verification.terms.send_within_seconds}"
    sentence += " seconds."
    if text.error_code is not None:
        sentence += f" Its last answer was {text.error_code}."
    impossible = TextImpossible(Cause.SEND_GIVEN_UP, sentence, text.error_code)
    decision = decide(verification, impossible, tx.now)
    return record(tx, verification, decision)
