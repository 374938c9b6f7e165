"""A start that sends the text again where the number's verification is pending."""

from dataclasses import replace

from bot.admission.admission import Admission
from bot.domain.inputs import TimePassed
from bot.domain.transitions import decide
from bot.domain.verification import Verification
from bot.store import verifications
from bot.store.tx import Change, Done, Store, Tx
from bot.usecases.heartbeat import JudgedUntil
from bot.usecases.preconditions import require_caught_up
from bot.usecases.record import record
from bot.usecases.resend import resend
from bot.usecases.rules import Rules
from bot.usecases.start import Start, StartRequest, prepare, start


def begin_or_resend(
    store: Store,
    number: str,
    request: StartRequest,
    *,
    rules: Rules,
    admission: Admission,
    judged_until: JudgedUntil,
) -> Verification:
    """Raises what `start.begin` and `resend.resend` raise."""
    wanted = prepare(number, request, rules)
    admission.require_counted()
    return store.write(start_or_resend, wanted, rules, admission, judged_until=judged_until)


def start_or_resend(
    tx: Tx,
    prepared: Start,
    rules: Rules,
    admission: Admission,
    *,
    judged_until: JudgedUntil,
) -> Done[Verification]:
    """Sends the code again if the caller has a pending verification of the number, else starts one.
    If another caller has one, refuses like `start`."""
    tx.lock_name(prepared.phone)
    pending = verifications.pending_of(tx, prepared.phone)
    request = prepared.request
    if pending is None or not pending.is_of(request.started_by, request.caller_keys):
        return start(tx, prepared, rules, admission)
    if pending.suspended_at is None and tx.now >= pending.deadline_at:
        expired = _expire(tx, pending, judged_until)
        done = start(tx, prepared, rules, admission)
        return replace(done, changes=(*expired, *done.changes))
    return resend(tx, pending, prepared.text, admission)


def _expire(tx: Tx, pending: Verification, judged_until: JudgedUntil) -> tuple[Change, ...]:
    """Expires a verification that the timer has not reached yet. Raises StoreUnavailable."""
    require_caught_up(tx, pending, judged_until)
    return record(tx, pending, decide(pending, TimePassed(), tx.now))
