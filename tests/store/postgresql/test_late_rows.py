"""Rows that are committed late are neither missed nor counted twice."""

import threading
from datetime import timedelta
from functools import partial

import psycopg

from bot.admission.usage_follower import UsageFollower
from bot.store import hourly_counts
from bot.store import verifications as table
from bot.store.postgres import PostgresStore
from bot.store.tx import Done, Tx
from tests.builders import NOON, running
from tests.harness import HandClock
from tests.postgres import Server, ask
from tests.store.postgresql.transactions import Held, begin, count_start, note


def followed(store: PostgresStore) -> tuple[UsageFollower, list[str]]:
    """A follower of the last hour, and the ids that it has seen."""
    seen: list[str] = []
    counters = [lambda row: seen.append(row.run_id)]
    return UsageFollower(store, longest=timedelta(hours=1), counters=counters), seen


def test_a_follower_misses_no_row_that_is_committed_late(store: PostgresStore) -> None:
    """The later number becomes visible first; a follower that had passed the earlier one would
    never see that row."""
    following, seen = followed(store)
    held = Held(store, partial(count_start, id="early"))
    store.write(partial(count_start, id="late"))
    following.refresh()
    assert seen == [], "one before it is still under way"
    held.let_go()
    following.refresh()
    assert seen == ["early", "late"]


def test_hourly_counts_show_a_late_line_at_once_and_count_it_once(store: PostgresStore) -> None:
    for id, phone in (("a", "+14255550101"), ("b", "+14255550102")):
        v = running(id=id, phone=phone)
        store.write(lambda tx, v=v: Done(table.insert(tx, v)))
    held = Held(store, partial(note, id="a"))
    version = store.read(hourly_counts.version)
    store.write(partial(note, id="b"))
    assert store.read(hourly_counts.version) != version
    version = store.read(hourly_counts.version)
    assert not store.write(lambda tx: Done(hourly_counts.count_more(tx))), "not settled yet"
    shown = store.read(lambda tx: hourly_counts.since(tx, NOON - timedelta(hours=1)))
    assert sum(figure.count for figure in shown) == 1
    held.let_go()
    assert store.read(hourly_counts.version) != version, "an open page is told of the late line too"
    while store.write(lambda tx: Done(hourly_counts.count_more(tx))):
        pass
    shown = store.read(lambda tx: hourly_counts.since(tx, NOON - timedelta(hours=1)))
    assert sum(figure.count for figure in shown) == 2


def test_two_who_count_the_history_at_once_count_it_once(store: PostgresStore) -> None:
    store.write(lambda tx: Done(table.insert(tx, running(id="a"))))
    for _ in range(20):
        store.write(partial(note, id="a"))
    counting = [
        threading.Thread(target=store.write, args=(lambda tx: Done(hourly_counts.count_more(tx)),))
        for _ in range(8)
    ]
    for thread in counting:
        thread.start()
    for thread in counting:
        thread.join()
    shown = store.read(lambda tx: hourly_counts.since(tx, NOON - timedelta(hours=1)))
    assert sum(figure.count for figure in shown) == 20


def test_what_is_old_is_followed_though_somebody_elses_transaction_goes_on(
    store: PostgresStore, clock: HandClock, postgres: Server
) -> None:
    """An index that is built for an hour in another database must not let every start through."""
    following, seen = followed(store)
    with psycopg.connect(postgres.url("postgres")) as other:
        other.execute("SELECT pg_current_xact_id()")
        store.write(partial(count_start, id="a"))
        following.refresh()
        assert seen == []
        clock.forward(31)
        following.refresh()
        assert seen == ["a"]
        other.rollback()


def test_what_is_old_waits_for_a_lower_number_that_is_younger(
    store: PostgresStore, clock: HandClock, postgres: Server
) -> None:
    """A start that replaces another one gets its transaction number first, and its time later."""
    following, seen = followed(store)

    def younger(tx: Tx) -> Done[None]:
        tx.run("SELECT pg_current_xact_id()")
        store.write(partial(count_start, id="higher"))
        clock.forward(0.005)
        return count_start(tx, id="lower")

    with psycopg.connect(postgres.url("postgres")) as other:
        other.execute("SELECT pg_current_xact_id()")
        store.write(younger)
        clock.forward(29.998)
        following.refresh()
        clock.forward(0.5)
        following.refresh()
        other.rollback()
    assert seen == ["lower", "higher"]


INSERTED = """
    INSERT INTO history (verification_id, number, at, event)
    SELECT :id, coalesce(max(number), 0) + 1, :at, 'delivery' FROM history
    WHERE verification_id = :id
"""


def test_a_start_beside_writers_takes_the_database_for_no_restored_one(
    store: PostgresStore, url: str
) -> None:
    is_over = threading.Event()

    def write() -> None:
        while not is_over.is_set():
            store.write(count_start, "some")

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        PostgresStore(url, connections=1).close()
    is_over.set()
    for thread in threads:
        thread.join()
    assert ask(url, "SELECT count(*) AS n FROM usage WHERE number <= 0") == [{"n": 0}]


def test_a_version_changes_with_a_late_line_though_nothing_settles(
    store: PostgresStore, url: str
) -> None:
    one, other = begin(store), begin(store, "+14255550199")
    with psycopg.connect(url) as old:
        old.execute("SELECT pg_current_xact_id()")
        late = Held(store, lambda tx: Done(tx.run(INSERTED, id=one, at="2026-01-31T12:00:00Z")))
        store.write(lambda tx: Done(tx.run(INSERTED, id=other, at="2026-01-31T12:00:00Z")))
        before = store.read(hourly_counts.version)
        late.let_go()
        assert store.read(hourly_counts.version) != before
