"""The one place that knows which database an address means."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.store.postgres import PostgresStore
from bot.store.sqlite import SqliteStore
from bot.store.tx import Store

_SQLITE = "sqlite:///"


def is_shared(url: str) -> bool:
    """Whether several web processes may use it at once and none waits for the others' commits."""
    return not url.startswith(_SQLITE)


def open_store(url: str, *, connections: int, clock: Callable[[], datetime] | None = None) -> Store:
    """The store at an address, as settings give it. `connections`: at most, of a shared one.
    `clock`: in place of this host's, or of PostgreSQL's. Raises UnusableDatabase."""
    if is_shared(url):
        return PostgresStore(url, connections=connections, clock=clock)
    return SqliteStore(Path(url.removeprefix(_SQLITE)), clock=clock or _utc_now)


def _utc_now() -> datetime:
    return datetime.now(UTC)
