"""The Messaging Service that texts are sent from: its pool, and where its replies go."""

from collections.abc import Iterator
from typing import Any

from bot.channels.gateway import Finding
from bot.channels.twilio import number as webhooks
from bot.channels.twilio.questions import Questions, Unanswered, Why
from bot.channels.twilio.readiness.findings import (
    FindingKind,
    capitalized,
    fault,
    good,
    warning,
)
from bot.channels.twilio.readiness.number import SET, can_text, fallback
from bot.channels.twilio.senders import SenderPool, pool_of, service_of


def findings(questions: Questions) -> Iterator[Finding]:
    """Raises Unanswered."""
    try:
        service = service_of(questions)
    except Unanswered as failed:
        if failed.why is not Why.NOT_FOUND:
            raise
        yield fault(
            FindingKind.SERVICE,
            "The account has no such Messaging Service. Check TWILIO_MESSAGING_SERVICE_SID, and"
            " whether it belongs to another account or subaccount.",
        )
        return
    yield good(FindingKind.SERVICE, "The Messaging Service is the account's.")
    pool = pool_of(questions, service.sid)
    yield from of_pool(pool, service)
    yield from _webhook(questions, service)


def of_pool(pool: SenderPool, service: Any) -> Iterator[Finding]:
    if not pool.can_receive:
        yield fault(
            FindingKind.POOL,
            "The service's pool holds no number, short code or RCS sender, so it receives no reply."
            " Add a sender in Twilio's console.",
        )
    else:
        yield good(FindingKind.POOL, f"The pool holds {_counted(pool)}.")
    if not all(map(can_text, pool.numbers)):
        yield fault(FindingKind.POOL, "A number in the pool cannot text: remove it from the pool.")
    if pool.names:
        yield fault(
            FindingKind.POOL,
            "The pool holds a sender made of letters. Twilio prefers it to a number where a country"
            " allows it, and such a sender receives no reply: remove it.",
        )
    if pool.rcs and not (pool.numbers or pool.short_codes):
        yield warning(
            FindingKind.POOL, "The pool holds RCS senders alone: phones without RCS get no text."
        )
    if pool.others:
        yield warning(
            FindingKind.POOL,
            f"The pool holds a sender of {' and '.join(pool.others)}. A reply there proves no phone"
            " line, and Textback ignores it.",
        )
    if len(pool.numbers) > 1 and not service.sticky_sender:
        yield warning(
            FindingKind.POOL,
            "The pool holds several numbers and Sticky Sender is off: a person may get each text"
            " from another number.",
        )


def _counted(pool: SenderPool) -> str:
    counts = {
        "number": len(pool.numbers),
        "short code": len(pool.short_codes),
        "RCS sender": len(pool.rcs),
    }
    return ", ".join(
        f"{count} {what}{'' if count == 1 else 's'}" for what, count in counts.items() if count
    )


def _webhook(questions: Questions, service: Any) -> Iterator[Finding]:
    try:
        webhook = webhooks.check(questions.settings, questions)
    except webhooks.WebhookUnreadable as failed:
        yield warning(FindingKind.WEBHOOK, str(failed))
        return
    for sentence in webhook.faults:
        yield fault(FindingKind.WEBHOOK, f"{capitalized(sentence)}. {SET}")
    for sentence in webhook.warnings:
        yield warning(FindingKind.WEBHOOK, f"{capitalized(sentence)}.")
    if not webhook.faults:
        yield good(FindingKind.WEBHOOK, f"Replies are posted to {webhook.url}.")
    yield from fallback(service.fallback_url, "service")
