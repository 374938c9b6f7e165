"""Locks of others and full disks are outages: writes wait so long, and nothing expires unread."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.dispatch import expire
from bot.store import erasures
from bot.store.opening import open_store
from bot.store.tx import Done, StoreUnavailable
from simulator import faults
from tests.harness import PHONE, Harness
from tests.postgres import Server, ask
from tests.processes.service import Service, until


def test_a_webhook_that_meets_a_lock_is_answered_within_its_time(tmp_path: Path) -> None:
    service = Service(tmp_path, WINDOW_SECONDS="20")
    try:
        service.start()
        id = service.begin(PHONE)
        until(lambda: service.status(id)["runtimeStatus"] == "Running")
        other = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        number = service.simulator.world.number
        service.simulator.world.configure_number(
            sms_url=number.sms_url.partition("#")[0], sms_method=None
        )
        text = service.texts(PHONE)[-1]
        answer = service.simulator.webhooks.receive(PHONE, text.partition("code is ")[2][:4])
        assert answer.status == 503, "Twilio does not repeat this one"
        assert 3 < time.monotonic() - began < 10, "Twilio waits 15 s"
        assert service.is_ready(), "what needs no lock is answered"
        other.execute("ROLLBACK")
        other.close()
        # Twilio's list has the reply: it is read by itself, without a restart, before the deadline.
        until(lambda: service.status(id)["output"] is True, 12)
    finally:
        service.close()


def test_expiry_waits_for_what_was_missed(tmp_path: Path) -> None:
    """The lock outlasts the window; the reply came inside it."""
    service = Service(tmp_path, WINDOW_SECONDS="3")
    try:
        service.start()
        id = service.begin(PHONE)
        until(lambda: service.status(id)["runtimeStatus"] == "Running")
        other = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        service.simulator.faults.add("webhook_never")
        text = service.texts(PHONE)[-1]
        service.simulator.webhooks.receive(PHONE, text.partition("code is ")[2][:4])
        # The dispatcher meets the lock once the window is over: it writes nothing before.
        until(lambda: "the database is away" in service.log.read_text())
        # Its next look comes after a second, and the list is read later.
        service.simulator.faults.add(faults.LIST_ERROR, times=2)
        other.execute("ROLLBACK")
        other.close()
        until(lambda: service.status(id)["output"] is not None)
        assert service.status(id)["output"] is True
    finally:
        service.close()


def test_a_later_text_expires_nothing_before_what_was_missed_is_read(harness: Harness) -> None:
    """The right reply was lost in an outage; people text again."""
    id = harness.start_and_send()["id"]
    harness.clock.forward(20)
    harness.simulator.faults.add("webhook_never")
    harness.text(harness.code())
    harness.clock.forward(75)
    harness.store.outages.ended += 1
    assert harness.text("hello?").status == 503
    assert harness.answer(id, "0000").status_code == 503
    harness.run_once()
    assert harness.status(id)["output"] is True


def test_a_write_waits_four_seconds_though_it_waited_behind_another(tmp_path: Path) -> None:
    """Its four seconds begin once: they do not begin again when it leads the waiting writers."""
    store = open_store(f"sqlite:///{tmp_path}/textback.db", connections=1)
    other = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waited: list[float] = []

    def write() -> None:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.write(lambda tx: Done(tx.run("DELETE FROM erasure")))
        waited.append(time.monotonic() - began)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
        time.sleep(0.3)
    for thread in threads:
        thread.join()
    assert len(waited) == 3
    assert max(waited) < 6, "two after each other would be seven"
    other.execute("ROLLBACK")
    assert store.write(lambda tx: Done(tx.run("DELETE FROM erasure"))) == 0
    store.check_writable()  # it writes, which nothing has since
    assert store.outages.ended == 1
    other.close()
    store.close()


def test_a_full_disk_is_an_outage_too(tmp_path: Path) -> None:
    """However short: what is refused at once may be a reply."""
    from bot.store.sqlite import SqliteStore

    store = SqliteStore(tmp_path / "textback.db", clock=lambda: datetime.now(UTC))
    pages = store.writer.execute("PRAGMA page_count").fetchone()[0]
    store.writer.execute(f"PRAGMA max_page_count={pages}")

    def fill(tx) -> Done[None]:
        for number in range(2000):
            tx.run(
                "INSERT INTO erasure (sid, due_at) VALUES (:sid, :at)",
                sid=f"{number:0400}",
                at="2026-01-01T00:00:00.000000Z",
            )
        return Done(None)

    with pytest.raises(StoreUnavailable):
        store.write(fill)
    store.write(lambda tx: Done(None))  # one that writes nothing succeeds on a full disk too
    assert store.outages.is_open
    store.writer.execute("PRAGMA max_page_count=100000")
    store.write(fill)
    assert (store.outages.ended, store.outages.is_open) == (1, False)
    store.close()


def test_on_postgresql_a_full_disk_is_an_outage_while_all_can_be_read(postgres: Server) -> None:
    url = postgres.new_database()
    store = open_store(url, connections=2)
    ask(
        url,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$;"
        " CREATE TRIGGER full_disk BEFORE INSERT ON erasure EXECUTE FUNCTION full_disk()",
    )
    with pytest.raises(StoreUnavailable):
        store.write(lambda tx: Done(erasures.add_sid(tx, "SM1")))
    store.write(lambda tx: Done(None))
    store.read(erasures.are_due)
    assert store.outages.is_open
    ask(url, "DROP TRIGGER full_disk ON erasure")
    store.check_writable()
    assert (store.outages.ended, store.outages.is_open) == (1, False)
    store.close()


def test_nothing_expires_while_the_disk_is_full(any_harness: Harness) -> None:
    """Replies may have been missed; the list is read once there is room again."""
    id = any_harness.start_and_send()["id"]
    store = any_harness.store
    store.outages.failed()
    any_harness.clock.forward(100)
    assert expire.run_once(store, judged_until=any_harness.service.judged_until) == 0
    any_harness.run_once()
    assert store.outages.ended == 1
    assert any_harness.status(id)["customStatus"]["status"] == "expired"


def test_waiting_writers_do_not_share_an_exception(tmp_path: Path) -> None:
    """Each raise adds to a traceback, and every waiter's is logged."""
    store = open_store(f"sqlite:///{tmp_path}/textback.db", connections=1)
    other = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    raised: list[StoreUnavailable] = []

    def write(seconds: float) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            store.write_within(seconds, lambda tx: Done(None))
        raised.append(caught.value)

    # The first waits for the lock; when it gives up, those whose time is over are told of that.
    threads = [threading.Thread(target=write, args=(seconds,)) for seconds in (0.5, *[0.2] * 4)]
    for thread in threads:
        thread.start()
        until(lambda: store.group.waiting)
    for thread in threads:
        thread.join()
    assert len({id(one) for one in raised}) == 5
    causes = [one.__cause__ for one in raised if one.__cause__ is not None]
    assert {type(cause) for cause in causes} == {sqlite3.OperationalError}
    assert len({id(cause) for cause in causes}) == len(causes)
    other.close()
    store.close()


def test_a_writer_that_gives_up_leaves_patience_to_those_behind_it(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/textback.db", connections=1)
    other = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.write_within, 0.2, lambda tx: Done("first"))
        until(lambda: store.group.waiting)
        second = pool.submit(store.write_within, 20.0, lambda tx: Done("second"))
        with pytest.raises(StoreUnavailable):
            first.result()
        other.execute("COMMIT")
        assert second.result() == "second"
    other.close()
    store.close()
