"""SQLite alone: the file, its pragmas, damage to it, and how much of it is read."""

import sqlite3
import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from bot.domain.events import Event, EventName
from bot.store import history, sqlite
from bot.store import verifications as table
from bot.store.rows import to_text
from bot.store.sqlite import SqliteStore
from bot.store.tx import Done, StoreUnavailable, Tx, UnusableDatabase
from tests.builders import running
from tests.console.million import fill
from tests.harness import HandClock
from tests.store.marks import count, mark


def test_the_file_is_private(tmp_path: Path, clock: HandClock) -> None:
    path = tmp_path / "new folder" / "textback.db"
    store = SqliteStore(path, clock=clock)
    store.write(mark(1))
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.close()


def test_commits_survive_a_power_cut(store: SqliteStore) -> None:
    assert store.read(lambda tx: tx.one("PRAGMA journal_mode")["journal_mode"]) == "wal"
    full = 2
    assert store.read(lambda tx: tx.one("PRAGMA synchronous")["synchronous"]) == full
    assert store.write(lambda tx: Done(tx.one("PRAGMA synchronous")["synchronous"])) == full


def test_what_was_written_is_there_after_reopening(tmp_path: Path, clock: HandClock) -> None:
    for number in range(3):
        store = SqliteStore(tmp_path / "textback.db", clock=clock)
        store.write(mark(number))
        assert count(store) == number + 1
        store.close()


def open_and_close(path: str) -> bool:
    SqliteStore(Path(path), clock=HandClock()).close()
    return True


def test_processes_that_open_a_new_file_at_once_do_not_meet(tmp_path: Path) -> None:
    """The web process and the dispatcher did at a first start, and one found the file locked."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imports are most of a process
    with ProcessPoolExecutor(4, mp_context=context) as pool:
        for number in range(8):
            assert all(pool.map(open_and_close, [str(tmp_path / f"{number}.db")] * 4))


def test_time_does_not_run_backwards_over_a_restart(tmp_path: Path, clock: HandClock) -> None:
    def start(tx: Tx) -> Done[None]:
        table.insert(tx, running(created_at=tx.now))
        history.append(tx, "an-id", [Event(EventName.STARTED)])
        return Done(None)

    store = SqliteStore(tmp_path / "textback.db", clock=clock)
    store.write(start)
    store.close()
    before = clock.now
    clock.forward(-3600)
    store = SqliteStore(tmp_path / "textback.db", clock=clock)
    assert store.write(lambda tx: Done(tx.now)) == before
    store.close()


@pytest.mark.parametrize("content", [b"this is no database, whatever its name says" * 100])
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, clock: HandClock, content: bytes
) -> None:
    path = tmp_path / "textback.db"
    path.write_bytes(content)
    with pytest.raises(UnusableDatabase, match="cannot be opened as a database"):
        SqliteStore(path, clock=clock)
    assert path.read_bytes() == content


def damaged(path: Path, clock: HandClock, *, first: int, bytes_: int) -> bytes:
    """A file of ours with a stretch overwritten, as by a disk that fails."""
    store = SqliteStore(path, clock=clock)
    mark_all(store)
    store.close()
    content = bytearray(path.read_bytes())
    content[first : first + bytes_] = b"\xa5" * bytes_
    path.write_bytes(content)
    return bytes(content)


def mark_all(store: SqliteStore) -> None:
    def use_case(tx: Tx) -> Done[None]:
        for number in range(2000):
            mark(number)(tx)
        return Done(None)

    store.write(use_case)


def test_a_file_whose_beginning_is_damaged_is_refused_and_left_alone(
    tmp_path: Path, clock: HandClock
) -> None:
    path = tmp_path / "textback.db"
    content = damaged(path, clock, first=100, bytes_=3000)
    with pytest.raises(UnusableDatabase):
        SqliteStore(path, clock=clock)
    assert path.read_bytes() == content


def test_damage_that_is_met_later_is_said_and_nothing_is_written_over_it(
    tmp_path: Path, clock: HandClock
) -> None:
    path = tmp_path / "textback.db"
    size = len(damaged(path, clock, first=0, bytes_=0))
    path.unlink()
    content = damaged(path, clock, first=size * 3 // 4, bytes_=size // 4)
    store = SqliteStore(path, clock=clock)
    with pytest.raises(StoreUnavailable, match="malformed"):
        store.read(lambda tx: tx.all("SELECT * FROM opt_out ORDER BY since"))
    with pytest.raises(StoreUnavailable, match="malformed"):
        mark_all(store)
    store.close()
    assert path.read_bytes()[size * 3 // 4 :] == content[size * 3 // 4 :]


def test_a_database_of_another_program_is_refused(tmp_path: Path, clock: HandClock) -> None:
    path = tmp_path / "textback.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()
    with pytest.raises(UnusableDatabase, match="another program"):
        SqliteStore(path, clock=clock)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, clock: HandClock) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnusableDatabase, match="cannot be opened"):
        SqliteStore(tmp_path / "file" / "textback.db", clock=clock)


def test_instants_are_text_of_fixed_width(clock: HandClock) -> None:
    assert len(to_text(clock.now)) == len(to_text(clock.now.replace(microsecond=5)))


def test_opening_a_file_reads_a_bounded_part_of_it(tmp_path: Path, clock: HandClock) -> None:
    """A start must not take longer with every verification that has ended."""
    path = tmp_path / "textback.db"

    def steps(rows: int) -> int:
        fill(path, clock, rows)
        counted = 0

        def count() -> int:
            nonlocal counted
            counted += 1
            return 0

        connect = sqlite3.connect

        def counting(*args: Any, **more: Any) -> sqlite3.Connection:
            connection = connect(*args, **more)
            connection.set_progress_handler(count, 100)
            return connection

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sqlite3, "connect", counting)
            SqliteStore(path, clock=clock).close()
        path.unlink()
        return counted

    assert steps(5000) < 2 * steps(50) + 10


def test_readers_at_once_are_bounded_and_few_are_kept(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """150 lists at once left 300 files open and half a gigabyte of pages."""
    monkeypatch.setattr(sqlite, "STORE_TIMEOUT_SECONDS", 0.05)
    before = len(list(Path("/proc/self/fd").iterdir()))

    def read_within(depth: int) -> int:
        return store.read(lambda tx: read_within(depth - 1) if depth > 1 else 0)

    assert read_within(sqlite.READERS_AT_ONCE) == 0
    with pytest.raises(StoreUnavailable):
        read_within(sqlite.READERS_AT_ONCE + 1)
    opened = len(list(Path("/proc/self/fd").iterdir())) - before
    # SQLite keeps the file of a closed connection for the next one: another one reads the log.
    assert opened <= sqlite.READERS_AT_ONCE + 2 * sqlite.READERS_KEPT + 1
    assert store.read(lambda tx: tx.one("SELECT 1 AS one")) is not None
