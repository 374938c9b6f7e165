"""Whatever the database says to a reply, the reply is not lost."""

import sqlite3
from pathlib import Path

import pytest

from bot.dispatch.missed import TextRefused
from bot.store.sqlite_file import connect
from bot.store.tx import StoreUnavailable
from tests.dispatch.missing import catch_up, missed
from tests.harness import Harness
from tests.harness import harness as open_harness
from tests.postgres import Server, ask
from tests.scraping import OTHER_PHONE

RAISING = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{state}'; END $$;
CREATE TRIGGER refuses BEFORE INSERT ON inbound FOR EACH ROW EXECUTE FUNCTION refuse()
"""


@pytest.mark.parametrize(
    "state",
    [
        "53100",  # the disk is full
        "58030",  # of input and output
        "XX000",
        "XX001",  # a damaged row
        "XX002",  # a damaged index
        "40P01",  # deadlocks without an end
        "40001",
        "42501",  # a right that was revoked
        "P0001",
    ],
)
@pytest.mark.parametrize("seconds", [0, 3], ids=["", "and at the first reading"])
def test_a_reply_that_postgresql_refuses_is_read_later(
    tmp_path: Path, postgres: Server, state: str, seconds: int
) -> None:
    url = postgres.new_database()
    with open_harness(tmp_path, DATABASE_URL=url) as harness:
        id = harness.start_and_send()["id"]
        ask(url, RAISING.format(state=state))
        assert harness.text(harness.code()).status == 503
        harness.forward(seconds)
        ask(url, "DROP TRIGGER refuses ON inbound")
        pass_by(harness)
        assert harness.status(id)["output"] is True


@pytest.mark.parametrize("seconds", [0, 3], ids=["", "and at the first reading"])
def test_a_reply_that_sqlite_refuses_is_read_later(
    sqlite_harness: Harness, tmp_path: Path, seconds: int
) -> None:
    id = sqlite_harness.start_and_send()["id"]
    with sqlite3.connect(tmp_path / "textback.db") as other:
        other.execute(
            "CREATE TRIGGER refuses BEFORE INSERT ON inbound BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    assert sqlite_harness.text(sqlite_harness.code()).status == 503
    sqlite_harness.forward(seconds)
    with sqlite3.connect(tmp_path / "textback.db") as other:
        other.execute("DROP TRIGGER refuses")
    other.close()
    pass_by(sqlite_harness)
    assert sqlite_harness.status(id)["output"] is True


def test_a_later_text_of_a_number_waits_for_one_that_is_refused(
    sqlite_harness: Harness, tmp_path: Path
) -> None:
    harness = sqlite_harness
    id = harness.start_and_send()["id"]
    for body in (harness.code(), harness.wrong()):
        harness.clock.forward(1)
        missed(harness, body)
    (first, _) = [m.sid for m in harness.simulator.world.messages() if m.direction == "inbound"]
    with sqlite3.connect(tmp_path / "textback.db") as other:
        other.execute(
            f"CREATE TRIGGER refuses BEFORE INSERT ON inbound WHEN NEW.message_sid = '{first}'"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(TextRefused):
        catch_up(harness)
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 0
    with sqlite3.connect(tmp_path / "textback.db") as other:
        other.execute("DROP TRIGGER refuses")
    other.close()
    catch_up(harness)
    assert harness.status(id)["output"] is True


def pass_by(harness: Harness) -> None:
    """Twilio repeats nothing; its list is read before the deadline counts."""
    harness.forward(1)
    harness.forward(200)


def test_a_damaged_file_is_not_ready(sqlite_harness: Harness, tmp_path: Path) -> None:
    """Though other pages are whole, and can be written to."""
    harness, path = sqlite_harness, tmp_path / "textback.db"
    harness.start_and_send()
    harness.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sql = "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'opt_out'"
        roots = [root for (root,) in db.execute(sql)]
        (size,) = db.execute("PRAGMA page_size").fetchone()
    db.close()
    with path.open("r+b") as file:
        for root in roots:
            file.seek((root - 1) * size)
            file.write(b"\xa5" * size)
    harness.restart()
    assert harness.call("GET", "/readyz", key=None).status_code == 200, "nobody has met it"
    for _ in range(2):
        assert harness.post_start(OTHER_PHONE).status_code == 503
        ready = harness.call("GET", "/readyz")
        assert (ready.status_code, list(ready.json()["reasons"])) == (503, ["store"])


def test_a_file_that_is_no_database_any_more_is_unavailable(
    sqlite_harness: Harness, tmp_path: Path
) -> None:
    sqlite_harness.close()
    (tmp_path / "textback.db").write_bytes(b"no database" * 1000)
    store = sqlite_harness.store
    with pytest.raises(StoreUnavailable), store.as_store_unavailable():
        connect(tmp_path / "textback.db").execute("SELECT 1 FROM sqlite_master").fetchone()
    assert store.is_damaged
