"""Starting a verification: refused, or committed together with the text to send."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from bot import wording
from bot.admission.admission import Admission, AdmissionRequest
from bot.domain import phone
from bot.domain.effects import SendText
from bot.domain.errors import (
    CannotReceiveTexts,
    CountryNotAllowed,
    IdInUse,
    NumberBusy,
    retry_after,
)
from bot.domain.ids import new_id
from bot.domain.inputs import Canceled, Started
from bot.domain.numbering import canonical
from bot.domain.transitions import decide
from bot.domain.verification import Cause, Verification
from bot.store import idempotency, usage, verifications
from bot.store.tx import Change, Done, Store, Tx
from bot.usecases.challenge import TextOptions, challenge_text
from bot.usecases.failing import is_unsent
from bot.usecases.record import record
from bot.usecases.rules import Rules


@dataclass(frozen=True, slots=True)
class StartRequest:
    """The data of a start request, without the number."""

    started_by: str  # name of the caller's key
    request_id: str  # ties log lines together
    start_input: str = ""  # JSON as sent, of an API whose callers read it back
    caller_key: str | None = None  # fingerprint of that key
    caller_keys: frozenset[str] = frozenset()  # of all keys of the caller
    id: str | None = None  # chosen by the caller
    idempotency_key: str | None = None
    tag: str | None = None  # the caller's own word for it
    text: TextOptions = field(default_factory=TextOptions)
    may_supersede: bool = True  # its own pending verification of the number
    operator: str | None = None  # who asked, at the console or by a command
    restart_of: str | None = None  # id of the verification that this starts again

    @property
    def answer_key(self) -> str | None:
        """The key under which the first answer is kept: a caller may send the same key with a start
        and with a restart, which has an answer of its own. No header holds a line break."""
        if self.idempotency_key is None or self.restart_of is None:
            return self.idempotency_key
        return f"{self.idempotency_key}\n{self.restart_of}"


@dataclass(frozen=True, slots=True)
class Start:
    """The verification to start, with its random values: the use case may run twice."""

    id: str
    phone: str  # E.164
    country: str
    request: StartRequest
    nonce: str
    reference: str
    challenge_text: str
    text: SendText


def begin(
    store: Store, number: str, request: StartRequest, *, rules: Rules, admission: Admission
) -> Verification:
    """Starts the verification of a number in any spelling.

    Raises InvalidNumber, CannotReceiveTexts, CountryNotAllowed, TextTooLong, StillCounting, and
    what `start` raises.
    """
    prepared = prepare(number, request, rules)
    admission.require_counted()
    return store.write(start, prepared, rules, admission)


def prepare(number: str, request: StartRequest, rules: Rules) -> Start:
    """Checks the number, writes the text and draws the random values of a start.

    Raises InvalidNumber, CannotReceiveTexts, CountryNotAllowed, TextTooLong.
    """
    read_number = phone.parse(number)
    if read_number.number == canonical(rules.from_address):
        raise CannotReceiveTexts("This is the number that Textback itself sends from.")
    country = read_number.country_among(rules.allowed_countries)
    if country is None:
        raise CountryNotAllowed(
            f"Numbers of {read_number.country} are not verified here. ALLOWED_COUNTRIES says which"
            " are."
        )
    reference = "".join(secrets.choice(wording.REFERENCE_LETTERS) for _ in range(2))
    locale, text = challenge_text(request.text, rules, country, reference)
    return Start(
        id=request.id or new_id(),
        phone=read_number.number,
        country=country,
        request=request,
        nonce=secrets.token_hex(16),
        reference=reference,
        challenge_text=text,
        text=SendText(secrets.token_urlsafe(18), rules.from_address, locale),
    )


def start(tx: Tx, prepared: Start, rules: Rules, admission: Admission) -> Done[Verification]:
    """Starts the verification. Returns it, or the one that the same Idempotency-Key began before.
    Raises IdInUse, OptedOut, Disowned, NumberBusy, LimitReached, BreakerOpen, SenderUnavailable,
    QueueTooLong.
    """
    tx.lock_name(prepared.phone)
    first = _first_answer(tx, prepared)
    if first is not None:
        return Done(first)
    if verifications.load(tx, prepared.id) is not None:
        raise IdInUse(f"A verification with the id {prepared.id} already exists.")
    # Lock it before anything is counted, so that no wrong answer to it comes in between.
    older = verifications.pending_of(tx, prepared.phone)
    wrong_left = usage.wrong_left(tx, rules.wrong_per_number, phone=prepared.phone)
    new = new_verification(prepared, rules, tx.now, wrong_left)
    admission_request = AdmissionRequest.of(new, prepared.text.from_address)
    tests_opt_out = admission.check(tx, admission_request)
    superseded = _supersede(tx, prepared, older)
    is_probe = admission.pass_circuit_breaker(tx, admission_request, tests_opt_out=tests_opt_out)
    by = prepared.request.operator
    started = decide(None, Started(new, prepared.text, is_probe, by), tx.now)
    changes = (*superseded, *record(tx, None, started))
    if prepared.request.answer_key is not None:
        idempotency.add(
            tx,
            started_by=prepared.request.started_by,
            key=prepared.request.answer_key,
            phone=prepared.phone,
            verification_id=prepared.id,
        )
    return Done(started.verification, has_work=True, changes=changes)


def _first_answer(tx: Tx, prepared: Start) -> Verification | None:
    request = prepared.request
    if request.answer_key is None:
        return None
    id = idempotency.load(
        tx,
        started_by=request.started_by,
        caller_keys=request.caller_keys,
        key=request.answer_key,
        phone=prepared.phone,
    )
    return verifications.load(tx, id) if id else None


def _supersede(tx: Tx, prepared: Start, older: Verification | None) -> tuple[Change, ...]:
    if older is None:
        return ()
    request = prepared.request
    is_own = older.is_of(request.started_by, request.caller_keys)
    if not is_own or not request.may_supersede:
        raise number_busy(tx, older)
    reason = f"superseded by {prepared.id}"
    canceled = Canceled(Cause.SUPERSEDED, reason, is_unsent=is_unsent(tx, older))
    return record(tx, older, decide(older, canceled, tx.now))


def number_busy(tx: Tx, older: Verification) -> NumberBusy:
    over_at = older.due_at or tx.now  # a suspended one is held beyond its deadline
    return NumberBusy(
        "This number is being verified, and this start cannot replace that verification. Try again"
        " when it has ended.",
        retry_after_seconds=retry_after(over_at - tx.now),
    )


def new_verification(
    prepared: Start, rules: Rules, now: datetime, wrong_left: int | None
) -> Verification:
    return Verification(
        id=prepared.id,
        phone=prepared.phone,
        country=prepared.country,
        started_by=prepared.request.started_by,
        caller_key=prepared.request.caller_key,
        wrong_left=wrong_left,
        start_input=prepared.request.start_input,
        request_id=prepared.request.request_id,
        reference=prepared.reference,
        nonce=prepared.nonce,
        key_id=rules.keyring.current_id,
        challenge_text=prepared.challenge_text,
        terms=rules.terms,
        is_to_erase=rules.erases_at_twilio,
        tag=prepared.request.tag,
        locale=prepared.text.locale,
        created_at=now,
        deadline_at=now + rules.terms.send_within + rules.terms.window,
    )
