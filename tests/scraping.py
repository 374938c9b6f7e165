"""Reads /metrics as Prometheus does."""

import json

from prometheus_client.parser import text_string_to_metric_families

from bot.observability.metrics import Gauges
from tests.harness import SYSTEM_KEY, Harness

OTHER_PHONE = "+14255550199"


def scrape(text: str) -> dict[str, float]:
    """Samples by their name and labels, read as Prometheus reads them."""
    return {
        sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(harness: Harness) -> dict[str, float]:
    headers = {"Authorization": f"Bearer {SYSTEM_KEY}"}
    return scrape(harness.call("GET", "/metrics", key=None, headers=headers).text)


def value(samples: dict[str, float], name: str, **labels: str) -> float:
    return samples[f"textback_{name}{json.dumps(labels, sort_keys=True)}"]


NOTHING = Gauges(0, {}, 0.0, 0.0, 0, True, True, 0.0, 0, 0, 0, 0.0, 0.001)
