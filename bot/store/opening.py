"""Opens the database that DATABASE_URL names: SQLite or PostgreSQL."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.store.steady import SteadyClock, SteppedMonotonic
from bot.store.tx import Store

_SQLITE = "sqlite:///"


def open_store(
    url: str,
    *,
    connections: int,
    clock: Callable[[], datetime] | None = None,
    monotonic: Callable[[], float] | None = None,
) -> Store:
    """The store at an address, as settings give it. `connections`: at most, of a shared one.
    `clock`: in place of this host's, or of PostgreSQL's; `monotonic`: seconds that only grow, made
    of that clock where it is not given. Raises UnusableDatabase."""
    if monotonic is None:
        monotonic = SteppedMonotonic(clock) if clock else time.monotonic
    steady = SteadyClock(monotonic)
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


def _utc_now() -> datetime:
    return datetime.now(UTC)
