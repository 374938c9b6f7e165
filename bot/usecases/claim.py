"""Claiming texts that are due: each is leased to one thread, which sends it or looks it up.

Each use case begins by loading the text's verification, whose lock is the text's too. A process
that dies leaves a lease that lapses; its call's outcome is unknown then (`look_up.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from bot import wording
from bot.domain.inputs import TextImpossible, TextTried
from bot.domain.transitions import decide
from bot.domain.verification import Cause, Verification
from bot.store import circuits, disowns, outbox, verifications
from bot.store.texts import Text, TextState
from bot.store.tx import Change, Done, Tx
from bot.usecases.failing import fail, retire_key, withdraw_after_no
from bot.usecases.record import record_alike, withdraw_texts
from bot.usecases.rules import Rules

# How long to look up a text whose verification is over, only to erase the text.
LOOKED_UP_FOR = timedelta(days=1)
PUT_OFF = timedelta(seconds=30)  # shortest delay of such a look-up while another one is in progress


def due_ids(tx: Tx, *, limit: int) -> list[str]:
    return outbox.due_ids(tx, limit=limit)


class Step(Enum):
    """The next step with a claimed text."""

    SEND = "send"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class TextClaim:
    """One text to send or to look up, leased to one thread."""

    step: Step
    text_id: str
    number: int  # the claim's own; only the newest one counts
    verification_id: str
    request_id: str  # of the request that began it
    phone: str
    body: str = field(repr=False)  # holds the code: in memory only
    validity_seconds: int
    sid: str | None  # known from a report
    looks: int
    is_after_end: bool  # looked up to be erased, once the verification is over
    has_lapsed: bool  # it took over a lease, whose call may still be under way
    tries: int
    give_up_at: datetime
    give_up_in: timedelta  # until then, when it was claimed
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
    looks_after_end: bool = True,
) -> Done[list[TextClaim]]:
    """Claims due texts, or `only` one of them. The lease counts from `asked_at`, an instant of
    `time.monotonic()`. `looks_after_end`: may claim one text whose verification is over, to look it
    up and erase it; further such texts are put off. Also settles texts that are no longer needed
    and sets unreadable rows aside. While Twilio does not accept our credentials, the rest waits for
    the next probe."""
    circuit = circuits.load(tx, rules.from_address)
    claimed: list[tuple[Text, Verification]] = []
    changes: list[Change] = []
    due = outbox.lock_due(tx, limit=limit, only=only)
    found = verifications.load_skip_locked(tx, [text.verification_id for text in due])
    by_id = {verification.id: verification for verification in found}
    disowned = disowns.among(tx, [verification.phone for verification in found])
    for text in due:
        verification = by_id.get(text.verification_id)
        if verification is None:
            outbox.set_aside(tx, text.id)
        elif (settled := _settled(tx, text, verification, rules, disowned)) is not None:
            changes += settled
        elif verification.is_decided and not looks_after_end:
            outbox.put_off(tx, text.id, due_at=tx.now + max(PUT_OFF, (tx.now - text.queued_at) / 8))
        elif circuit is not None:
            outbox.put_off(
                tx, text.id, due_at=_until_probe(circuit.probe_at, text, verification, tx)
            )
        else:
            claimed.append((text, verification))
            looks_after_end = looks_after_end and not verification.is_decided
    claims = claim_texts(tx, claimed, lease=lease, rules=rules, asked_at=asked_at)
    # Settled rows took up places of the batch, so more texts may be due.
    return Done(claims, has_work=len(claims) < len(due), changes=tuple(changes))


def _settled(
    tx: Tx, text: Text, verification: Verification, rules: Rules, disowned: set[str]
) -> tuple[Change, ...] | None:
    """Settles a text that has no use any more. None: it is to be sent or looked up."""
    if verification.is_decided and not _is_to_be_found(text, verification, rules, tx.now):
        _let_go(tx, text, verification)
        return ()
    if not rules.keyring.knows(verification):
        changes = retire_key(tx, verification)
        _let_go(tx, text, verification)
        return changes
    if text.state is TextState.QUEUED and tx.now >= _give_up_at(text, verification):
        return _give_up(tx, text, verification)
    if text.state is TextState.QUEUED and verification.phone in disowned:
        return withdraw_after_no(tx, verification)
    return None


def is_sending(tx: Tx) -> bool:
    """Whether a dispatcher holds a text at this moment."""
    return outbox.is_sending(tx)


def set_aside(tx: Tx, id: str) -> Done[None]:
    """Sets a text aside that cannot be claimed, so that it does not hold up the others."""
    outbox.set_aside(tx, id)
    return Done(None)


def claim_texts(
    tx: Tx,
    texts: Sequence[tuple[Text, Verification]],
    *,
    lease: timedelta,
    rules: Rules,
    asked_at: float,
) -> list[TextClaim]:
    ids = [text.id for text, _ in texts]
    outbox.claim(tx, ids, until=tx.now + lease, from_address=rules.from_address)
    tried = [(verification, decide(verification, TextTried(), tx.now)) for _, verification in texts]
    record_alike(tx, tried)
    return [_claim(tx, text, verification, rules, asked_at) for text, verification in texts]


def _claim(
    tx: Tx, text: Text, verification: Verification, rules: Rules, asked_at: float
) -> TextClaim:
    code = rules.keyring.code_of(verification)
    return TextClaim(
        step=Step.SEND if text.state is TextState.QUEUED else Step.LOOK,
        text_id=text.id,
        number=text.claims + 1,
        verification_id=verification.id,
        request_id=verification.request_id,
        phone=verification.phone,
        body=wording.insert_code(verification.challenge_text, code),
        validity_seconds=_validity_seconds(verification, tx.now),
        sid=text.sid,
        looks=text.looks if text.state is TextState.UNKNOWN else 0,
        is_after_end=verification.is_decided,
        has_lapsed=text.state is TextState.SENDING,
        tries=text.tries,
        give_up_at=_give_up_at(text, verification),
        give_up_in=_give_up_at(text, verification) - tx.now,
        from_address=rules.from_address,
        is_to_erase=verification.is_to_erase,
        tried_ago=tx.now - (text.first_try_at or tx.now),
        asked_at=asked_at,
    )


def _until_probe(probe_at: datetime, text: Text, verification: Verification, tx: Tx) -> datetime:
    """The instant at which a text is looked at again while sending is paused. A queued text is
    due no later than the moment it is given up."""
    at = max(probe_at, tx.now + timedelta(seconds=1))
    return min(at, _give_up_at(text, verification)) if text.state is TextState.QUEUED else at


def _give_up_at(text: Text, verification: Verification) -> datetime:
    """The instant from which the text is no longer sent."""
    return min(text.queued_at + verification.terms.send_within, verification.deadline_at)


def _validity_seconds(verification: Verification, now: datetime) -> int:
    """How long Twilio may hold the text: until thirty seconds before the window closes, so that the
    person has time to answer, but at least six seconds. Twilio accepts 1 to 36000 seconds."""
    left = verification.terms.window
    if verification.accepted_at is not None:  # a further text
        left = min(left, verification.deadline_at - now)
    return max(6, int(left.total_seconds()) - 30)


def _is_to_be_found(text: Text, v: Verification, rules: Rules, now: datetime) -> bool:
    """Whether a text of a verification that has ended is still looked up: Twilio may have it, and
    its copy, which holds the code, is to be erased."""
    may_be_there = text.state in (TextState.UNKNOWN, TextState.SENDING)
    is_wanted = v.is_to_erase and rules.keyring.knows(v)
    return may_be_there and is_wanted and now < text.queued_at + LOOKED_UP_FOR


def _let_go(tx: Tx, text: Text, verification: Verification) -> None:
    if text.state is TextState.QUEUED:
        withdraw_texts(tx, verification)
    else:
        outbox.abandon(tx, text)


def _give_up(tx: Tx, text: Text, verification: Verification) -> tuple[Change, ...]:
    outbox.refuse(tx, text.id, error_code=None)
    seconds = verification.terms.send_within_seconds
    sentence = f"Twilio did not take the text within {seconds} seconds."
    if text.error_code is not None:
        sentence += f" Its last answer was {text.error_code}."
    impossible = TextImpossible(Cause.SEND_GIVEN_UP, sentence, text.error_code)
    return fail(tx, verification.id, text.id, impossible)
