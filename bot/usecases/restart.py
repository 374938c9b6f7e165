"""Starting again for the number of an earlier verification, and what would refuse that now."""

from bot.admission.admission import Admission, AdmissionRequest
from bot.domain.errors import Refusal
from bot.domain.verification import Verification
from bot.store import verifications
from bot.store.tx import Store, Tx
from bot.usecases import read
from bot.usecases.challenge import TextOptions
from bot.usecases.rules import Rules
from bot.usecases.start import StartRequest, begin, new_verification, number_busy, prepare


def restart(
    store: Store,
    id: str,
    *,
    request_id: str,
    rules: Rules,
    admission: Admission,
    caller_key: str | None = None,
    idempotency_key: str | None = None,
    may_supersede: bool = True,
    operator: str | None = None,
) -> Verification:
    """Starts a new verification of the same number, counted for the key that began the old one.

    Raises UnknownVerification, and what `begin` raises.
    """
    before = store.read(read.view, id).verification
    request = StartRequest(
        started_by=before.started_by,
        request_id=request_id,
        start_input=before.start_input,
        tag=before.tag,
        text=TextOptions(locale=before.locale),
        caller_key=caller_key,
        idempotency_key=idempotency_key,
        may_supersede=may_supersede,
        operator=operator,
        restart_of=id,
    )
    return begin(store, before.phone, request, rules=rules, admission=admission)


def refusal_of_restart(
    tx: Tx, before: Verification, rules: Rules, admission: Admission
) -> Refusal | None:
    """The refusal that a restart would meet now; None: it would be admitted. The circuit breaker is
    left out, since asking it may use up its probe. Changes nothing."""
    request = StartRequest(before.started_by, request_id="")
    try:
        wanted = prepare(before.phone, request, rules)
        new = new_verification(wanted, rules, tx.now, wrong_left=None)
        admission.check(tx, AdmissionRequest.of(new, wanted.text.from_address))
    except Refusal as refusal:
        return refusal
    pending = verifications.pending_of(tx, wanted.phone)
    if pending is not None and pending.started_by != before.started_by:
        return number_busy(tx, pending)
    return None
