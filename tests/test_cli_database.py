"""Commands use a database that the service has made; they neither make nor migrate one."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.store.migrations import VERSION
from bot.store.opening import open_store, schema_version
from tests.flask_commands import flask, with_environment
from tests.harness import PHONE, environment
from tests.postgres import Server, ask

NOT_MADE = "DATABASE_URL leads to no database of Textback: the service makes it at its first start"
OLDER = f"The database has schema {VERSION - 1}, and this version of Textback works with {VERSION}"


def refusal(url: str, *command: str) -> str:
    result = with_environment(environment(DATABASE_URL=url), *command)
    assert result.exit_code == 1
    return result.output


@pytest.mark.parametrize(
    "command",
    [("list",), ("start", PHONE), ("audit",), ("limits", "show", PHONE), ("clock", "reset")],
)
def test_commands_neither_make_nor_migrate_a_file(tmp_path: Path, command: tuple[str, ...]) -> None:
    url = f"sqlite:///{tmp_path}/data/textback.db"
    assert NOT_MADE in refusal(url, *command)
    assert list(tmp_path.iterdir()) == []
    open_store(url, connections=1).close()
    with closing(sqlite3.connect(tmp_path / "data" / "textback.db")) as db:
        db.execute("UPDATE schema_version SET version = ?", [VERSION - 1])
        db.commit()
    assert OLDER in refusal(url, *command)
    assert schema_version(url) == VERSION - 1


def test_commands_neither_make_nor_migrate_tables_of_postgresql(postgres: Server) -> None:
    url = postgres.new_database()
    ask(url, f"UPDATE schema_version SET version = {VERSION - 1}")
    assert OLDER in refusal(url, "list")
    assert schema_version(url) == VERSION - 1
    ask(url, "DROP SCHEMA public CASCADE")
    ask(url, "CREATE SCHEMA public")
    assert NOT_MADE in refusal(url, "list")
    assert schema_version(url) is None


@pytest.mark.parametrize("command", [("routes",), ("shell",)])
def test_what_shows_the_application_makes_no_database(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / ".env").write_text(
        "".join(f"{name}={value}\n" for name, value in environment().items())
    )
    code, _, errors = flask(tmp_path, *command)
    assert (code, "leads to no database" in errors) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_the_texts_need_no_database(tmp_path: Path) -> None:
    values = environment(DATABASE_URL=f"sqlite:///{tmp_path}/textback.db")
    assert with_environment(values, "texts").exit_code == 0
    assert list(tmp_path.iterdir()) == []
