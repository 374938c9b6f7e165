"""Opens the database that DATABASE_URL names: SQLite or PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.store.migrations import VERSION
from bot.store.steady import SteadyClock, monotonic_of
from bot.store.tx import Store, UnusableDatabase

_SQLITE = "sqlite:///"


def open_store(
    url: str,
    *,
    connections: int,
    clock: Callable[[], datetime] | None = None,
    monotonic: Callable[[], float] | None = None,
) -> Store:
    """Opens the store that DATABASE_URL names. `connections`: the most to PostgreSQL. `clock`
    replaces the clock of this host or of PostgreSQL; `monotonic`: seconds that only grow, by
    default derived from `clock` if that is given. Raises UnusableDatabase."""
    steady = SteadyClock(monotonic or monotonic_of(clock))
    # Only the driver of the one in use: importing both is a good part of a start.
    if not url.startswith(_SQLITE):
        from bot.store.postgres import PostgresStore

        return PostgresStore(url, connections=connections, clock=clock, steady=steady)
    from bot.store.sqlite import SqliteStore

    path = Path(url.removeprefix(_SQLITE))
    return SqliteStore(path, clock=clock or _utc_now, steady=steady)


def schema_version(url: str) -> int | None:
    """The version of the schema in the database at an address, which is only read; None: it is
    made at the start. Raises UnusableDatabase, as `open_store` would."""
    if not url.startswith(_SQLITE):
        from bot.store.postgres_schema import schema_version as of_server

        return of_server(url)
    from bot.store.sqlite_file import schema_version as of_file

    return of_file(Path(url.removeprefix(_SQLITE)))


def require_current(url: str) -> None:
    """Only reads the database, for commands: in the wrong folder one would make an empty database,
    as another user a file that the service cannot open, and as a newer version it would migrate
    what the service is using. Raises UnusableDatabase."""
    version = schema_version(url)
    if version is None:
        raise UnusableDatabase(
            "DATABASE_URL leads to no database of Textback: the service makes it at its first"
            " start. Check the setting and the working directory."
        )
    if version < VERSION:
        raise UnusableDatabase(
            f"The database has schema {version}, and this version of Textback works with"
            f" {VERSION}: the service migrates it at its start."
        )


def _utc_now() -> datetime:
    return datetime.now(UTC)
