"""Writing a decision down: the only place where effects become rows."""

from collections.abc import Sequence
from typing import assert_never

from bot.domain.decision import Decision
from bot.domain.effects import (
    BlockNumber,
    CountUsage,
    Effect,
    EraseTexts,
    LiftText,
    Notify,
    SendText,
    UsageKind,
    WithdrawTexts,
)
from bot.domain.events import Event
from bot.domain.ids import run_id
from bot.domain.verification import Verification
from bot.store import (
    delivery_reports,
    disowns,
    erasures,
    history,
    outbox,
    usage,
    verifications,
    webhook_endpoints,
    webhook_events,
)
from bot.store.tx import Change, Tx
from bot.webhooks import body


def record(tx: Tx, before: Verification | None, decision: Decision) -> tuple[Change, ...]:
    """Writes a decision: the row, its history, its effects. Returns the change; none if the input
    changed nothing."""
    after = decision.verification
    if before is None:
        verifications.insert(tx, after)
    elif after is not before:
        verifications.update(tx, before, after)
    history.append(tx, after.id, decision.events)
    for effect in decision.effects:
        _carry_out(tx, effect, after)
    is_news = after is not before or decision.events
    return (Change(before, after, decision.events),) if is_news else ()


def record_alike(tx: Tx, decided: Sequence[tuple[Verification, Decision]]) -> None:
    """Writes decisions with the same events and without effects, in a few statements however many
    they are. Those that change nothing may be among them."""
    changed = [(before, done) for before, done in decided if done.verification is not before]
    verifications.update_each(tx, [(before, done.verification) for before, done in changed])
    for event in changed[0][1].events if changed else ():
        history.append_to_each(tx, [before.id for before, _ in changed], event)


def note(tx: Tx, verification_id: str, event: Event) -> None:
    """Appends an event to the history without a decision."""
    history.append(tx, verification_id, [event])


def withdraw_texts(tx: Tx, of: Verification) -> None:
    """Withdraws the texts of a verification that is decided. If Twilio's copies are to be erased,
    an unknown one is still looked up: it may be there."""
    outbox.withdraw(tx, of.id, looks_on=of.is_to_erase)


def withdraw_queued(tx: Tx, of: Verification) -> None:
    """Withdraws the queued texts of a verification that goes on, since one of its texts may
    arrive."""
    outbox.withdraw(tx, of.id, looks_on=True)


def erase_texts(tx: Tx, verification_id: str) -> None:
    """Erases the texts of a verification that is over, once Twilio's sid of a text becomes
    known."""
    erasures.add(tx, verification_id)


def erase_message(tx: Tx, sid: str) -> None:
    """Erases a message that belongs to no verification, or to none of its texts."""
    erasures.add_sid(tx, sid)


def count_usage(tx: Tx, kind: UsageKind, of: Verification) -> None:
    """Adds one row of this kind to the usage of the verification's number, country and caller."""
    usage.add(
        tx,
        kind,
        phone=of.phone,
        country=of.country,
        started_by=of.started_by,
        run_id=run_id(of.nonce),
    )


def add_test_event(tx: Tx, endpoint_id: str, text: str) -> None:
    webhook_events.add(tx, endpoint_id=endpoint_id, verification_id=None, type=body.TEST, body=text)


def _carry_out(tx: Tx, effect: Effect, of: Verification) -> None:
    match effect:
        case SendText():
            outbox.enqueue(tx, effect, verification_id=of.id)
        case WithdrawTexts():
            withdraw_texts(tx, of)
        case EraseTexts():
            erase_texts(tx, of.id)
        case BlockNumber(since):
            disowns.mark(tx, of.phone, since=since)
        case Notify():
            _add_outcome_events(tx, of)
        case LiftText():
            usage.lift_newest(tx, phone=of.phone, run_id=run_id(of.nonce))
        case CountUsage(kind):
            count_usage(tx, kind, of)
        case _:
            assert_never(effect)


def _add_outcome_events(tx: Tx, verification: Verification) -> None:
    """An event for each configured endpoint."""
    endpoints = webhook_endpoints.configured(tx)
    if not endpoints:
        return
    if any(endpoint.failing_since for endpoint in endpoints):  # the others cost no statement
        webhook_endpoints.forget_idle_failures(tx)
    assert verification.outcome is not None
    error_code = verification.outcome.error_code
    error_code = error_code or delivery_reports.newest_error(tx, verification.id)
    sequence = history.newest_number(tx, verification.id)
    for endpoint in endpoints:
        webhook_events.add(
            tx,
            endpoint_id=endpoint.id,
            verification_id=verification.id,
            type=body.type_of(verification),
            body=body.outcome(
                verification,
                error_code=error_code,
                sequence=sequence,
                includes_number=endpoint.includes_number,
            ),
        )
