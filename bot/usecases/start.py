"""Starting a verification: refused, or committed together with the text to send."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from bot.admission.circuit_breaker import CircuitBreaker
from bot.admission.delivery_delay import DeliveryDelay
from bot.admission.rate_limits import RateLimits
from bot.admission.usage_follower import UsageFollower
from bot.domain.errors import (
    IdInUse,
    LimitReached,
    NumberBusy,
    OptedOut,
    QueueTooLong,
    SenderUnavailable,
)
from bot.domain.limits import Limit
from bot.domain.transitions import Canceled, Started, decide
from bot.domain.verification import Cause, Terms, Verification
from bot.store import circuits, idempotency, opt_outs, outbox, usage, verifications
from bot.store.tx import Change, Done, Tx
from bot.usecases.record import record

# How old an opt-out must be for one start a day to try it: Twilio enforces it anyway, and a START
# may have passed us by.
OPT_OUT_TRUSTED = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Start:
    """What a caller asks for, and the random values it is to be made of."""

    id: str
    phone: str  # E.164
    country: str
    started_by: str  # name of the caller's key
    caller_key: str | None  # fingerprint of that key
    start_input: str  # JSON as sent
    request_id: str
    nonce: str
    reference: str
    outbox_id: str
    key_id: str
    challenge_text: str
    terms: Terms
    sender: str  # our number or Messaging Service
    is_to_erase: bool = False  # Twilio's copy of the text, once it is over
    idempotency_key: str | None = None
    may_supersede: bool = True


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a start must not exceed: two exact limits of its number, and the lagging rate_limits."""

    starts: tuple[Limit, ...] = ()
    wrong: tuple[Limit, ...] = ()
    rate_limits: RateLimits | None = None
    breaker: CircuitBreaker | None = None
    following: UsageFollower | None = None  # brings both up to date
    queue: DeliveryDelay = field(default_factory=DeliveryDelay)


def start(tx: Tx, wanted: Start, bounds: Bounds) -> Done[Verification]:
    """The new verification, or the one that the same start began before.

    Raises IdInUse, OptedOut, NumberBusy, LimitReached, BreakerOpen, SenderUnavailable,
    QueueTooLong.
    """
    tx.lock_number(wanted.phone)
    first = _first_answer(tx, wanted)
    if first is not None:
        return Done(first)
    if verifications.load(tx, wanted.id) is not None:
        raise IdInUse(f"An Orchestration instance with the id {wanted.id} already exists.")
    # Its lock before anything is counted: no wrong answer to it slips in between.
    older = verifications.pending_of(tx, wanted.phone)
    _respect_opt_out(tx, wanted)
    _respect_bounds(tx, wanted, bounds)
    _respect_circuit(tx, wanted)
    _respect_queue(tx, wanted, bounds.queue)
    superseded = _supersede(tx, wanted, older)
    # Last, so that no probe is spent on what is refused anyway.
    is_probe = bounds.breaker is not None and bounds.breaker.admit(
        tx, phone=wanted.phone, country=wanted.country, verification_id=wanted.id
    )
    wrong_left = usage.left(tx, usage.WRONG, bounds.wrong, phone=wanted.phone)
    started = decide(None, Started(_verification(wanted, tx.now, wrong_left)), tx.now)
    changes = (*superseded, *record(tx, None, started))
    if is_probe:
        usage.mark_probe(tx, phone=wanted.phone, verification_id=wanted.id)
    outbox.enqueue(tx, id=wanted.outbox_id, verification_id=wanted.id)
    if wanted.idempotency_key is not None:
        idempotency.remember(
            tx,
            started_by=wanted.started_by,
            key=wanted.idempotency_key,
            phone=wanted.phone,
            verification_id=wanted.id,
        )
    return Done(started.verification, has_work=True, changes=changes)


def _first_answer(tx: Tx, wanted: Start) -> Verification | None:
    if wanted.idempotency_key is None:
        return None
    id = idempotency.recall(
        tx, started_by=wanted.started_by, key=wanted.idempotency_key, phone=wanted.phone
    )
    return verifications.load(tx, id) if id else None


def _respect_opt_out(tx: Tx, wanted: Start) -> None:
    mark = opt_outs.load(tx, phone=wanted.phone, sender=wanted.sender)
    if mark is None:
        return
    if tx.now - (mark.last_tried or mark.since) < OPT_OUT_TRUSTED:
        ours = wanted.sender if wanted.sender.startswith("+") else "the sending number"
        raise OptedOut(
            "This number has texted STOP and gets no texts."
            f" Its holder can text START to {ours}, then start again."
        )
    opt_outs.try_once(tx, phone=wanted.phone, sender=wanted.sender)


def _respect_bounds(tx: Tx, wanted: Start, bounds: Bounds) -> None:
    for kind, limits in ((usage.START, bounds.starts), (usage.WRONG, bounds.wrong)):
        hit = usage.hit(tx, kind, limits, phone=wanted.phone)
        if hit is not None:
            limit, seconds = hit
            raise LimitReached(str(limit), seconds)
    if bounds.rate_limits is not None:
        bounds.rate_limits.admit(country=wanted.country, started_by=wanted.started_by, now=tx.now)


def _respect_circuit(tx: Tx, wanted: Start) -> None:
    circuit = circuits.load(tx, wanted.sender)
    if circuit is not None:
        seconds = max(1, ceil((circuit.probe_at - tx.now).total_seconds()))
        raise SenderUnavailable(
            "Twilio does not know the credentials of this service, so nothing can be sent.",
            retry_after_seconds=seconds,
        )


def _respect_queue(tx: Tx, wanted: Start, queue: DeliveryDelay) -> None:
    oldest = outbox.oldest_queued_at(tx)
    ours = tx.now - oldest if oldest else timedelta(0)
    delay = max(ours, queue.delay_at_twilio(tx.now))
    too_long = delay - wanted.terms.window / 2
    if too_long > timedelta(0):
        raise QueueTooLong(
            f"Texts wait {delay.total_seconds():.0f} seconds at the moment, so that the code would"
            " arrive too late.",
            retry_after_seconds=max(1, ceil(too_long.total_seconds())),
        )


def _supersede(tx: Tx, wanted: Start, older: Verification | None) -> tuple[Change, ...]:
    if older is None:
        return ()
    if older.started_by != wanted.started_by or not wanted.may_supersede:
        over_at = older.due_at or tx.now  # a suspended one is held beyond its deadline
        seconds = max(1, ceil((over_at - tx.now).total_seconds()))
        raise NumberBusy(
            "This number is being verified at the moment, and this start may not take its place."
            " Try again when that is over.",
            retry_after_seconds=seconds,
        )
    canceled = Canceled(Cause.SUPERSEDED, f"superseded by {wanted.id}")
    decision = decide(older, canceled, tx.now)
    return record(tx, older, decision)


def _verification(wanted: Start, now: datetime, wrong_left: int | None) -> Verification:
    return Verification(
        id=wanted.id,
        phone=wanted.phone,
        country=wanted.country,
        started_by=wanted.started_by,
        caller_key=wanted.caller_key,
        wrong_left=wrong_left,
        start_input=wanted.start_input,
        request_id=wanted.request_id,
        reference=wanted.reference,
        nonce=wanted.nonce,
        key_id=wanted.key_id,
        challenge_text=wanted.challenge_text,
        terms=wanted.terms,
        is_to_erase=wanted.is_to_erase,
        created_at=now,
        deadline_at=now + wanted.terms.send_within + wanted.terms.window,
    )
