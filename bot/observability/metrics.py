"""Counters for Prometheus. No label ever holds a phone number, an id or a key.

Each process counts what it does and shares its sums (`shared_counters.py`). The process that
Prometheus scrapes adds up the sums of all processes, so scrape one address only; it may be a load
balancer's. Gauges are read from the database at each scrape.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from bot.domain.delivery import SendOutcome
from bot.domain.events import Event, EventName
from bot.domain.ignored import IgnoreReason
from bot.domain.verification import ENDS, Cause, Status
from bot.domain.webhook_response import WebhookResult
from bot.observability import exposition
from bot.observability.cuts import Cut
from bot.observability.exposition import Gauges, key_of
from bot.store.tx import Change, Done, MissedRepliesFirst, StoreUnavailable

UNREADABLE_REPORT = "unreadable_report"  # a delivery report that names no text, or no state
UNKNOWN_TEXT = "unknown_text"  # one of a text that is not ours, or was removed

_ATTEMPTS = {EventName.RIGHT_ANSWER: "right", EventName.WRONG_ANSWER: "wrong"}
_ANSWER_SECONDS = (2, 5, 10, 15, 20, 30, 45, 60, 75, 90)
_SHORT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class RefusedWebhook(StrEnum):
    """Why a webhook of Twilio's was refused, or not judged again. The values are published."""

    SIGNATURE = "signature"
    ACCOUNT = "account"  # another one's
    REPEAT = "repeat"  # it was handled before


class Metrics:
    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.registry = registry = CollectorRegistry()

        def counter(name: str, documentation: str, *labels: str) -> Counter:
            return Counter(name, documentation, labels, registry=registry)

        def histogram(name: str, documentation: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(name, documentation, buckets=buckets, registry=registry)

        self._starts = counter("textback_starts", "Verifications started.", "country")
        self._refusals = counter("textback_refusals", "Requests refused, by our code word.", "code")
        self._refused_webhooks = counter(
            "textback_webhooks_refused",
            "Webhooks refused, by reason: signature, account, repeat.",
            "reason",
        )
        self._ignored_webhooks = counter(
            "textback_webhooks_ignored",
            "Webhooks of Twilio's that changed nothing, by reason.",
            "reason",
        )
        self._cut_connections = counter(
            "textback_connections_cut", "Connections that the server closed, by reason.", "reason"
        )
        self._webhook_tries = counter(
            "textback_webhook_tries", "Attempts to deliver an outcome webhook, by result.", "result"
        )
        self._sends = counter(
            "textback_sends",
            "Answers to texts handed to Twilio, by outcome and Twilio's error code.",
            "outcome",
            "error",
        )
        self._deliveries = counter(
            "textback_deliveries",
            "Delivery reports, by state and Twilio's error code.",
            "delivery",
            "error",
        )
        attempts = counter("textback_attempts", "Answers that held a code: right, wrong.", "is")
        self._attempts = {name: attempts.labels(word) for name, word in _ATTEMPTS.items()}
        outcomes = counter("textback_outcomes", "Verifications ended, by status.", "status")
        self._outcomes: dict[Status, Counter] = {
            status: outcomes.labels(status.value) for status in ENDS
        }
        self._disowned = counter(
            "textback_disowned",
            "Replies that the person had not asked for a code: in time or after the end.",
        )
        self._answer = histogram(
            "textback_answer_seconds",
            "From Twilio's acceptance of the text to the right answer.",
            _ANSWER_SECONDS,
        )
        self._lateness = histogram(
            "textback_timer_lateness_seconds",
            "From a deadline to its verification's end.",
            _SHORT_SECONDS,
        )
        self._transaction = histogram(
            "textback_transaction_seconds",
            "How long changes of verifications took to write, waiting for lock and disk included.",
            _SHORT_SECONDS,
        )
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Creates each series at zero, so that `increase()` alerts work. Those of attempts and
        outcomes are created above."""
        for outcome in SendOutcome:
            self._sends.labels(outcome.value, "")
        for reason in RefusedWebhook:
            self._refused_webhooks.labels(reason.value)
        for cut in Cut:
            self._cut_connections.labels(cut)
        for result in WebhookResult:
            self._webhook_tries.labels(result.value)
        for ignored in (*IgnoreReason, UNREADABLE_REPORT, UNKNOWN_TEXT):
            self._ignored_webhooks.labels(str(ignored))
        for error in (StoreUnavailable, MissedRepliesFirst):
            self._refusals.labels(error.counted_as)

    # -- counting --------------------------------------------------------------------------------

    def webhook_refused(self, reason: RefusedWebhook) -> None:
        self._refused_webhooks.labels(reason.value).inc()

    def connection_cut(self, reason: str) -> None:
        self._cut_connections.labels(reason).inc()

    def webhook_ignored(self, reason: str) -> None:
        self._ignored_webhooks.labels(reason).inc()

    def notified(self, result: str) -> None:
        self._webhook_tries.labels(result).inc()

    def refused(self, code: str) -> None:
        self._refusals.labels(code).inc()

    def sent(self, outcome: SendOutcome, error_code: int | None) -> None:
        self._sends.labels(outcome.value, error_code or "").inc()

    def delivered(self, delivery: str, error_code: int | None) -> None:
        self._deliveries.labels(delivery, error_code or "").inc()

    def committed(self, done: Done[Any], seconds: float) -> None:
        if done.changes:  # housekeeping does not count, or an idle process's sums would change
            self._transaction.observe(seconds)
        for change in done.changes:
            self._count(change)

    def _count(self, change: Change) -> None:
        verification = change.after
        if change.before is None:
            self._starts.labels(verification.country).inc()
        for event in change.events:
            self._count_reply(event)
        outcome = verification.outcome
        if outcome is None or not change.has_ended:
            return
        self._outcomes[outcome.status].inc()
        if outcome.cause is Cause.DISOWNED:
            self._disowned.inc()
        if outcome.status is Status.APPROVED and verification.accepted_at is not None:
            self._answer.observe((outcome.at - verification.accepted_at).total_seconds())
        was_suspended = change.before is not None and change.before.suspended_at is not None
        if outcome.at == verification.deadline_at and not was_suspended:
            late = (self._clock() - outcome.at).total_seconds()
            self._lateness.observe(max(0.0, late))

    def _count_reply(self, event: Event) -> None:
        attempt = self._attempts.get(event.name)
        if attempt is not None:
            attempt.inc()
        if event.name is EventName.DISOWNED:
            self._disowned.inc()

    # -- telling ---------------------------------------------------------------------------------

    def samples(self) -> dict[str, float]:
        """The sums of this process."""
        return {
            key_of(sample.name, sample.labels): sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if not sample.name.endswith("_created")
        }

    def text(self, written: Mapping[str, float], gauges: Gauges) -> bytes:
        """All metrics in Prometheus' own format. `written`: the sums that all processes wrote.

        Counts that this process has not written yet are left out: if it died before writing them,
        the sums would fall, which Prometheus takes for a restart, and it counts everything again.
        """
        sums = dict.fromkeys(self.samples(), 0.0) | dict(written)
        return exposition.text(self.registry.collect(), sums, gauges)
