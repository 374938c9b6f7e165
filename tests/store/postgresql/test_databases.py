"""A database keeps its clock, texts and indexes, and goes on after a dump or a migration."""

import threading
from datetime import timedelta
from functools import partial
from urllib.parse import quote

import psycopg
import pytest

from bot.admission.usage_follower import UsageFollower
from bot.domain.events import Event, EventName
from bot.store import history, hourly_counts, migrations, opt_outs, usage
from bot.store import verifications as table
from bot.store.postgres import PostgresStore
from bot.store.tx import Done, UnusableDatabase
from bot.usecases import webhooks
from tests.builders import NOON, OUR_NUMBER, running
from tests.harness import HandClock
from tests.postgres import Server, ask
from tests.store.postgresql.transactions import count_start, mark, marks, note


def test_its_own_clock_decides_and_stands_still_where_it_was_set_back(url: str) -> None:
    store = PostgresStore(url, connections=2)
    now = store.read(lambda tx: tx.now)
    (row,) = ask(url, "SELECT clock_timestamp() AS clock")
    assert abs(row["clock"] - now) < timedelta(seconds=5)
    ahead = now + timedelta(hours=1)
    text = ahead.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    store.write(lambda tx: Done(table.insert(tx, running(id="a"))))
    store.write(lambda tx: Done(history.append(tx, "a", [Event(EventName.STARTED)])))
    ask(url, f"UPDATE history SET at = '{text}'")
    assert store.write(lambda tx: Done(tx.now)) == ahead.replace(microsecond=0)
    store.close()


def loaded(server: Server, dump: str) -> str:
    """The address of a database as it is where far more had happened in the dump's cluster."""
    ask(server.url("postgres"), "CREATE DATABASE loaded")
    url = server.url("loaded")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("\n".join(x for x in dump.splitlines() if x[:1] != "\\"))
    ask(url, "UPDATE history SET sequence = sequence + 1000000")
    ask(url, "UPDATE usage SET number = number + 1000000")
    ask(url, "UPDATE count_cursor SET sequence = sequence + 1000000")
    return url


def test_a_dump_loaded_elsewhere_goes_on(postgres: Server, clock: HandClock) -> None:
    """Transaction numbers start again in another cluster, so followers would wait for years."""
    url = postgres.new_database()
    old = PostgresStore(url, connections=2, clock=clock)
    old.write(lambda tx: Done(table.insert(tx, running(id="a"))))
    for _ in range(30):
        old.write(partial(note, id="a"))
        old.write(partial(count_start, id="a"))
    assert old.write(lambda tx: Done(hourly_counts.count_more(tx)))
    for _ in range(12):
        old.write(partial(note, id="a"))
    old.close()
    dump = postgres.dump(url.rpartition("/")[2])
    other = Server()
    try:
        new = PostgresStore(loaded(other, dump), connections=2, clock=clock)
        seen: list[str] = []
        following = UsageFollower(
            new, longest=timedelta(hours=1), counters=[lambda row: seen.append("row")]
        )
        following.refresh()
        assert len(seen) == 30
        dropped = new.write(
            lambda tx: Done(usage.drop_old(tx, before=NOON - timedelta(days=1), limit=500))
        )
        assert dropped == 0
        new.write(partial(count_start, id="b"))
        new.write(partial(note, id="a"))
        following.refresh()
        assert len(seen) == 31
        while new.write(lambda tx: Done(hourly_counts.count_more(tx))):
            pass
        shown = new.read(lambda tx: hourly_counts.since(tx, NOON - timedelta(hours=1)))
        assert sum(figure.count for figure in shown) == 43
        new.close()
    finally:
        other.close()


