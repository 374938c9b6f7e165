"""Databases of older versions: brought to the current one whole, or refused and left alone."""

import sqlite3
from pathlib import Path

import pytest

from bot.store import history, hourly_counts, migrations, usage, verifications
from bot.store.sqlite import SqliteStore
from bot.store.tx import Done, UnusableDatabase
from tests.harness import HandClock
from tests.store.shapes import shape

FIRST = Path(__file__).parent / "schema_1.sql"
AT = "2026-01-31T10:00:00.000000Z"


def first_version(path: Path) -> None:
    """A file as version 1 left it: an approved verification, a lifted start, a day's counts."""
    db = sqlite3.connect(path)
    db.executescript(FIRST.read_text())
    row = {
        "id": "an-id", "phone": "+14255550123", "country": "US", "started_by": "function",
        "start_input": '"x"', "reference": "KP", "nonce": "00", "key_id": "k",
        "challenge_text": "{code}", "code_length": 4, "window_seconds": 90, "max_attempts": 4,
        "send_within_seconds": 60, "created_at": AT, "accepted_at": AT,
        "deadline_at": "2026-01-31T10:01:30.000000Z", "status": "approved", "ended_at": AT,
        "updated_at": AT,
    }  # fmt: skip
    marks = ", ".join(f":{name}" for name in row)
    db.execute(f"INSERT INTO verification ({', '.join(row)}) VALUES ({marks})", row)
    db.execute(
        "INSERT INTO outbox (id, verification_id, state, queued_at, sid, is_to_erase)"
        f" VALUES ('text', 'an-id', 'accepted', '{AT}', 'SM1', 1)"
    )
    for number, event in enumerate(["started", "approved"], start=1):
        db.execute("INSERT INTO history VALUES ('an-id', ?, ?, ?, '{}')", (number, AT, event))
    for kind, id in (("approved", "an-id"), ("approval", "an-id"), ("approved", "lifted-id")):
        db.execute(
            "INSERT INTO tally (kind, phone, country, started_by, verification_id, at)"
            f" VALUES ('{kind}', '+14255550123', 'US', 'function', '{id}', '{AT}')"
        )
    db.execute("INSERT INTO daily_count VALUES ('2025-12-01', 'US', 'approved', 7)")
    db.commit()
    db.close()


def test_a_migrated_database_is_shaped_like_a_new_one(tmp_path: Path, clock: HandClock) -> None:
    first_version(tmp_path / "old.db")
    for name in ("old.db", "new.db"):
        SqliteStore(tmp_path / name, clock=clock).close()
    assert shape(tmp_path / "old.db") == shape(tmp_path / "new.db")


def test_what_version_1_kept_is_kept(tmp_path: Path, clock: HandClock) -> None:
    first_version(tmp_path / "old.db")
    store = SqliteStore(tmp_path / "old.db", clock=clock)
    found = store.read(lambda tx: verifications.load(tx, "an-id"))
    assert found is not None
    assert (found.status, found.request_id, found.is_to_erase) == ("approved", "", True)
    lines = store.read(lambda tx: history.of(tx, "an-id"))
    assert [(line.number, line.event) for line in lines] == [(1, "started"), (2, "approved")]
    kinds = store.read(lambda tx: tx.all("SELECT kind FROM usage ORDER BY number"))
    assert [row["kind"] for row in kinds] == ["start", "approval", "lifted"]
    since = found.created_at.replace(year=2025)
    counted = store.read(lambda tx: hourly_counts.since(tx, since))
    assert sum(f.count for f in counted if f.event == "approved") == 8
    rows = store.read(lambda tx: usage.after(tx, 0, since=since, limit=10))
    assert [row.kind for row in rows] == ["start", "approval", "start"]
    store.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.db"
    first_version(path)
    before = shape(path)
    step = migrations.steps(1)[0].replace("DROP TABLE history_1;", "DROP TABLE no_such;")
    monkeypatch.setattr(migrations, "steps", lambda version: [step])
    with pytest.raises(UnusableDatabase, match="no such table: no_such"):
        SqliteStore(path, clock=clock)
    assert shape(path) == before
    monkeypatch.undo()
    SqliteStore(path, clock=clock).close()


def test_a_database_of_a_later_version_is_refused(tmp_path: Path, clock: HandClock) -> None:
    path = tmp_path / "textback.db"
    store = SqliteStore(path, clock=clock)
    store.write(lambda tx: Done(tx.run("UPDATE schema_version SET version = 99")))
    store.close()
    with pytest.raises(UnusableDatabase, match="has schema version 99"):
        SqliteStore(path, clock=clock)


def test_a_schema_made_in_part_is_not_kept(
    tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first start can die in the middle: the next one must not take a half for the whole."""
    broken = migrations.schema().replace("CREATE TABLE history", "CREATE TABEL history")
    monkeypatch.setattr(migrations, "schema", lambda: broken)
    with pytest.raises(UnusableDatabase):
        SqliteStore(tmp_path / "textback.db", clock=clock)
    monkeypatch.undo()
    store = SqliteStore(tmp_path / "textback.db", clock=clock)
    assert store.read(lambda tx: history.of(tx, "none")) == []
    store.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP TABLE daily_count", "no such table: daily_count"),
        ("ALTER TABLE outbox DROP COLUMN is_to_erase", "no such column"),
    ],
)
def test_a_first_version_of_no_release_says_so(
    tmp_path: Path, clock: HandClock, change: str, said: str
) -> None:
    path = tmp_path / "old.db"
    first_version(path)
    db = sqlite3.connect(path)
    db.execute(change)
    db.commit()
    db.close()
    before = shape(path)
    with pytest.raises(UnusableDatabase, match="a commit between two releases made it") as told:
        SqliteStore(path, clock=clock)
    assert said in str(told.value)
    assert shape(path) == before


def test_a_present_version_of_no_release_says_so(tmp_path: Path, clock: HandClock) -> None:
    path = tmp_path / "new.db"
    store = SqliteStore(path, clock=clock)
    store.write(lambda tx: Done(tx.run("ALTER TABLE verification DROP COLUMN unwritten_events")))
    store.close()
    with pytest.raises(UnusableDatabase, match=r"has no verification\.unwritten_events"):
        SqliteStore(path, clock=clock)
