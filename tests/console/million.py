"""Writes a file with millions of finished verifications by SQL, in minutes rather than days."""

import os
import sqlite3
from pathlib import Path

from bot.store import hourly_counts
from bot.store.sqlite import SqliteStore
from bot.store.tx import REMOVING_SECONDS, Done, Tx
from bot.usecases.forget import HOURS_KEPT
from tests.harness import HandClock

# Spread evenly over the thirty days that are kept, to the minute before `now`.
_SPAN_SECONDS = 30 * 24 * 3600 - 60

_ROWS = """
    WITH RECURSIVE counter (n) AS (
        SELECT 0 UNION ALL SELECT n + 1 FROM counter WHERE n < :count - 1)
    SELECT n, printf('%032x', 1 + n) AS id, printf('+1425%07d', n * 7919 % 1000000) AS phone,
        CASE WHEN n % 10 < 7 THEN 'US' WHEN n % 10 < 9 THEN 'FR' ELSE 'DE' END AS country,
        CASE WHEN n % 20 < 14 THEN 'approved' WHEN n % 20 < 17 THEN 'expired'
            WHEN n % 20 < 18 THEN 'failed' WHEN n % 20 < 19 THEN 'canceled'
            ELSE 'max_attempts_reached' END AS status,
        CASE n % 3 WHEN 0 THEN 'order-' || n WHEN 1 THEN 'sign-up' END AS tag,
        strftime('%Y-%m-%dT%H:%M:%S.000000Z', :now,
            '-' || (60 + :span - n * :span / :count) || ' seconds') AS created_at,
        strftime('%Y-%m-%dT%H:%M:%S.000000Z', :now,
            '-' || (55 + :span - n * :span / :count - n % 40) || ' seconds') AS ended_at
    FROM counter
"""
_VERIFICATIONS = """
    INSERT INTO verification (id, phone, country, started_by, start_input, request_id,
        reference, nonce, key_id, challenge_text, code_length, window_seconds, max_attempts,
        send_within_seconds, created_at, first_try_at, accepted_at, deadline_at, attempts,
        status, cause, error_code, ended_at, updated_at, tag)
    SELECT id, phone, country, 'function', '"x"', 'r', 'KP', '00', 'k', 'text {code}', 4, 90, 4,
        60, created_at, created_at, created_at, '9999-01-01T00:00:00.000000Z',
        CASE status WHEN 'max_attempts_reached' THEN 4 ELSE 0 END, status,
        CASE status WHEN 'approved' THEN 'answered' WHEN 'expired' THEN 'window_over'
            WHEN 'max_attempts_reached' THEN 'attempts_used' WHEN 'canceled' THEN 'terminated'
            ELSE 'send_refused' END,
        CASE status WHEN 'failed' THEN 30003 + n % 6 END, ended_at, ended_at, tag
    FROM made
"""
_TEXTS = """
    INSERT INTO outbox (id, verification_id, purpose, channel, from_address, locale, state,
        queued_at, sid)
    SELECT 'o' || id, id, 'challenge', 'sms', '+14255550100', 'en', 'accepted', created_at,
        'SM' || id FROM made
"""
_LINES = """
    INSERT INTO history (verification_id, number, at, event)
    SELECT id, {number}, {at}, {event} FROM made
"""
_STARTS = """
    INSERT INTO hourly_count (hour, country, event, seconds, count)
    SELECT substr(created_at, 1, 13), country, 'started', 0, count(*) FROM made GROUP BY 1, 2
"""
_ENDS = """
    INSERT INTO hourly_count (hour, country, event, seconds, count)
    SELECT substr(ended_at, 1, 13), country, status,
        CASE status WHEN 'approved' THEN 5 + n % 40 ELSE 0 END, count(*)
    FROM made GROUP BY 1, 2, 3, 4
"""

# Queries of the list.
QUERIES = [
    "",
    "status=approved",
    "status=pending",
    "status=failed&country=DE",
    "country=FR",
    "country=GB",
    "q=%2B14255500123",
    "q=425-550-0123&status=failed",
    "q=0123",
    "q=0123&status=canceled&country=DE",
    "q=KP",
    "q=KP&status=failed&country=DE",
    "q=30005",
    "q=30005&country=DE",
    "q=order-78",
    "q=none",
    "q=sign-up",
    "q=sign-up&country=DE&status=expired",
    "q=0000000000000000000000000007a",
    "from=2026-01-20T00:00&to=2026-01-21T00:00",
    "status=canceled&country=US&to=2026-01-05T00:00",
    "after=2026-01-15T12:00:00.000000Z+x",
]


def fill(path: Path, clock: HandClock, count: int) -> None:
    """Fills a new file with so many finished verifications, each with its text and its history."""
    SqliteStore(path, clock=clock).close()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous=OFF")
    db.execute("PRAGMA cache_size=-200000")
    now = clock().strftime("%Y-%m-%d %H:%M:%S")
    values = {"count": count, "now": now, "span": _SPAN_SECONDS}
    # Built at the end, which is twice as fast.
    indexes = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    db.execute("BEGIN")
    for name, _ in indexes:
        db.execute(f"DROP INDEX {name}")
    db.execute(f"CREATE TEMP TABLE made AS {_ROWS}", values)
    db.execute(_VERIFICATIONS)
    db.execute(_TEXTS)
    for number, event, at in ((1, "'started'", "created_at"), (2, "status", "ended_at")):
        db.execute(_LINES.format(number=number, event=event, at=at))
    db.execute(_STARTS)
    db.execute(_ENDS)
    db.execute("UPDATE count_cursor SET sequence = (SELECT max(sequence) FROM history)")
    for _, sql in indexes:
        db.execute(sql)
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    _fold(path, clock)
    # Otherwise the next commit would have to wait until gigabytes are on the disk.
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _fold(path: Path, clock: HandClock) -> None:
    """Folds hours as the hourly sweep does."""
    store = SqliteStore(path, clock=clock)
    store.write_within(REMOVING_SECONDS, _fold_hours)
    store.close()


def _fold_hours(tx: Tx) -> Done[None]:
    hourly_counts.fold_hours(tx, before=tx.now - HOURS_KEPT)
    return Done(None)
