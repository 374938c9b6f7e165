"""A real service with a full disk, a locked file or no Twilio: it reports the fault, loses nothing,
and recovers by itself."""

import resource
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import requests

from bot.dispatch.send import BACKOFF_LIMIT_SECONDS
from bot.store.sqlite import SqliteStore
from simulator.server import Simulator
from tests import invariants
from tests.harness import FUNCTION_KEY, PHONE, START, Harness
from tests.processes.service import Service, children, is_overdue, until

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def begin(service: Service, number: int) -> requests.Response:
    return service.http.post(
        f"{service.url}{START}?code={FUNCTION_KEY}", json=f"+1425558{number:04}", timeout=30
    )


def check(service: Service, started: set[str]) -> None:
    service.wait_until_all_ended()
    assert invariants.broken(service.ask) == []
    assert {row["id"] for row in service.ask("SELECT id FROM verification")} == started


def test_a_full_disk(tmp_path: Path) -> None:
    """The kernel refuses to let files grow, as it does where there is no room."""
    service = Service(tmp_path, WINDOW_SECONDS="4", SEND_WITHIN_SECONDS="30")
    try:
        process = service.start()
        started = {begin(service, 0).json()["id"]}
        size = (tmp_path / "textback.db-wal").stat().st_size
        (worker,) = children(process)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (size + 100_000, resource.RLIM_INFINITY))
        for number in range(1, 200):
            response = begin(service, number)
            if response.status_code != 202:
                break
            started.add(response.json()["id"])
        assert (response.status_code, response.json()["code"]) == (503, "store_unavailable")
        assert response.headers["Retry-After"] == "5"
        assert service.status(next(iter(started)))["instanceId"] in started, "reading goes on"
        resource.prlimit(worker, resource.RLIMIT_FSIZE, UNLIMITED)
        started.add(until(lambda: begin(service, 300).json().get("id")))
        check(service, started)
    finally:
        service.close()


def test_a_reply_that_a_full_disk_refused_is_not_expired(tmp_path: Path) -> None:
    """A few pages of the log are free: room for the heartbeat, and too little for a reply."""
    service = Service(tmp_path, WINDOW_SECONDS="4", SEND_WITHIN_SECONDS="30")
    log = tmp_path / "textback.db-wal"
    try:
        process = service.start()
        id = service.begin(PHONE)
        right = service.code(PHONE)
        until(lambda: service.status(id)["runtimeStatus"] == "Running")
        with grown(tmp_path / "textback.db"):  # and not begun anew
            (worker,) = children(process)
            limit = log.stat().st_size + 20_000
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            assert service.simulator.webhooks.receive(PHONE, right).status == 503
            until(partial(is_overdue, service))
            assert service.status(id)["runtimeStatus"] == "Running"
        resource.prlimit(worker, resource.RLIMIT_FSIZE, UNLIMITED)
        until(lambda: service.status(id)["runtimeStatus"] == "Completed")
        assert service.status(id)["output"] is True
    finally:
        service.close()


@contextmanager
def grown(path: Path) -> Iterator[None]:
    """Its log has a megabyte, and is only appended to."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE filling AS SELECT randomblob(1000000) AS bytes")
        db.execute("BEGIN")
        db.execute("SELECT * FROM verification").fetchall()
        yield


def test_a_locked_database(tmp_path: Path) -> None:
    """Another program holds the write lock for a while: callers wait, and are not refused."""
    service = Service(tmp_path, WINDOW_SECONDS="4", SEND_WITHIN_SECONDS="30")
    try:
        service.start()
        started = {begin(service, 0).json()["id"]}
        other = sqlite3.connect(
            tmp_path / "textback.db", isolation_level=None, check_same_thread=False
        )
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        letting_go = threading.Timer(1.5, other.execute, ["ROLLBACK"])
        letting_go.start()
        response = begin(service, 1)
        letting_go.join()
        other.close()
        assert response.status_code == 202
        assert time.monotonic() - began >= 1.5
        started.add(response.json()["id"])
        check(service, started)
    finally:
        service.close()


def test_a_database_that_cannot_be_written_is_still_read(sqlite_harness: Harness) -> None:
    id = sqlite_harness.start_and_send()["id"]
    store: SqliteStore = sqlite_harness.store
    store.writer.execute("PRAGMA query_only=ON")
    response = sqlite_harness.post_start("+14255550199")
    assert (response.status_code, response.json()["code"]) == (503, "store_unavailable")
    assert sqlite_harness.text(sqlite_harness.code()).status == 503, "so that Twilio posts it again"
    assert sqlite_harness.status(id)["runtimeStatus"] == "Running"
    assert list(sqlite_harness.call("GET", "/readyz").json()["reasons"]) == ["store"]
    store.writer.execute("PRAGMA query_only=OFF")
    assert sqlite_harness.call("GET", "/readyz").status_code == 200
    assert "verified" in sqlite_harness.text(sqlite_harness.code()).body


def test_twilio_gone_for_most_of_a_minute(harness: Harness) -> None:
    id = harness.start()["id"]
    port = int(harness.simulator.url.rpartition(":")[2])
    world = harness.simulator.world
    harness.simulator.stop()
    for _ in range(10):
        harness.dispatcher.run_once()
        harness.clock.forward(5)
    assert harness.status(id)["runtimeStatus"] == "Pending"
    back = Simulator(
        world.account, world.number, port=port, clock=harness.clock, report_delay_seconds=0
    )
    back.faults.add("reports_never", times=100)
    back.start()
    try:
        harness.clock.forward(BACKOFF_LIMIT_SECONDS)  # nothing waits longer for its next try
        harness.dispatcher.run_once()
        assert harness.status(id)["runtimeStatus"] == "Running"
        assert len(back.world.messages()) == 1
    finally:
        back.stop()