def test_an_older_database_is_migrated_and_a_later_one_refused(
    url: str, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations_version = migrations.VERSION
    monkeypatch.setattr(migrations, "VERSION", 99)
    step = (
        "CREATE TABLE more (id TEXT NOT NULL PRIMARY KEY) STRICT;"
        " UPDATE schema_version SET version = 99;"
    )
    monkeypatch.setattr(migrations, "steps", lambda now, **_: [step] if now < 99 else [])
    monkeypatch.setattr(migrations, "HERE", tmp_path)
    (tmp_path / f"{migrations_version + 1}.sql").write_text(step)
    openers = [
        threading.Thread(target=lambda: PostgresStore(url, connections=1).close()) for _ in range(4)
    ]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join()
    assert ask(url, "SELECT version FROM schema_version") == [{"version": 99}]
    assert ask(url, "SELECT count(*) AS n FROM more") == [{"n": 0}]
    monkeypatch.undo()
    with pytest.raises(UnusableDatabase, match="has schema version 99"):
        PostgresStore(url, connections=1)


def test_a_text_with_nul_is_kept_with_a_sign_in_its_place(store: PostgresStore) -> None:
    store.write(lambda tx: mark(tx, "+1\0"))
    assert (
        store.read(lambda tx: opt_outs.newest(tx, from_address=OUR_NUMBER, limit=1))[0][0]
        == "+1\ufffd"
    )


def test_the_hot_paths_use_indexes(store: PostgresStore, url: str) -> None:
    """Asked with scans forbidden, since on a few rows PostgreSQL rightly prefers them: each finds
    an index that serves it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")
        for sql in (
            "SELECT * FROM verification WHERE phone = '+1' AND status = 'pending' FOR UPDATE",
            "SELECT min(due_at) FROM verification WHERE due_at IS NOT NULL",
            "SELECT id FROM verification WHERE due_at <= '2026' ORDER BY due_at LIMIT 9",
            "SELECT o.* FROM outbox o JOIN verification v ON v.id = o.verification_id"
            " WHERE o.due_at <= '2026' ORDER BY o.due_at LIMIT 9 FOR UPDATE SKIP LOCKED",
            "SELECT at FROM history ORDER BY sequence DESC LIMIT 1",
            "SELECT number FROM usage WHERE number > 5 AND number <"
            " pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER BY number LIMIT 9",
            "SELECT at FROM usage WHERE phone = '+1' AND kind = 'wrong' ORDER BY at DESC LIMIT 1",
            "SELECT * FROM verification WHERE status = 'approved' AND created_at >= '2026'"
            " ORDER BY created_at DESC, id DESC LIMIT 9",
        ):
            plan = "\n".join(row[0] for row in connection.execute("EXPLAIN " + sql))
            assert "Seq Scan" not in plan, plan
            assert "Index" in plan, plan


@pytest.mark.parametrize("setting", ["datestyle = 'SQL, DMY'", "client_encoding = 'LATIN1'"])
def test_what_a_database_was_set_to_makes_no_difference(url: str, setting: str) -> None:
    ask(url, f"ALTER DATABASE {url.rsplit('/', 1)[1]} SET {setting}")
    store = PostgresStore(url, connections=2)
    store.write(webhooks.send_test, sent_by="\N{GRINNING FACE}")
    store.write(partial(mark, phone="\N{GRINNING FACE}"))
    assert marks(store) == 1
    store.close()


@pytest.mark.parametrize("schema", ["textback", "Textback", "my-app", "user"])
def test_a_schema_of_any_name_is_found_again(url: str, schema: str) -> None:
    ask(url, f'CREATE SCHEMA "{schema}"')
    options = quote(f'-c search_path="{schema}"')
    for _ in range(2):
        PostgresStore(f"{url}?options={options}", connections=2).close()


def test_a_schema_named_as_the_role_that_was_made_later_changes_nothing(url: str) -> None:
    """It comes first in PostgreSQL's search path, and holds no tables of ours."""
    PostgresStore(url, connections=2).close()
    (row,) = ask(url, "SELECT quote_ident(current_user) AS role")
    ask(url, f"CREATE SCHEMA {row['role']}")
    store = PostgresStore(url, connections=2)
    assert store.read(lambda tx: tx.all("SELECT * FROM verification")) == []
    store.close()
