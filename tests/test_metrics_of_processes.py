"""Each process reports the sums of all processes, also of those that have ended."""

import json
import re
from pathlib import Path

import pytest

from bot.domain.delivery import SendOutcome
from bot.observability.metrics import Metrics
from bot.observability.shared_counters import SharedCounters
from bot.store import metric_samples
from bot.store.tx import Done, Store
from tests.harness import PHONE, SYSTEM_KEY, HandClock
from tests.processes.service import Service, until
from tests.scraping import NOTHING, OTHER_PHONE, scrape, value


def test_each_process_reports_the_sums_of_all(store: Store, clock: HandClock) -> None:
    """Two running processes and one that has ended; each running one reports the sums of all."""

    def process(refusals: int) -> tuple[Metrics, SharedCounters]:
        metrics = Metrics(clock=clock)
        for _ in range(refusals):
            metrics.refused("limit_reached")
        metrics.sent(SendOutcome.ACCEPTED, None)
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
    metrics = Metrics(clock=clock)
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
    first, second = (Metrics(clock=clock) for _ in range(2))
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


def test_a_row_that_cannot_be_read_is_left_out(
    store: Store, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics(clock=clock)
    metrics.refused("limit_reached")
    shared_counters = SharedCounters(metrics, store)
    shared_counters.write()
    for unreadable in ("x", "[1]", '["a", {"le": "x"}]', '["a", 1]'):
        store.write(lambda tx, key=unreadable: Done(metric_samples.add_to_past(tx, {key: 1.0})))
    samples = scrape(metrics.text(shared_counters.of_all(), NOTHING).decode())
    assert value(samples, "refusals_total", code="limit_reached") == 1
    assert len(caplog.records) == 4
