"""Counters and gauges in Prometheus' own format."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from bot.store.texts import UNSETTLED

log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Of each gauge without labels.
_DOCUMENTATION = {
    "pending": "Verifications that are pending now.",
    "queue_age_seconds": "Age of the oldest text that nothing has tried to send.",
    "overdue_seconds": "How late a dispatcher is with the oldest text or deadline that is due.",
    "breaker_closed_areas": "Prefixes and countries where starts are refused now.",
    "twilio_credentials_known": (
        "0 while sending is paused, since Twilio does not accept our credentials."
    ),
    "store_writable": "0 while this process cannot write to the database.",
    "clock_ahead_seconds": (
        "How far stored time is ahead of the clock, because a clock was ahead earlier."
    ),
    "rows_set_aside": (
        "Texts and verifications that cannot be read or carried out, and are skipped."
    ),
    "webhook_endpoints_disabled": (
        "Webhook endpoints that are set and disabled, so that their events wait."
    ),
    "webhook_pending": (
        "Events that wait for the webhook endpoints that are set, 10,000 an endpoint at most."
    ),
    "webhook_oldest_pending_seconds": "How long the oldest of these events has waited.",
    "guess_chance": "Chance a number and day that a code is guessed, under the current settings.",
}

# Names that users know, where this code has another.
_PUBLISHED = {
    "open_areas": "breaker_closed_areas",
    "is_twilio_known": "twilio_credentials_known",
    "is_writable": "store_writable",
}


@dataclass(frozen=True, slots=True)
class Gauges:
    """The current state of the whole service, not of this process alone."""

    pending: int
    queue: Mapping[str, int]  # texts by state
    queue_age_seconds: float
    overdue_seconds: float
    open_areas: int
    is_twilio_known: bool
    is_writable: bool
    clock_ahead_seconds: float
    rows_set_aside: int
    webhook_endpoints_disabled: int
    webhook_pending: int
    webhook_oldest_pending_seconds: float
    guess_chance: float


def text(families: Iterable[Metric], sums: Mapping[str, float], gauges: Gauges) -> bytes:
    """`families`: of one process, for their names; `sums`: their values over all processes."""
    summed = CollectorRegistry()
    summed.register(_Sums(families, sums))
    _set(gauges, summed)
    return generate_latest(summed)


def _set(gauges: Gauges, registry: CollectorRegistry) -> None:
    for name, value in _values(gauges).items():
        Gauge(f"textback_{name}", _DOCUMENTATION[name], registry=registry).set(value)
    depth = Gauge(
        "textback_queue_depth",
        "Texts on their way to Twilio now, by state: queued, sending, unknown.",
        ["state"],
        registry=registry,
    )
    for state in UNSETTLED:
        depth.labels(state.value).set(gauges.queue.get(state, 0))


def _values(gauges: Gauges) -> dict[str, float]:
    names = [field.name for field in fields(gauges) if field.name != "queue"]
    return {_PUBLISHED.get(name, name): float(getattr(gauges, name)) for name in names}


class _Sums(Collector):
    """The families of one registry, with other values."""

    def __init__(self, families: Iterable[Metric], sums: Mapping[str, float]) -> None:
        self._families = list(families)
        self._samples = sorted(_samples(sums), key=_order)

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            metric = Metric(family.name, family.documentation, family.type)
            for sample in self._samples:
                if _is_of(sample.name, family.name):
                    metric.samples.append(sample)
            yield metric


def key_of(name: str, labels: Mapping[str, str]) -> str:
    return json.dumps([name, dict(sorted(labels.items()))])


def _samples(sums: Mapping[str, float]) -> Iterator[Sample]:
    for key, value in sums.items():
        try:
            name, labels = json.loads(key)
            float(labels.get("le", "inf"))
            for part in (name, *labels, *labels.values()):
                part.encode()  # each must be text that can be encoded
            yield Sample(name, labels, value)
        except (ValueError, TypeError, AttributeError):
            log.error("the sums of the counter %.100r cannot be read; they are left out", key)


def _is_of(name: str, family: str) -> bool:
    return name == family or name.removeprefix(family) in ("_total", "_bucket", "_sum", "_count")


def _order(sample: Sample) -> tuple[str, float, str]:
    """Buckets in their order, each label set together."""
    labels = {name: value for name, value in sample.labels.items() if name != "le"}
    bound = float(sample.labels.get("le", "inf"))
    return json.dumps(labels), bound, "" if sample.name.endswith("_bucket") else sample.name
