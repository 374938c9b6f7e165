"""A transaction on SQLite."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property

import sqlite_utils

from bot.concurrency import blocking
from bot.store.rows import Row, Value

FETCHED_AT_ONCE = 200  # rows: a millisecond


class SqliteTx:
    def __init__(self, db: sqlite_utils.Database, clock: Callable[[], datetime]) -> None:
        # SQLite's own connection: sqlite-utils asks before and after each statement whether a
        # transaction is open, and here one always is.
        self._connection = db.conn
        self._clock = clock

    @cached_property
    def now(self) -> datetime:
        """Read when it is first asked for: the lock is held by then, and many reads never ask."""
        return self._clock()

    def all(self, sql: str, **params: Value) -> list[Row]:
        cursor = self._connection.execute(sql, params)
        rows: list[Row] = cursor.fetchmany(FETCHED_AT_ONCE)
        last = len(rows)
        while last == FETCHED_AT_ONCE:
            blocking.yield_control()
            more = cursor.fetchmany(FETCHED_AT_ONCE)
            last = len(more)
            rows += more
        return rows

    def one(self, sql: str, **params: Value) -> Row | None:
        row: Row | None = self._connection.execute(sql, params).fetchone()
        return row

    def run(self, sql: str, **params: Value) -> int:
        return self._connection.execute(sql, params).rowcount

    # One writer at a time: rows that are read are locked, and rows become visible in their order.
    lock = one
    lock_skip_locked = all
    horizon = str(2**63 - 1)

    def lock_name(self, name: str) -> None:
        pass

    def seconds(self, earlier: str, later: str) -> str:
        """Plain SQL, no Python function: SQLite would wait for the interpreter at each call, up to
        five milliseconds under load, and hold up all writes."""
        return f"CAST(round((julianday({later}) - julianday({earlier})) * 86400) AS INTEGER)"
