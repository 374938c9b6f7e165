"""What is done is told as done, whatever fails afterwards; nothing is written to a lost file."""

import sqlite3
from pathlib import Path

import pytest

from bot.observability import shared_counters
from bot.store import sqlite
from bot.store.sqlite import SqliteStore
from bot.store.tx import Done, StoreUnavailable, Tx
from tests.harness import PHONE, HandClock, Harness


def unavailable(*args: object) -> None:
    raise StoreUnavailable("for this test")


def test_a_command_succeeds_though_its_counters_cannot_be_written(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = harness.start_and_send()["id"]
    monkeypatch.setattr(shared_counters, "add_to_past", unavailable)
    canceled = harness.flask("cancel", id)
    assert canceled.exit_code == 0, canceled.output
    assert harness.status(id)["runtimeStatus"] == "Terminated"


def test_a_number_is_forgotten_though_the_log_cannot_be_emptied(
    sqlite_harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(db: object, sql: str) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    sqlite_harness.start_and_send()
    monkeypatch.setattr(sqlite, "fetch_one", full)
    forgotten = sqlite_harness.flask("forget", PHONE)
    assert forgotten.exit_code == 0, forgotten.output
    assert sqlite_harness.newest(1) == []


@pytest.mark.parametrize("is_replaced", [False, True])
def test_nothing_is_written_to_a_database_file_that_was_removed(
    tmp_path: Path, clock: HandClock, is_replaced: bool
) -> None:
    path = tmp_path / "textback.db"
    store = SqliteStore(path, clock=clock)
    path.rename(tmp_path / "kept.db")
    if is_replaced:
        SqliteStore(path, clock=clock).close()

    def nothing(tx: Tx) -> Done[None]:
        return Done(None)

    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        store.write(nothing)
    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        store.now()
    assert store.outages.is_open
    store.close()


def test_a_log_that_was_removed_is_noticed_too(tmp_path: Path, clock: HandClock) -> None:
    path = tmp_path / "textback.db"
    store = SqliteStore(path, clock=clock)
    store.checkpoint()
    (tmp_path / "textback.db-wal").unlink()
    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        store.now()
    store.close()


@pytest.mark.parametrize("removed", ["textback.db", "textback.db-wal", "textback.db-shm"])
def test_a_link_hides_no_removed_file(tmp_path: Path, clock: HandClock, removed: str) -> None:
    """SQLite puts the log and its index beside the target."""
    folder, link = tmp_path / "data", tmp_path / "link.db"
    SqliteStore(folder / "textback.db", clock=clock).close()
    link.symlink_to(folder / "textback.db")
    store = SqliteStore(link, clock=clock)
    store.now()
    (folder / removed).unlink()
    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        store.now()
    store.close()


def test_a_link_that_leads_elsewhere_is_noticed(tmp_path: Path, clock: HandClock) -> None:
    link = tmp_path / "link.db"
    for name in ("one.db", "two.db"):
        SqliteStore(tmp_path / name, clock=clock).close()
    link.symlink_to(tmp_path / "one.db")
    store = SqliteStore(link, clock=clock)
    link.unlink()
    link.symlink_to(tmp_path / "two.db")
    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        store.now()
    store.close()


def test_emptying_the_log_makes_no_file_where_it_was_removed(
    tmp_path: Path, clock: HandClock
) -> None:
    store = SqliteStore(tmp_path / "textback.db", clock=clock)
    for file in tmp_path.iterdir():
        file.unlink()
    assert not store.scrub()
    assert list(tmp_path.iterdir()) == []
    store.close()


def test_an_index_that_was_removed_is_noticed_too(tmp_path: Path, clock: HandClock) -> None:
    """Two processes with an index each overwrite what the other has written."""
    path = tmp_path / "textback.db"
    store = SqliteStore(path, clock=clock)
    (tmp_path / "textback.db-shm").unlink()
    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        store.now()
    store.close()
