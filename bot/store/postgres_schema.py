"""The first connection to a PostgreSQL database: its schema is made, migrated, or refused before
anything else is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row

from bot.store import migrations
from bot.store.time_mark import NEWEST_INSTANTS
from bot.store.tx import UnusableDatabase

Connection = psycopg.Connection[DictRow]

OLDEST_SERVER = 140000  # PostgreSQL 14
# Defaults for what the address does not set. With them a server that has vanished is noticed.
_CONNECTION = {
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "application_name": "textback",
    "client_encoding": "UTF8",  # whatever the server or the role was set to
}
_SETUP_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('textback schema', 0))"
# Indexes that SQLite makes without being asked: those of the numbers.
_EXTRAS = """
    CREATE INDEX usage_number ON usage (number);
    CREATE INDEX history_sequence ON history (sequence);
"""


def schema_version(url: str) -> int | None:
    """The version of the schema in a database, which is only read; None: there is none yet. Raises
    UnusableDatabase."""
    address, name = address_of(url)
    with connected(address, name) as connection:
        version = version_of(connection, name)
        if version == migrations.VERSION:
            _require_columns(connection, name)
            connection.execute(NEWEST_INSTANTS)
        return version


def address_of(url: str) -> tuple[str, str]:
    """Adds our defaults to an address. Returns also the database's name for people. Raises
    UnusableDatabase."""
    try:
        wanted = conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its message repeats a part of the address
        raise UnusableDatabase(
            f"DATABASE_URL cannot be read as an address{_unknown_parameter(url)}"
        ) from None
    missing = {name: value for name, value in _CONNECTION.items() if name not in wanted}
    database = wanted.get("dbname") or wanted.get("user") or "the default database"
    return make_conninfo(url, **missing), f"{database} at {wanted.get('host', 'localhost')}"


def _unknown_parameter(url: str) -> str:
    """Names the first one of the address that the driver does not know; values may be secrets."""
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    for name, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True):
        if name not in known and name.isidentifier():
            return f": PostgreSQL has no parameter {name:.40}"
    return ""


@contextmanager
def connected(address: str, name: str) -> Iterator[Connection]:
    """Raises UnusableDatabase."""
    try:
        with psycopg.connect(address, autocommit=True, row_factory=dict_row) as connection:
            yield connection
    except (psycopg.Error, UnicodeError) as error:  # the latter of a host that is no name
        raise UnusableDatabase(f"{name} cannot be used: {error}".strip()) from error


def prepare(connection: Connection, name: str) -> None:
    """Makes or migrates the schema in one transaction. `name`: of the database, for people.

    Raises UnusableDatabase.
    """
    with connection.transaction():
        connection.execute(_SETUP_LOCK)  # one of several that start at once
        version = version_of(connection, name)
        if version is None:
            connection.execute(migrations.for_postgres(migrations.schema()))
            connection.execute(_EXTRAS)
            return
        try:
            for step in migrations.steps(version, database="postgresql"):
                connection.execute(migrations.for_postgres(step))
        except psycopg.ProgrammingError as error:  # a table or column is missing, or already there
            raise migrations.of_no_release(name, version, message_of(error)) from error
        _require_columns(connection, name)
        _renumber_if_restored(connection)


def version_of(connection: Connection, name: str) -> int | None:
    """The version of the schema; None: there is none yet. Raises UnusableDatabase."""
    if connection.info.server_version < OLDEST_SERVER:
        raise UnusableDatabase(f"{name} is older than PostgreSQL 14")
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise UnusableDatabase(f"{name} is not encoded in UTF8")
    if _value(connection, "SELECT to_regclass('schema_version')") is None:
        return None
    return migrations.refuse(_value(connection, "SELECT version FROM schema_version"), name=name)


def _require_columns(connection: Connection, name: str) -> None:
    # Not `current_schema()`: one that is named as the role comes first, even if it was made later.
    sql = """
        SELECT table_name AS of, column_name AS name FROM information_schema.columns
        WHERE table_schema = (
            SELECT nspname FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid
            WHERE pg_class.oid = to_regclass('schema_version')
        )
    """
    rows = connection.execute(sql).fetchall()
    migrations.require_columns(name, ((row["of"], row["name"]) for row in rows))


def _renumber_if_restored(connection: Connection) -> None:
    """After a dump is loaded into another server, rows may have transaction numbers that are still
    in the future there. Gives all rows numbers lower than any future transaction's; rows that are
    not counted yet come after the others."""
    # One statement, not two: a transaction that ended between two statements would make its rows
    # look as if they were in the future.
    is_restored = _value(
        connection,
        "SELECT greatest((SELECT max(sequence) FROM history), (SELECT max(number) FROM usage),"
        " (SELECT max(sequence) FROM count_cursor))"
        " >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
    )
    if not is_restored:
        return
    counted_to = _value(connection, "SELECT sequence FROM count_cursor FOR UPDATE")
    connection.execute("UPDATE history SET sequence = 0 WHERE sequence <= %s", [counted_to])
    # Rows that are not counted share a number after the counted ones and before all to come.
    connection.execute("UPDATE history SET sequence = 1 WHERE sequence > %s", [counted_to])
    # Each keeps a number of its own, in its order.
    connection.execute("UPDATE usage SET number = row - (SELECT max(row) FROM usage)")
    connection.execute("UPDATE count_cursor SET sequence = 0")


def _value(connection: Connection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return next(iter(row.values())) if row else None


def message_of(error: Exception) -> str:
    """An error's class and state; its message may hold values."""
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__
