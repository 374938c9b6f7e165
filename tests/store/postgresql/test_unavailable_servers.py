"""A server that is away, halted or a standby is told in time, and left for one that writes."""

import time
from collections.abc import Callable

import psycopg
import pytest
from psycopg import errors

from bot.store import hourly_counts
from bot.store import postgres as module
from bot.store.postgres import PostgresStore
from bot.store.tx import (
    STORE_TIMEOUT_SECONDS,
    Done,
    MissedRepliesFirst,
    Store,
    StoreUnavailable,
    Tx,
    UnusableDatabase,
)
from tests.postgres import Server, ask
from tests.processes.service import until
from tests.store.postgresql.transactions import mark


def test_a_server_that_is_not_there_is_said_without_the_password() -> None:
    with pytest.raises(UnusableDatabase, match=r"db at 127\.0\.0\.1 cannot be used") as said:
        PostgresStore("postgresql://user:secret-word@127.0.0.1:9/db", connections=1)
    assert "secret-word" not in str(said.value)


def test_a_standby_is_left_once_the_address_leads_elsewhere(url: str) -> None:
    """Though its reads succeed, and new connections lead to it at first: writes fail at once, and
    connections are replaced again."""
    name = url.rsplit("/", 1)[1]
    ask(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    standby = PostgresStore(url, connections=2)
    waited = []
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            standby.write(mark)
        waited.append(time.monotonic() - began)
        standby.read(hourly_counts.version)
    assert waited[1] < 1.5, "the second one knows"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off")

    def writes() -> bool:
        try:
            standby.write(mark)
        except StoreUnavailable:
            standby.read(hourly_counts.version)
            return False
        return True

    assert until(writes, 15)
    standby.close()


def test_a_refusal_to_expire_is_no_outage(any_store: Store) -> None:
    def refuse(tx: Tx) -> Done[None]:
        raise MissedRepliesFirst("replies that were missed are read first")

    with pytest.raises(MissedRepliesFirst):
        any_store.write(refuse)
    assert not any_store.outages.is_open


def test_a_transaction_that_the_server_ends_is_told_as_any_trouble(url: str) -> None:
    PostgresStore(url, connections=1).close()  # on a busy server the schema takes longer
    ask(url, f"ALTER DATABASE {url.rsplit('/', 1)[1]} SET transaction_timeout = '500ms'")
    store = PostgresStore(url, connections=2)
    with pytest.raises(StoreUnavailable):
        store.write_within(1, lambda tx: Done(tx.one("SELECT pg_sleep(2)")))
    store.close()


def test_a_read_that_is_given_up_ends_on_the_server(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a table is locked, each would keep a backend beside its new connection."""
    monkeypatch.setattr(module, "READ", module.READ.replace("'4s'", "'50ms'"))
    store = PostgresStore(url, connections=2)
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE opt_out IN ACCESS EXCLUSIVE MODE")
        for _ in range(4):
            with pytest.raises(StoreUnavailable):
                store.read(lambda tx: tx.one("SELECT 1 FROM opt_out"))
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        assert other.execute(waiting).fetchall() == []
    store.close()


def test_a_migration_beside_a_running_process_is_no_fault_of_a_row(url: str) -> None:
    """psycopg has prepared the statement on each connection, and its columns change."""
    store = PostgresStore(url, connections=2)
    query = "SELECT * FROM opt_out"
    for _ in range(10):
        store.read(lambda tx: tx.one(query))
        store.write(lambda tx: Done(tx.one(query)))
    ask(url, "ALTER TABLE opt_out ADD COLUMN more TEXT")
    assert store.read(lambda tx: tx.one(query)) is None
    assert store.write(lambda tx: Done(tx.one(query))) is None
    store.close()


def test_nothing_waits_longer_than_its_patience_for_a_halted_server() -> None:
    """Its connections stay open, and nothing is answered."""
    server = Server()
    try:
        store = PostgresStore(server.new_database(), connections=4)
        with server.halted():
            for act in (lambda: store.read(lambda tx: tx.now), lambda: store.write(mark)):
                began = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    act()
                assert time.monotonic() - began < STORE_TIMEOUT_SECONDS + 2
        store.close()
    finally:
        server.close()


@pytest.mark.parametrize("act", ["write", "write_within", "read"])
def test_only_a_write_that_is_refused_counts_as_an_outage(url: str, act: str) -> None:
    """It may have been a reply; a removal that meets a lock is none."""
    store = PostgresStore(url, connections=2)

    def refused(tx: Tx) -> Done[None]:
        raise errors.LockNotAvailable

    acts: dict[str, Callable[[], object]] = {
        "write": lambda: store.write(refused),
        "write_within": lambda: store.write_within(60, refused),
        "read": lambda: store.read(refused),
    }
    with pytest.raises(StoreUnavailable):
        acts[act]()
    assert store.outages.is_open is (act == "write")
    store.close()
