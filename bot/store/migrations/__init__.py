"""Migrations of older databases: a file for each version, all steps in one transaction.

A new database gets `schema.sql`. A test checks that migrating gives the same schema.
"""

import contextlib
import re
import sqlite3
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from bot.store.tx import UnusableDatabase

VERSION = 9  # of schema.sql

HERE = Path(__file__).parent
_SCHEMA = HERE.parents[2] / "schema.sql"


def schema() -> str:
    return _SCHEMA.read_text()


def steps(version: int, *, database: str = "sqlite") -> list[str]:
    """The scripts from this version to the current one. After each step for both databases comes
    the step for this one alone (`sqlite`, `postgresql`)."""
    numbers = range(version + 1, VERSION + 1)
    paths = [HERE / f"{n}{kind}.sql" for n in numbers for kind in ("", f".{database}")]
    return [path.read_text() for path in paths if path.exists()]


def refuse(version: int | None, *, name: str) -> int:
    """Returns the version unchanged. Raises UnusableDatabase if it cannot be migrated to the
    current one."""
    if version is None:
        raise UnusableDatabase(
            f"{name} has tables and no schema version: it is damaged, or another program's. Restore"
            " a backup"
        )
    if version > VERSION:
        raise UnusableDatabase(
            f"{name} has schema version {version}, and this Textback knows up to {VERSION}: run the"
            " Textback that made it, or a later one"
        )
    if not (HERE / f"{version + 1}.sql").exists() and version < VERSION:
        raise UnusableDatabase(f"{name} has schema version {version}: no step leads on from it")
    return version


def of_no_release(name: str, version: int, what: str) -> UnusableDatabase:
    """Returns the error for a database whose tables do not match its schema version."""
    return UnusableDatabase(
        f"{name} says that it has schema version {version}, but {what}: a commit between two"
        " releases made it. Run that commit, or begin a new database"
    )


def require_columns(name: str, found: Iterable[tuple[str, str]]) -> None:
    """`found`: the database's pairs of table and column. Raises UnusableDatabase where one of
    schema.sql is not among them."""
    lacking = sorted(_columns() - set(found))
    if lacking:
        table, column = lacking[0]
        raise of_no_release(name, VERSION, f"it has no {table}.{column}")


@cache
def _columns() -> frozenset[tuple[str, str]]:
    """The columns of schema.sql, as SQLite understands it."""
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(schema())
        sql = """
            SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c
            WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'
        """
        return frozenset(db.execute(sql))


def for_sqlite(script: str) -> str:
    """The same script with each list of texts as comparisons: SQLite makes a tree of a list in a
    CHECK at every statement, which was half the time of an UPDATE that ends a verification.

    >>> for_sqlite("CHECK (event IN ('sent', 'read'))")
    "CHECK ((event = 'sent' OR event = 'read'))"
    """
    return re.sub(r"(?<![\w.])(?!NOT\b)(\w+) IN\s*\(('[^)]*')\)", _compared, script)


def _compared(found: re.Match[str]) -> str:
    column, texts = found.groups()
    return "(" + " OR ".join(f"{column} = {text.strip()}" for text in texts.split(",")) + ")"


def for_postgres(script: str) -> str:
    """The same script in PostgreSQL's dialect.

    Texts are compared byte by byte, as SQLite does, whatever the locale. Followers read rows by
    the number of the transaction that wrote them, since numbers of a sequence become visible in any
    order, and any process can tell whether a transaction is over (`Tx.horizon`).
    """
    words = {
        r"\) STRICT;": ");",
        r"INTEGER PRIMARY KEY AUTOINCREMENT": "BIGINT NOT NULL DEFAULT"
        " (pg_current_xact_id()::text::bigint),\n"
        "    row             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        r"\bTEXT\b": 'TEXT COLLATE "C"',
        r"\bINTEGER\b": "BIGINT",
        r"\bREAL\b": "DOUBLE PRECISION",
    }
    for pattern, word in words.items():
        script = re.sub(pattern, word, script)
    return script
