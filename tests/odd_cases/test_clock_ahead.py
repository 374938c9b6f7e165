"""Windows, limits and leases hold while stored time is ahead of a clock that was set right."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from bot.dispatch.sweep import Sweeper
from bot.store import erasures, far_due, verifications
from bot.store.opening import open_store
from bot.store.rows import to_text
from bot.store.tx import Done
from bot.usecases import notify, readiness
from bot.usecases.repair import begin_anew
from bot.webhooks.client import LONGEST_RETRY_AFTER_SECONDS
from simulator.receiver import Behaviour
from tests.harness import RECEIVER, SYSTEM_KEY, WEBHOOK_SECRET, Harness
from tests.harness import harness as open_harness

DAY = 86_400


def metric(harness: Harness, name: str) -> float:
    text = harness.call("GET", "/metrics", headers={"Authorization": f"Bearer {SYSTEM_KEY}"}).text
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


def test_the_window_closes_while_stored_time_is_ahead(once_ahead: Harness) -> None:
    id = once_ahead.start_and_send()["id"]
    once_ahead.forward(25)
    once_ahead.text(once_ahead.code())
    assert once_ahead.status(id)["customStatus"]["status"] == "expired"


def test_a_code_is_approved_while_stored_time_is_ahead(once_ahead: Harness) -> None:
    id = once_ahead.start_and_send()["id"]
    once_ahead.forward(9)
    once_ahead.text(once_ahead.code())
    assert once_ahead.status(id)["output"] is True


def test_the_window_closes_after_a_restart_too(once_ahead: Harness) -> None:
    """Time goes on from the newest instant that is stored."""
    id = once_ahead.start_and_send()["id"]
    once_ahead.restart()
    once_ahead.forward(25)
    assert once_ahead.find(id).status == "expired"


def test_limits_recover_while_stored_time_is_ahead(once_ahead: Harness) -> None:
    for _ in range(2):
        once_ahead.start_and_send()
    assert once_ahead.post_start().status_code == 429
    once_ahead.forward(61)
    assert once_ahead.post_start().status_code == 202


def test_an_operator_hears_of_it(once_ahead: Harness, caplog: pytest.LogCaptureFixture) -> None:
    ready = once_ahead.call("GET", "/readyz")
    assert ready.status_code == 503
    assert "clock" in ready.json()["reasons"]
    assert metric(once_ahead, "textback_clock_ahead_seconds") == DAY
    with caplog.at_level(logging.ERROR):
        once_ahead.dispatcher.sweep()
    assert "stored time is 86400 s ahead of the clock" in caplog.text


def test_nothing_is_removed_while_stored_time_is_ahead(once_ahead: Harness) -> None:
    for _ in range(40):
        once_ahead.clock.forward(DAY)
        once_ahead.dispatcher.sweep()
    assert once_ahead.newest(10)


def test_a_clock_that_jumps_during_a_sweep_removes_nothing(any_harness: Harness) -> None:
    """The first to read the time after the jump is the transaction that removes."""
    clock, seconds = any_harness.clock, [0.0]
    id = any_harness.start_and_send()["id"]
    any_harness.text(any_harness.code())
    store = open_store(
        any_harness.settings.database_url,
        connections=2,
        clock=clock,
        monotonic=lambda: seconds[0],
    )
    kept = timedelta(days=30)
    Sweeper(store, kept=kept).run_once()
    clock.forward(DAY)
    seconds[0] += DAY
    sweeper = Sweeper(store, kept=kept)
    assert sweeper.run_once() > 0
    clock.forward(90 * DAY)
    while sweeper.run_once():
        pass
    assert store.read(verifications.load, id) is not None
    store.close()


def test_clock_reset_takes_stored_time_back(once_ahead: Harness) -> None:
    """`flask clock reset`, with everything stopped and nothing pending."""
    id = once_ahead.start_and_send()["id"]
    refused = once_ahead.flask("clock", "reset")
    assert refused.exit_code == 1
    assert "pending" in refused.output
    once_ahead.forward(11)
    told = once_ahead.flask("clock", "reset")
    assert told.exit_code == 0, told.output
    once_ahead.restart()
    assert once_ahead.store.read(lambda tx: tx.now) == once_ahead.clock.now
    ended = once_ahead.find(id)
    assert ended.outcome.at <= once_ahead.clock.now
    assert ended.created_at < ended.deadline_at == ended.outcome.at
    assert readiness.check(once_ahead.store, once_ahead.service.rules.from_address).faults == []


def test_where_nothing_is_ahead_nothing_is_taken_back(told: Harness) -> None:
    """In particular, not the next try of an event."""
    told.simulator.receiver.behaviour = Behaviour.FAIL
    told.start_and_send()
    told.text(told.code())
    told.run_once()

    def due() -> list[str]:
        rows = told.store.read(lambda tx: tx.all("SELECT due_at FROM webhook_event"))
        return [row["due_at"] for row in rows]

    before = due()
    ran = told.flask("clock", "reset")
    assert ran.exit_code == 0
    assert due() == before


def test_a_process_that_starts_takes_the_time_of_the_others(once_ahead: Harness) -> None:
    once_ahead.clock.forward(40)  # in which nothing is decided
    Sweeper(once_ahead.store, kept=timedelta(days=30)).run_once()
    url = once_ahead.settings.database_url
    other = open_store(url, connections=1, clock=once_ahead.clock)
    assert other.now() == once_ahead.store.now()
    other.close()


@pytest.mark.parametrize(
    ("sql", "due"),
    [
        ("UPDATE webhook_event SET due_at = :at", "due_at FROM webhook_event"),
        ("UPDATE outbox SET state = 'sending', due_at = :at", "due_at FROM outbox"),
        ("INSERT INTO erasure (sid, due_at) VALUES ('SM1', :at)", "due_at FROM erasure"),
        (
            "INSERT INTO circuit (from_address, since, error_code, probe_at)"
            " VALUES ('x', :at, 20003, :at)",
            "probe_at FROM circuit",
        ),
    ],
)
def test_work_leased_by_a_clock_that_was_ahead_is_found_after_a_restart(
    tmp_path: Path, database_url: str, sql: str, due: str
) -> None:
    """A lease alone leaves nothing in the history, so stored time falls back with the process."""
    settings = {"WEBHOOK_URLS": RECEIVER, "WEBHOOK_SECRET": WEBHOOK_SECRET}
    with open_harness(tmp_path, DATABASE_URL=database_url, **settings) as harness:
        harness.terminate(harness.start()["id"], None)
        far = to_text(harness.clock.now + timedelta(days=37))
        assert harness.store.write(lambda tx: Done(tx.run(sql, at=far))) == 1
        harness.restart()
        harness.store.write(begin_anew)
        (row,) = harness.store.read(lambda tx: tx.all(f"SELECT {due}"))
        assert row[due.split()[0]] < far


def test_nothing_that_waits_as_it_should_is_overlong() -> None:
    longest = far_due.LONGEST["webhook_event", "due_at"].total_seconds()
    assert max(notify.WAITS) * (1 + notify.JITTER) <= longest
    assert longest >= LONGEST_RETRY_AFTER_SECONDS
    assert far_due.LONGEST["erasure", "due_at"] >= erasures.LEASE
