"""One transaction on PostgreSQL: statements with `:name` in them, locks on rows and numbers."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

import psycopg
from psycopg.rows import DictRow

from bot.store.postgres_schema import Connection
from bot.store.rows import Row, Value

_INSTANT = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}.[0-9]{2}.[0-9]{2}[.0-9]*Z$"


class PostgresTx:
    horizon = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

    def __init__(
        self, connection: Connection, clock: Callable[[Connection], datetime], *, writes: bool
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._writes = writes
        self._now: datetime | None = None
        self.has_written = False

    @property
    def now(self) -> datetime:
        if self._now is None:
            self._now = self._clock(self._connection)
        return self._now

    def all(self, sql: str, **params: Value) -> list[Row]:
        return list(self._execute(sql, params).fetchall())

    def one(self, sql: str, **params: Value) -> Row | None:
        return self._execute(sql, params).fetchone()

    def run(self, sql: str, **params: Value) -> int:
        count = self._execute(sql, params).rowcount
        self.has_written = self.has_written or count > 0
        return count

    def lock(self, sql: str, **params: Value) -> Row | None:
        if not self._writes:
            return self.one(sql, **params)
        row = self.one(f"{sql} FOR NO KEY UPDATE", **params)
        self._now = None
        return row

    def lock_skip_locked(self, sql: str, **params: Value) -> list[Row]:
        if not self._writes:
            return self.all(sql, **params)
        rows = self.all(f"{sql} FOR NO KEY UPDATE SKIP LOCKED", **params)
        self._now = None
        return rows

    def lock_name(self, name: str) -> None:
        """Two names may share a lock by chance, which costs a wait and nothing else."""
        self._execute("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))", {"name": name})
        self._now = None

    def seconds(self, earlier: str, later: str) -> str:
        # A cast of anything else would fail the whole statement; SQLite makes NULL of it.
        are_instants = " AND ".join(f"{one} ~ '{_INSTANT}'" for one in (earlier, later))
        seconds = f"extract(epoch FROM {later}::timestamptz - {earlier}::timestamptz)"
        return f"CASE WHEN {are_instants} THEN round({seconds})::bigint END"

    def _execute(self, sql: str, params: dict[str, Value]) -> psycopg.Cursor[DictRow]:
        return self._connection.execute(_translated(sql), _storable(params))


@lru_cache(maxsize=1024)
def _translated(sql: str) -> str:
    """Converts `:name` to psycopg's notation."""
    return re.sub(r"(?<!:):([a-z_][a-z_0-9]*)", r"%(\1)s", sql.replace("%", "%%"))


def _storable(params: dict[str, Value]) -> dict[str, Value]:
    """Replaces NUL, which PostgreSQL's texts cannot hold, by the replacement character."""
    return {
        name: value.replace("\0", "\ufffd") if isinstance(value, str) else value
        for name, value in params.items()
    }
