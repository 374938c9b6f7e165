"""Compares /metrics with what happened."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.observability.metrics import Metrics
from bot.store.tx import StoreUnavailable
from simulator import faults
from simulator.receiver import Behaviour
from tests.harness import PHONE, SYSTEM_KEY, HandClock, Harness
from tests.scraping import NOTHING, OTHER_PHONE, scraped, value
from tests.webhooks.receiver import events

ROOT = Path(__file__).parents[1]


def test_everything_that_happens_is_counted(harness: Harness) -> None:
    harness.start_and_send()
    harness.clock.forward(12)
    harness.text(harness.wrong())
    harness.simulator.webhooks.post_report(harness.texts()[-1], "delivered")
    harness.text(harness.code())
    harness.simulator.faults.add(faults.REFUSE, code=21614)
    harness.start_and_send()
    harness.start_and_send("+33612345678")
    harness.clock.forward(90.5)
    harness.run_once()
    harness.post_start("nonsense")
    samples = scraped(harness)
    assert value(samples, "starts_total", country="US") == 2
    assert value(samples, "starts_total", country="FR") == 1
    assert value(samples, "sends_total", outcome="accepted", error="") == 2
    assert value(samples, "sends_total", outcome="refused", error="21614") == 1
    assert value(samples, "deliveries_total", delivery="delivered", error="") == 1
    assert value(samples, "attempts_total", **{"is": "wrong"}) == 1
    assert value(samples, "attempts_total", **{"is": "right"}) == 1
    for status in ("approved", "failed", "expired"):
        assert value(samples, "outcomes_total", status=status) == 1
    assert value(samples, "refusals_total", code="invalid_number") == 1
    assert value(samples, "answer_seconds_sum") == 12
    assert value(samples, "answer_seconds_bucket", le="15.0") == 1
    assert value(samples, "answer_seconds_bucket", le="10.0") == 0
    assert value(samples, "timer_lateness_seconds_count") == 1
    assert value(samples, "timer_lateness_seconds_sum") == pytest.approx(0.5)
    assert value(samples, "transaction_seconds_count") > 6


def test_a_report_that_is_posted_twice_counts_once(harness: Harness) -> None:
    harness.start_and_send()
    for _ in range(2):
        harness.simulator.webhooks.post_report(harness.texts()[-1], "delivered")
    assert value(scraped(harness), "deliveries_total", delivery="delivered", error="") == 1


def test_a_database_that_refuses_writes_is_told_while_it_does(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counters themselves go through the database, and show the refusals only afterwards."""

    def refuse(*_: object, **__: object) -> None:
        raise StoreUnavailable("it is locked")

    assert value(scraped(harness), "store_writable") == 1
    with monkeypatch.context() as patch:
        patch.setattr(harness.store, "write_within", refuse)
        assert harness.post_start(PHONE).status_code == 503
        samples = scraped(harness)
        assert value(samples, "store_writable") == 0
    harness.start(PHONE)
    samples = scraped(harness)
    assert value(samples, "store_writable") == 1
    assert value(samples, "refusals_total", code="store_unavailable") == 1


def test_gauges_are_read_at_each_scrape(harness: Harness) -> None:
    harness.start()
    harness.start(OTHER_PHONE)
    harness.clock.forward(3)
    samples = scraped(harness)
    assert value(samples, "pending") == 2
    assert value(samples, "queue_depth", state="queued") == 2
    assert value(samples, "queue_age_seconds") == 3
    assert value(samples, "twilio_credentials_known") == 1
    harness.simulator.faults.add(faults.REFUSE, code=20003, times=2)
    harness.run_once()
    assert value(scraped(harness), "twilio_credentials_known") == 0


def test_what_waits_for_webhook_endpoints_is_told(told: Harness) -> None:
    def seen() -> list[float]:
        names = ("endpoints_disabled", "pending", "oldest_pending_seconds")
        return [value(scraped(told), f"webhook_{name}") for name in names]

    assert seen() == [0, 0, 0]
    told.simulator.receiver.behaviour = Behaviour.FAIL
    for phone in (PHONE, OTHER_PHONE):
        told.start_and_send(phone)
    for phone in (PHONE, OTHER_PHONE):
        told.text(told.code(phone), phone)
        told.clock.forward(4)
    assert seen() == [0, 2, 8]
    told.run_once()
    told.simulator.receiver.behaviour = Behaviour.GONE
    told.forward(3)
    (waiting,) = [event for event in events(told) if event.due_at is not None]
    age = (told.clock.now - waiting.created_at).total_seconds()
    assert seen() == [1, 1, age], "the other one was not sent to an endpoint that is gone"
    samples = scraped(told)
    results = ("refused", "gone", "delivered")
    tries = [value(samples, "webhook_tries_total", result=result) for result in results]
    assert tries == [2, 1, 0]
    told.restart(WEBHOOK_URLS="", WEBHOOK_SECRET="")
    assert seen() == [0, 0, 0], "of the endpoints that are set"


def test_no_label_holds_a_number_a_code_or_a_key(harness: Harness) -> None:
    harness.restart(CODE_LENGTH="10")  # too long to be met by chance
    harness.start_and_send()
    harness.text(harness.code())
    headers = {"Authorization": f"Bearer {SYSTEM_KEY}"}
    text = harness.call("GET", "/metrics", key=None, headers=headers).text
    for secret in (PHONE, PHONE[1:], harness.code(), SYSTEM_KEY):
        assert secret not in re.sub(r"[0-9.e+-]+$", "", text, flags=re.MULTILINE)


# -- what is built on them -------------------------------------------------------------------------


def exported() -> set[str]:
    metrics = Metrics(clock=HandClock())
    families = text_string_to_metric_families(metrics.text({}, NOTHING).decode())
    return {family.name for family in families}


def named(text: str) -> set[str]:
    names = set(re.findall(r"textback_[a-z_]+", text))
    return {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in names}


def test_dashboard_and_alerts_name_metrics_that_there_are() -> None:
    dashboard = (ROOT / "ops/grafana-dashboard.json").read_text()
    alerts = (ROOT / "ops/alerts.yml").read_text()
    assert named(dashboard) <= exported()
    assert named(alerts) <= exported()
    panels = json.loads(dashboard)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    rules = [rule for group in yaml.safe_load(alerts)["groups"] for rule in group["rules"]]
    for rule in rules:
        assert {"alert", "expr", "labels", "annotations"} <= rule.keys()
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["what_to_do"]


def test_every_metric_is_documented() -> None:
    documented = re.findall(
        r"^\| `(textback_\w+)`", (ROOT / "docs/operations.md").read_text(), re.M
    )
    assert {re.sub("_total$", "", name) for name in documented} == exported()


def test_every_outcome_has_a_series_from_the_beginning(harness: Harness) -> None:
    """No rule can tell that a missing series does not grow. If the webhook is wrong, nothing was
    ever approved, and the alert for it must fire."""
    told = harness.service.metrics.text({}, NOTHING).decode()
    for status in ("approved", "expired", "max_attempts_reached", "canceled", "failed"):
        assert f'textback_outcomes_total{{status="{status}"}} 0.0' in told
    assert 'textback_webhooks_refused_total{reason="signature"} 0.0' in told


def test_what_is_overdue_is_told(harness: Harness) -> None:
    harness.start_and_send()
    harness.clock.forward(90 + 45)  # and no dispatcher runs
    assert harness.load().overdue.total_seconds() == 45
