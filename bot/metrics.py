"""What is counted, for Prometheus. No label ever holds a number, an id or a key."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counters of one process."""

    def __init__(self, *, guess_chance: float) -> None:
        self._registry = CollectorRegistry()
        self._refused_webhooks = Counter(
            "textback_webhooks_refused",
            "Webhooks refused, by reason: signature, account, repeat.",
            ["reason"],
            registry=self._registry,
        )
        self._refusals = Counter(
            "textback_refusals",
            "Requests refused, by our code word.",
            ["code"],
            registry=self._registry,
        )
        self._closed_areas = Gauge(
            "textback_breaker_closed_areas",
            "Prefixes and countries where starts are refused at the moment.",
            registry=self._registry,
        )
        Gauge(
            "textback_guess_chance",
            "Chance a number and day that a code is guessed, under the present settings.",
            registry=self._registry,
        ).set(guess_chance)

    def webhook_refused(self, reason: str) -> None:
        self._refused_webhooks.labels(reason).inc()

    def refused(self, code: str) -> None:
        self._refusals.labels(code).inc()

    def text(self, *, closed_areas: int) -> bytes:
        """All of it, in Prometheus' own format."""
        self._closed_areas.set(closed_areas)
        return generate_latest(self._registry)
