"""Counters and gauges in Prometheus' own format."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Gauges:
    """The present state of the service, whichever process brought it about."""

    pending: int
    queue: Mapping[str, int]  # texts by state
    queue_age_seconds: float
    overdue_seconds: float
    open_areas: int
    is_twilio_known: bool
    clock_ahead_seconds: float
    set_aside: int
    webhook_endpoints_disabled: int
    webhook_pending: int
    webhook_oldest_pending_seconds: float


def text(
    families: Iterable[Metric], sums: Mapping[str, float], gauges: Gauges, guess_chance: float
) -> bytes:
    """`families`: of one process, for their names; `sums`: their values over all processes."""
    summed = CollectorRegistry()
    summed.register(_Sums(families, sums))
    _set(gauges, guess_chance, summed)
    return generate_latest(summed)


def _set(gauges: Gauges, guess_chance: float, registry: CollectorRegistry) -> None:
    for name, documentation, value in _values(gauges, guess_chance):
        Gauge(f"textback_{name}", documentation, registry=registry).set(value)
    depth = Gauge(
        "textback_queue_depth",
        "Texts on their way to Twilio now, by state: queued, sending, unknown.",
        ["state"],
        registry=registry,
    )
    for state in ("queued", "sending", "unknown"):
        depth.labels(state).set(gauges.queue.get(state, 0))


def _values(gauges: Gauges, guess_chance: float) -> Iterator[tuple[str, str, float]]:
    """Name, documentation and value of each gauge without labels."""
    yield "pending", "Verifications that are pending now.", gauges.pending
    yield "queue_age_seconds", "How long the oldest queued text waits.", gauges.queue_age_seconds
    said = "How long what is due has waited for a dispatcher: texts and deadlines."
    yield "overdue_seconds", said, gauges.overdue_seconds
    said = "Prefixes and countries where starts are refused now."
    yield "breaker_closed_areas", said, gauges.open_areas
    said = "0 while sending is paused, since Twilio does not accept our credentials."
    yield "twilio_credentials_known", said, int(gauges.is_twilio_known)
    said = "How far stored time is ahead of the clock, after a clock was ahead."
    yield "clock_ahead_seconds", said, gauges.clock_ahead_seconds
    said = "Texts and verifications that cannot be read or carried out, and are skipped."
    yield "rows_set_aside", said, gauges.set_aside
    said = "Webhook endpoints that are set and disabled, so that their events wait."
    yield "webhook_endpoints_disabled", said, gauges.webhook_endpoints_disabled
    said = "Events that wait for the webhook endpoints that are set, 10,000 an endpoint at most."
    yield "webhook_pending", said, gauges.webhook_pending
    said = "How long the oldest of these events has waited."
    yield "webhook_oldest_pending_seconds", said, gauges.webhook_oldest_pending_seconds
    said = "Chance a number and day that a code is guessed, under the present settings."
    yield "guess_chance", said, guess_chance


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


def key_of(name: str, labels: Mapping[str, str]) -> str:
    return json.dumps([name, dict(sorted(labels.items()))])


def _is_of(key: str, family: str) -> bool:
    name = str(json.loads(key)[0])
    return name == family or name.removeprefix(family) in ("_total", "_bucket", "_sum", "_count")


def _order(key: str) -> tuple[str, float, str]:
    """Buckets in their order, each label set together."""
    name, labels = json.loads(key)
    bound = float(labels.pop("le", "inf"))
    return json.dumps(labels), bound, "" if name.endswith("_bucket") else name
