"""Databases of each earlier version with live rows in them: a pending verification goes on, an
approved one stays, and what counts against limits still counts."""

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.domain.verification import Status
from bot.store import (
    circuits,
    hourly_counts,
    inbound,
    metric_samples,
    migrations,
    opt_outs,
    outbox,
    usage,
    verifications,
)
from bot.store.opening import open_store
from bot.store.postgres import PostgresStore
from bot.store.texts import TextState
from bot.store.tx import Store
from bot.usecases import answer, claim
from bot.usecases.heartbeat import assume_all_judged
from tests.builders import KEYRING, OUR_NUMBER, PHONE, RULES, TEXT
from tests.builders import inbound as text_of
from tests.harness import HandClock
from tests.postgres import Server, ask
from tests.store.shapes import shape

HERE = Path(__file__).parent
AT, DEADLINE = "2026-01-31T11:59:30.000000Z", "2026-01-31T12:01:00.000000Z"
OTHER = "+14255550177"
NONCE = "00" * 16
CODE = KEYRING.code(key_id=KEYRING.current_id, nonce=NONCE, length=4)
# Indexes that SQLite has by itself, as PostgreSQL had them up to version 3.
EXTRAS = """
    CREATE INDEX tally_number ON tally (number);
    CREATE INDEX history_sequence ON history (sequence);
"""
EXTRAS_SINCE_3 = """
    CREATE INDEX usage_number ON usage (number);
    CREATE INDEX history_sequence ON history (sequence);
"""
COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY table_name, column_name
"""
INDEXES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' ORDER BY tablename, indexname
"""
SEQUENCES = """
    SELECT sequence_name FROM information_schema.sequences
    WHERE sequence_schema = 'public' ORDER BY sequence_name
"""


def verification(**more: Any) -> dict[str, Any]:
    return {
        "id": "pending", "phone": PHONE, "country": "US", "started_by": "function",
        "start_input": '"x"', "reference": "KP", "nonce": NONCE, "key_id": KEYRING.current_id,
        "challenge_text": TEXT, "code_length": 4, "window_seconds": 90, "max_attempts": 4,
        "send_within_seconds": 60, "created_at": AT, "first_try_at": AT, "accepted_at": AT,
        "deadline_at": DEADLINE, "due_at": DEADLINE, "attempts": 1, "updated_at": AT, **more,
    }  # fmt: skip


def rows(version: int) -> list[tuple[str, dict[str, Any]]]:
    """Fills a database of that version as in the middle of a busy minute."""
    ended = {"due_at": None, "status": "approved", "ended_at": AT}
    if version >= 3:
        ended["cause"] = "answered"
    unsent = {"id": "unsent", "phone": "+14255550178", "accepted_at": None, "first_try_at": None}
    started = {"phone": OTHER, "country": "US", "started_by": "function", "at": AT}
    kinds = ("approved", "approval") if version == 1 else ("start", "approval")
    return [
        ("verification", verification()),
        ("verification", verification(id="approved", phone=OTHER, **ended)),
        ("verification", verification(**unsent)),
        ("outbox", text("pending", "accepted", sid="SM1")),
        ("outbox", text("approved", "accepted", sid="SM2", delivery="delivered")),
        ("outbox", text("unsent", "queued", due_at=AT)),
        *(("tally", {"kind": kind, "verification_id": "approved", **started}) for kind in kinds),
        ("tally", {"kind": "wrong", "verification_id": "pending", **started, "phone": PHONE}),
        ("opt_out", {"phone": OTHER, "sender": OUR_NUMBER, "since": AT}),
        ("circuit", {"sender": "MG1", "since": AT, "error_code": 20003, "probe_at": AT}),
        ("inbound", {"message_sid": "SM" + "1" * 32, "received_at": AT, "answer": "Thanks."}),
        *([] if version == 1 else counted()),
    ]


def text(of: str, state: str, **more: Any) -> dict[str, Any]:
    return {"id": f"o-{of}", "verification_id": of, "state": state, "queued_at": AT, **more}


def counted() -> list[tuple[str, dict[str, Any]]]:
    hour = {"hour": AT[:13], "country": "US", "event": "started", "seconds": 0, "count": 7}
    sample = {"process": "p", "sample": "x", "value": 2.0, "at": AT}
    return [("figure", hour), ("counted", sample)]


def script(version: int) -> str:
    return (HERE / f"schema_{version}.sql").read_text()


def insert(run: Callable[[str, list[Any]], object], mark: str, version: int) -> None:
    for table, row in rows(version):
        marks = ", ".join([mark] * len(row))
        run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


def empty_database(postgres: Server, name: str) -> str:
    ask(postgres.url("postgres"), f"CREATE DATABASE {name}")
    return postgres.url(name)


