"""The backup of deploy/ is whole, and its trial verifies a phone."""

import os
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes.service import Service

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


def test_a_backup_is_whole_and_its_owners(tmp_path: Path) -> None:
    database, folder = tmp_path / "textback.db", tmp_path / "backups"
    with closing(sqlite3.connect(database)) as used:
        used.execute("PRAGMA journal_mode = WAL")
        used.execute("CREATE TABLE schema_version (version INTEGER)")
        used.execute("INSERT INTO schema_version VALUES (9)")
        used.execute("CREATE TABLE phone (number TEXT)")
        used.execute("INSERT INTO phone VALUES ('+14255550123')")
        used.commit()
        folder.mkdir()
        old, foreign = folder / "textback-20200101T000000Z.db", folder / "kept-by-hand.db"
        for path in (old, foreign):
            path.touch()
            os.utime(path, (time.time() - 15 * 86400,) * 2)
        run = [sys.executable, DEPLOY / "backup.py", database, folder, "--keep-days", "14"]
        subprocess.run(run, check=True, timeout=20, capture_output=True)
    (made,) = set(folder.iterdir()) - {foreign}
    assert made != old
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    with closing(sqlite3.connect(made)) as copy:
        assert copy.execute("SELECT number FROM phone").fetchall() == [("+14255550123",)]


@pytest.mark.parametrize("statement", ["", "CREATE TABLE phone (number TEXT)"])
def test_a_file_without_our_schema_is_no_backup_and_removes_none(
    tmp_path: Path, statement: str
) -> None:
    database, folder = tmp_path / "textback.db", tmp_path / "backups"
    database.touch()
    with closing(sqlite3.connect(database)) as used:
        used.execute(statement)
    folder.mkdir()
    old = folder / "textback-20200101T000000Z.db"
    old.touch()
    os.utime(old, (time.time() - 15 * 86400,) * 2)
    ran = subprocess.run(
        [sys.executable, DEPLOY / "backup.py", database, folder],
        timeout=20,
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, list(folder.iterdir())) == (1, [old])
    assert f"There is no backup of {database}" in ran.stderr


def test_a_backup_of_nothing_fails(tmp_path: Path) -> None:
    run = [sys.executable, DEPLOY / "backup.py", tmp_path / "none.db", tmp_path]
    ran = subprocess.run(run, timeout=20, capture_output=True, text=True)
    assert ran.returncode == 1
    assert "There is no file" in ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", [("", "copies"), ("textback.db", "")])
def test_a_variable_that_is_not_set_is_no_folder(tmp_path: Path, given: tuple[str, str]) -> None:
    run = [sys.executable, DEPLOY / "backup.py", *given]
    ran = subprocess.run(run, cwd=tmp_path, timeout=20, capture_output=True, text=True)
    assert ran.returncode == 2
    assert "it is empty" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_trial_verifies_a_phone(tmp_path: Path) -> None:
    """`python -m simulator.trial` against a service whose simulator it replaces."""
    service = Service(tmp_path)
    try:
        service.start()
        service.simulator.stop()
        ran = subprocess.run(
            [sys.executable, "-m", "simulator.trial"],
            env=service.environment,
            cwd=ROOT,
            timeout=60,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        assert "Verified: Completed, approved." in ran.stdout
    finally:
        service.close()


def test_the_trial_names_what_is_missing() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "simulator.trial"],
        env={"PUBLIC_BASE_URL": "http://127.0.0.1:8000"},
        cwd=ROOT,
        timeout=20,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 2
    assert "FUNCTION_KEY" in ran.stderr
