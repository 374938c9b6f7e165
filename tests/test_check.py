"""`flask check`, and what works without settings."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from bot.store.migrations import VERSION
from bot.store.opening import open_store
from simulator import faults
from tests.flask_commands import ROOT, flask, with_environment
from tests.harness import ACCOUNT, NUMBER, Harness, environment
from tests.postgres import Server, ask


def run(harness: Harness, *command: str) -> Result:
    return harness.flask("check", *command)


def test_check_alone_asks_nobody(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/textback.db"
    result = with_environment(environment(DATABASE_URL=url), "check")
    assert result.exit_code == 0
    assert result.output.endswith("The settings can be used.\n")


def test_check_twilio_prints_aligned_findings_and_a_sum(harness: Harness) -> None:
    result = run(harness, "--twilio")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    findings = lines[lines.index("") + 1 : -2]
    assert findings[0].startswith("ok       credentials   Twilio accepts")
    assert any(line.startswith("FAULT    webhook       ") for line in findings)
    assert any(line.startswith("look     countries     ") for line in findings)
    count = sum(line.startswith("FAULT") for line in findings)
    assert lines[-1].startswith(f"Twilio: {count} faults, ")
    for secret in (ACCOUNT.auth_token, NUMBER, harness.settings.secret_key):
        assert secret not in result.output


def test_a_warning_alone_is_no_reason_to_fail(harness: Harness) -> None:
    values = {**harness.values, "ALLOWED_COUNTRIES": "FR"}
    assert with_environment(values, "number", "set").exit_code == 0
    harness.start_and_send()
    harness.simulator.faults.add(faults.WITHHOLD, code=30038)
    harness.text(harness.wrong())
    result = with_environment(values, "check", "--twilio")
    assert "warning  replies       Replies of the last 7 days: 1 of 1" in result.output
    assert result.output.splitlines()[-1] == "Twilio: no fault, 1 warning."
    assert result.exit_code == 0


def test_check_as_json(harness: Harness) -> None:
    result = run(harness, "--twilio", "--json")
    told = json.loads(result.output)
    assert (result.exit_code, told["isReady"]) == (1, False)
    assert {"kind", "level", "sentence"} == set(told["findings"][0])
    assert {one["level"] for one in told["findings"]} >= {"good", "fault", "look"}
    alone = run(harness, "--json")
    assert (alone.exit_code, json.loads(alone.output)["findings"]) == (0, [])


def test_all_faults_and_warnings_are_told(tmp_path: Path) -> None:
    values = environment(PORT="many", SECRET_KEY="<secret>", WINDOW_SECOND="3")
    result = with_environment(values, "check", "--twilio")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == ["PORT", "SECRET_KEY", "Warning:"]
    as_json = with_environment(values, "check", "--json")
    told = json.loads(as_json.output)
    assert (as_json.exit_code, told["isReady"]) == (1, False)
    assert (len(told["faults"]), len(told["warnings"])) == (2, 1)


def test_warnings_are_told_beside_the_settings(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/textback.db"
    result = with_environment(environment(DATABASE_URL=url, WINDOW_SECOND="3"), "check")
    assert result.exit_code == 0
    assert "Warning: WINDOW_SECOND is not read. The variable is WINDOW_SECONDS." in result.output


@pytest.mark.parametrize(
    "command", [("--help",), ("check", "--help"), ("number", "set", "--help"), ("version",)]
)
def test_help_needs_no_settings(tmp_path: Path, command: tuple[str, ...]) -> None:
    code, written, errors = flask(tmp_path, *command)
    assert (code, errors) == (0, "")
    if command == ("--help",):
        assert "number    The webhook" in written
    assert list(tmp_path.iterdir()) == [], "and opens no database"


@pytest.mark.parametrize("command", [("check",), ("list",), ("number", "check"), ("routes",)])
def test_other_commands_tell_what_the_settings_lack(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    code, _, errors = flask(tmp_path, *command)
    assert code == 1
    assert "PUBLIC_BASE_URL is not set." in errors
    assert "Traceback" not in errors


def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    values = environment(DATABASE_URL="sqlite:////dev/null/x.db")
    for command in (("check",), ("list",)):
        result = with_environment(values, *command)
        assert result.exit_code == 1
        assert "cannot be opened" in result.output


def test_beside_a_database_that_cannot_be_opened_all_else_is_told(harness: Harness) -> None:
    values = {**harness.values, "DATABASE_URL": "sqlite:////dev/null/x.db", "WINDOW_SECOND": "9"}
    ran = with_environment(values, "check", "--twilio")
    assert ran.exit_code == 1
    for told in ("WINDOW_SECOND", "cannot be opened", "public address", "Twilio:"):
        assert told in ran.output, ran.output
    ran = with_environment(values, "check", "--twilio", "--json")
    report = json.loads(ran.stdout)
    assert (ran.exit_code, report["isReady"], len(report["faults"])) == (1, False, 1)
    assert report["findings"]
    assert "WINDOW_SECOND" in report["warnings"][0]


def database_line(url: str) -> str:
    ran = with_environment(environment(DATABASE_URL=url), "check")
    assert ran.exit_code == 0, ran.output
    (line,) = [line for line in ran.output.splitlines() if line.startswith("database ")]
    return line


def test_a_file_is_neither_made_nor_changed(tmp_path: Path) -> None:
    path = tmp_path / "data" / "textback.db"
    assert database_line(f"sqlite:///{path}").endswith("textback.db (new: the start makes it)")
    assert list(tmp_path.iterdir()) == []
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.executescript((ROOT / "tests/store/schema_1.sql").read_text())
        db.commit()
    before = path.read_bytes()
    line = database_line(f"sqlite:///{path}")
    assert line.endswith(f"(an older schema: the start migrates it from 1 to {VERSION})")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("is_open", [True, False], ids=["in use", "at rest"])
def test_a_file_of_this_version_is_told(tmp_path: Path, is_open: bool) -> None:
    url = f"sqlite:///{tmp_path}/textback.db"
    store = open_store(url, connections=1)
    if not is_open:
        store.close()
    assert database_line(url).endswith(f"textback.db (schema {VERSION})")
    if is_open:
        store.close()


def test_a_database_of_postgresql_is_neither_made_nor_changed(postgres: Server) -> None:
    url = postgres.new_database()
    assert database_line(url).endswith(f"(schema {VERSION})")
    ask(url, "UPDATE schema_version SET version = 1")
    assert database_line(url).endswith(f"from 1 to {VERSION})")
    assert ask(url, "SELECT version FROM schema_version") == [{"version": 1}]
    ask(url, "DROP SCHEMA public CASCADE")
    ask(url, "CREATE SCHEMA public")
    assert database_line(url).endswith("(new: the start makes it)")
    assert ask(url, "SELECT to_regclass('schema_version') AS made") == [{"made": None}]


def test_what_the_start_would_refuse_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    values = environment(DATABASE_URL=f"sqlite:///{path}")
    for script, said in (
        ("CREATE TABLE theirs (x)", "is a database of another program"),
        ("CREATE TABLE schema_version (version); INSERT INTO schema_version VALUES (999)", "999"),
    ):
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as db:
            db.executescript(script)
        result = with_environment(values, "check")
        assert result.exit_code == 1
        assert said in result.output
    path.unlink()
    open_store(values["DATABASE_URL"], connections=1).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE outbox RENAME COLUMN looks TO glances")
        db.commit()
    result = with_environment(values, "check")
    assert (result.exit_code, "it has no outbox.looks" in result.output) == (1, True)
    path.write_bytes(b"no database at all, and long enough to be read as one" * 40)
    result = with_environment(values, "check")
    assert (result.exit_code, "cannot be opened as a database" in result.output) == (1, True)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('LIMIT_TOTAL="5/hour\n')
    code, written, errors = flask(tmp_path, "check")
    assert code != 0
    assert "Traceback" not in errors
    assert "line 1 cannot be read" in written + errors