@pytest.fixture(params=["sqlite-1", "sqlite-2", "sqlite-3", "postgresql-2", "postgresql-3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, postgres: Server, clock: HandClock):
    """PostgreSQL came with version 2."""
    database, version = request.param.split("-")
    url = f"sqlite:///{tmp_path}/old.db"
    if database == "sqlite":
        db = sqlite3.connect(tmp_path / "old.db")
        db.executescript(script(int(version)))
        insert(db.execute, "?", int(version))
        db.commit()
        db.close()
    else:
        url = empty_database(postgres, f"old_{version}_{abs(hash(tmp_path)) % 10**6}")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(migrations.for_postgres(script(int(version))))
            connection.execute(EXTRAS)
            insert(connection.execute, "%s", int(version))
    made = open_store(url, connections=2, clock=clock)
    yield made
    made.close()


def test_the_pending_one_goes_on(store: Store) -> None:
    before = store.read(verifications.load, "pending")
    assert before is not None
    assert (before.status, before.attempts) == (Status.PENDING, 1)
    judged = store.write(
        answer.judge_text, text_of(CODE), rules=RULES, judged_until=assume_all_judged
    )
    assert judged.answer == "Thank you, this number is verified."
    after = store.read(verifications.load, "pending")
    assert after is not None
    assert after.status is Status.APPROVED


def test_the_queued_text_goes_out(store: Store) -> None:
    lease = timedelta(seconds=24)
    claims = store.write(claim.claim_due, lease=lease, limit=9, rules=RULES, asked_at=0.0)
    assert [claim.text_id for claim in claims] == ["o-unsent"]
    assert CODE in claims[0].body
    found = store.read(outbox.load, "o-unsent")
    assert found is not None
    assert (found.state, found.from_address, found.locale) == (
        TextState.SENDING,
        OUR_NUMBER,
        "en",
    )


def test_it_is_shaped_like_a_new_one(store: Store, tmp_path: Path, postgres: Server) -> None:
    if isinstance(store, PostgresStore):
        new = postgres.new_database()
        for sql in (COLUMNS, INDEXES, SEQUENCES):
            old = store.read(lambda tx, sql=sql: [dict(row) for row in tx.all(sql)])
            assert old == ask(new, sql)
    else:
        open_store(f"sqlite:///{tmp_path}/new.db", connections=2).close()
        assert shape(tmp_path / "old.db") == shape(tmp_path / "new.db")


def test_what_is_over_stays_as_it_was(store: Store) -> None:
    found = store.read(verifications.load, "approved")
    assert found is not None
    assert found.status is Status.APPROVED
    assert found.outcome is not None
    (sent,) = store.read(outbox.of, "approved")
    assert (sent.sid, sent.delivery, sent.purpose, sent.channel) == (
        "SM2",
        "delivered",
        "challenge",
        "sms",
    )


def test_what_counts_still_counts(store: Store) -> None:
    rows = store.read(usage.after, 0, since=datetime.fromisoformat("2026-01-01T00:00Z"), limit=9)
    assert [row.kind.value for row in rows] == ["start", "approval"]
    assert store.read(usage.was_approved, OTHER, since=rows[0].at.replace(hour=0))
    assert store.read(opt_outs.load, phone=OTHER, from_address=OUR_NUMBER) is not None
    assert store.read(circuits.load, "MG1") is not None
    given = store.read(inbound.load, "SM" + "1" * 32)
    assert given is not None
    assert given.answer == "Thanks."
    if store.read(metric_samples.of_all):
        found = store.read(hourly_counts.since, rows[0].at)
        assert sum(one.count for one in found if one.event == "started") >= 7


@pytest.mark.parametrize("version", [4, 5])
def test_later_versions_are_brought_to_the_present_shape_with_their_counts(
    version: int, tmp_path: Path, postgres: Server, clock: HandClock
) -> None:
    count = f"INSERT INTO hourly_count VALUES ('{AT[:13]}', 'US', 'started', 0, 7)"
    db = sqlite3.connect(tmp_path / "old.db")
    db.executescript(script(version))
    db.execute(count)
    db.commit()
    db.close()
    url = empty_database(postgres, f"from_{version}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(migrations.for_postgres(script(version)))
        connection.execute(EXTRAS_SINCE_3)
        connection.execute(count)
    for address in (f"sqlite:///{tmp_path}/old.db", url):
        store = open_store(address, connections=2, clock=clock)
        (kept,) = store.read(hourly_counts.since, datetime.fromisoformat(AT))
        assert (kept.country, kept.count) == ("US", 7)
        store.close()
    new = postgres.new_database()
    for sql in (COLUMNS, INDEXES, SEQUENCES):
        assert ask(url, sql) == ask(new, sql)
    open_store(f"sqlite:///{tmp_path}/new.db", connections=2, clock=clock).close()
    assert shape(tmp_path / "old.db") == shape(tmp_path / "new.db")
