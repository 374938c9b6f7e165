"""What is counted, for Prometheus. No label ever holds a number, an id or a key.

Each process counts what it does and shares its sums (`shared_counters.py`). The process that is
scraped adds up those of all, so one address is enough: scrape one, or a balancer in front of all.
Gauges are read from the database at each scrape.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.domain.transitions import Event
from bot.domain.verification import ENDS, Status
from bot.store.inbound import Ignored
from bot.store.tx import Change, Done

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ANSWER_SECONDS = (2, 5, 10, 15, 20, 30, 45, 60, 75, 90)
_SHORT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is the case now, wherever it came about."""

    pending: int
    queue: Mapping[str, int]  # texts by state
    queue_age_seconds: float
    overdue_seconds: float
    open_areas: int
    is_twilio_known: bool
    clock_ahead_seconds: float
    set_aside: int


class Metrics:
    def __init__(self, *, guess_chance: float, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._guess_chance = guess_chance
        self.registry = registry = CollectorRegistry()
        self._starts = Counter(
            "textback_starts", "Verifications started.", ["country"], registry=registry
        )
        self._refusals = Counter(
            "textback_refusals",
            "Requests refused, by our code word.",
            ["code"],
            registry=registry,
        )
        self._refused_webhooks = Counter(
            "textback_webhooks_refused",
            "Webhooks refused, by reason: signature, account, repeat.",
            ["reason"],
            registry=registry,
        )
        self._ignored_webhooks = Counter(
            "textback_webhooks_ignored",
            "Webhooks of Twilio's that changed nothing, by reason.",
            ["reason"],
            registry=registry,
        )
        self._cut_connections = Counter(
            "textback_connections_cut",
            "Connections closed on their client, by reason.",
            ["reason"],
            registry=registry,
        )
        self._sends = Counter(
            "textback_sends",
            "Answers to texts handed to Twilio, by outcome and Twilio's error code.",
            ["outcome", "error"],
            registry=registry,
        )
        self._deliveries = Counter(
            "textback_deliveries",
            "Delivery reports, by state and Twilio's error code.",
            ["delivery", "error"],
            registry=registry,
        )
        self._attempts = Counter(
            "textback_attempts",
            "Answers that held a code: right, wrong.",
            ["is"],
            registry=registry,
        )
        self._outcomes = Counter(
            "textback_outcomes", "Verifications ended, by status.", ["status"], registry=registry
        )
        self._answer = Histogram(
            "textback_answer_seconds",
            "From Twilio's acceptance of the text to the right answer.",
            buckets=_ANSWER_SECONDS,
            registry=registry,
        )
        self._lateness = Histogram(
            "textback_timer_lateness_seconds",
            "From a deadline to its verification's end.",
            buckets=_SHORT_SECONDS,
            registry=registry,
        )
        self._transaction = Histogram(
            "textback_transaction_seconds",
            "How long changes of verifications took to write, waiting for lock and disk included.",
            buckets=_SHORT_SECONDS,
            registry=registry,
        )

        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Of a series that is not there yet no rule can say that it does not grow."""
        for status in ENDS:
            self._outcomes.labels(status.value)
        for outcome in ("accepted", "refused", "postponed", "unknown"):
            self._sends.labels(outcome, "")
        for what in ("right", "wrong"):
            self._attempts.labels(what)
        for reason in ("signature", "account", "repeat"):
            self._refused_webhooks.labels(reason)
        for cut in ("head", "body", "answer", "crowded", "refused", "address"):
            self._cut_connections.labels(cut)
        for ignored in Ignored:
            self._ignored_webhooks.labels(ignored.value)

    # -- counting --------------------------------------------------------------------------------

    def webhook_refused(self, reason: str) -> None:
        self._refused_webhooks.labels(reason).inc()

    def connection_cut(self, reason: str) -> None:
        self._cut_connections.labels(reason).inc()

    def webhook_ignored(self, reason: str) -> None:
        self._ignored_webhooks.labels(reason).inc()

    def refused(self, code: str) -> None:
        self._refusals.labels(code).inc()

    def sent(self, outcome: str, error_code: int | None) -> None:
        self._sends.labels(outcome, error_code or "").inc()

    def delivered(self, delivery: str, error_code: int | None) -> None:
        self._deliveries.labels(delivery, error_code or "").inc()

    def committed(self, done: Done[Any], seconds: float) -> None:
        if done.changes:  # not what a process does for itself: it would never be at rest
            self._transaction.observe(seconds)
        for change in done.changes:
            self._count(change)

    def _count(self, change: Change) -> None:
        verification = change.after
        if change.before is None:
            self._starts.labels(verification.country).inc()
        for event in change.events:
            self._count_attempt(event)
        outcome = verification.outcome
        if outcome is None or not change.has_ended:
            return
        self._outcomes.labels(outcome.status.value).inc()
        if outcome.status is Status.APPROVED and verification.accepted_at is not None:
            self._answer.observe((outcome.at - verification.accepted_at).total_seconds())
        was_suspended = change.before is not None and change.before.suspended_at is not None
        if outcome.at == verification.deadline_at and not was_suspended:
            late = (self._clock() - outcome.at).total_seconds()
            self._lateness.observe(max(0.0, late))

    def _count_attempt(self, event: Event) -> None:
        if event.name in ("right_answer", "wrong_answer"):
            self._attempts.labels(event.name.removesuffix("_answer")).inc()

    # -- telling ---------------------------------------------------------------------------------

    def samples(self) -> dict[str, float]:
        """What this process has counted."""
        return {
            _key(sample.name, sample.labels): sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if not sample.name.endswith("_created")
        }

    def text(self, written: Mapping[str, float], gauges: Gauges) -> bytes:
        """All of it, in Prometheus' own format. `written`: what all processes have written down.

        What this one has not written yet is not told: should it die with it, the sums would fall,
        and Prometheus takes a fall for a new beginning and counts everything again.
        """
        sums = dict.fromkeys(self.samples(), 0.0) | dict(written)
        summed = CollectorRegistry()
        summed.register(_Sums(self.registry.collect(), sums))
        self._set(gauges, summed)
        return generate_latest(summed)

    def _set(self, gauges: Gauges, registry: CollectorRegistry) -> None:
        def gauge(name: str, documentation: str, value: float) -> None:
            Gauge(f"textback_{name}", documentation, registry=registry).set(value)

        gauge("pending", "Verifications that are pending now.", gauges.pending)
        depth = Gauge(
            "textback_queue_depth",
            "Texts on their way to Twilio now, by state: queued, sending, unknown.",
            ["state"],
            registry=registry,
        )
        for state in ("queued", "sending", "unknown"):
            depth.labels(state).set(gauges.queue.get(state, 0))
        gauge(
            "queue_age_seconds", "How long the oldest queued text waits.", gauges.queue_age_seconds
        )
        gauge(
            "overdue_seconds",
            "How long what is due has waited for a dispatcher: texts and deadlines.",
            gauges.overdue_seconds,
        )
        gauge(
            "breaker_closed_areas",
            "Prefixes and countries where starts are refused now.",
            gauges.open_areas,
        )
        gauge(
            "twilio_credentials_known",
            "0 while sending is paused, since Twilio does not know our credentials.",
            int(gauges.is_twilio_known),
        )
        gauge(
            "clock_ahead_seconds",
            "How far stored time is ahead of the clock, since a clock was ahead once.",
            gauges.clock_ahead_seconds,
        )
        gauge(
            "rows_set_aside",
            "Texts and verifications that cannot be read or carried out, and are left alone.",
            gauges.set_aside,
        )
        gauge(
            "guess_chance",
            "Chance a number and day that a code is guessed, under the present settings.",
            self._guess_chance,
        )


class _Sums(Collector):
    """The families of one registry, with other values."""

    def __init__(self, families: Iterable[Metric], sums: Mapping[str, float]) -> None:
        self._families = list(families)
        self._sums = sums

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            metric = Metric(family.name, family.documentation, family.type)
            for key in sorted((k for k in self._sums if _is_of(k, family.name)), key=_order):
                name, labels = json.loads(key)
                metric.add_sample(name, labels, self._sums[key])
            yield metric


def _key(name: str, labels: Mapping[str, str]) -> str:
    return json.dumps([name, dict(sorted(labels.items()))])


def _is_of(key: str, family: str) -> bool:
    name = str(json.loads(key)[0])
    return name == family or name.removeprefix(family) in ("_total", "_bucket", "_sum", "_count")


def _order(key: str) -> tuple[str, float, str]:
    """Buckets in their order, each label set together."""
    name, labels = json.loads(key)
    bound = float(labels.pop("le", "inf"))
    return json.dumps(labels), bound, "" if name.endswith("_bucket") else name
