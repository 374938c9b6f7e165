"""Compares /metrics with what happened."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.observability.metrics import Gauges, Metrics
from bot.observability.shared_counters import SharedCounters
from bot.store import metric_samples
from bot.store.tx import Done, Store
from simulator import faults
from simulator.receiver import Behaviour
from tests.harness import PHONE, SYSTEM_KEY, HandClock, Harness
from tests.processes.service import Service, until

ROOT = Path(__file__).parents[1]
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
    assert seen() == [1, 0, 0], "both were answered 410"
    samples = scraped(told)
    results = ("refused", "gone", "delivered")
    tries = [value(samples, "webhook_tries_total", result=result) for result in results]
    assert tries == [2, 2, 0]
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


NOTHING = Gauges(0, {}, 0.0, 0.0, 0, True, 0.0, 0, 0, 0, 0.0)


def test_each_process_reports_the_sums_of_all(store: Store, clock: HandClock) -> None:
    """Two running processes and one that has ended; each running one reports the sums of all."""

    def process(refusals: int) -> tuple[Metrics, SharedCounters]:
        metrics = Metrics(guess_chance=0.001, clock=clock)
        for _ in range(refusals):
            metrics.refused("limit_reached")
        metrics.sent("accepted", None)
        return metrics, SharedCounters(metrics, store)

    processes = [process(refusals) for refusals in (1, 2, 4)]
    for _, shared_counters in processes:
        shared_counters.write()
        shared_counters.write()
    for metrics, shared_counters in processes[:2]:
        samples = scrape(metrics.text(shared_counters.of_all(), NOTHING).decode())
        assert value(samples, "refusals_total", code="limit_reached") == 7
        assert value(samples, "sends_total", outcome="accepted", error="") == 3


def test_an_idle_process_writes_nothing(store: Store, clock: HandClock) -> None:
    metrics = Metrics(guess_chance=0.001, clock=clock)
    shared_counters = SharedCounters(metrics, store)
    store.on_commit(metrics.committed)
    metrics.refused("limit_reached")
    shared_counters.write()
    writes: list[Done[object]] = []
    store.on_commit(lambda done, _: writes.append(done))
    shared_counters.write()
    assert writes == []


def test_processes_that_are_over_are_added_up(store: Store, clock: HandClock) -> None:
    for process in ("a", "b"):
        store.write(lambda tx, process=process: Done(metric_samples.put(tx, process, {"x": 2.0})))
    clock.forward(8 * 24 * 3600)
    store.write(lambda tx: Done(metric_samples.put(tx, "c", {"x": 1.0})))
    store.write(lambda tx: Done(metric_samples.fold_past(tx)))
    rows = store.read(
        lambda tx: tx.all("SELECT process, value FROM metric_sample ORDER BY process")
    )
    assert [tuple(row) for row in rows] == [("c", 1.0), ("past", 4.0)]
    assert store.read(metric_samples.of_all) == {"x": 5.0}


def test_what_a_killed_process_had_not_written_was_never_told(
    store: Store, clock: HandClock
) -> None:
    """Else the sums would fall, and Prometheus would count everything again."""
    first, second = (Metrics(guess_chance=0.001, clock=clock) for _ in range(2))
    shared_counters = SharedCounters(first, store)
    first.refused("limit_reached")
    told = scrape(first.text(shared_counters.of_all(), NOTHING).decode())
    first.refused("limit_reached")  # and here it is killed
    later = scrape(second.text(SharedCounters(second, store).of_all(), NOTHING).decode())
    assert all(later[name] >= told[name] for name in told)


def test_web_and_dispatcher_apart_are_told_by_the_web_process(tmp_path: Path) -> None:
    service = Service(tmp_path, WINDOW_SECONDS="5")
    headers = {"Authorization": f"Bearer {SYSTEM_KEY}"}

    def seen(name: str, **labels: str) -> float:
        text = service.http.get(f"{service.url}/metrics", headers=headers, timeout=5).text
        return scrape(text).get(f"textback_{name}{json.dumps(labels, sort_keys=True)}", 0.0)

    try:
        web = service.start(DISPATCH="off")
        app = "tests.processes.skewed"
        service.begin_to_run("flask", "--app", app, "dispatch", SKEW="0")
        service.begin(PHONE)
        until(lambda: seen("sends_total", error="", outcome="accepted") == 1)
        (text,) = service.texts(PHONE)
        code = re.search(r"code is ([0-9]+)", text)
        assert code
        service.simulator.webhooks.receive(PHONE, code[1])
        assert seen("outcomes_total", status="approved") == 1
        service.begin(OTHER_PHONE)
        until(lambda: seen("outcomes_total", status="expired") == 1)
        assert service.terminate(web) == 0
        service.start(DISPATCH="off")
        assert seen("starts_total", country="US") == 2, "a restart forgets nothing"
    finally:
        service.close()


# -- what is built on them -------------------------------------------------------------------------


def exported() -> set[str]:
    metrics = Metrics(guess_chance=0.001, clock=HandClock())
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
