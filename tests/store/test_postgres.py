"""PostgreSQL alone: row locks, late rows, lost connections, dumps, its clock."""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from enum import Enum
from functools import partial
from itertools import count
from unittest.mock import MagicMock
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors

from bot.admission.admission import Admission
from bot.admission.usage_follower import UsageFollower
from bot.dispatch import expire
from bot.domain.effects import UsageKind
from bot.domain.events import Event, EventName
from bot.domain.verification import Status
from bot.store import (
    disowns,
    erasures,
    history,
    hourly_counts,
    migrations,
    opt_outs,
    usage,
    webhook_endpoints,
    webhook_events,
)
from bot.store import postgres as module
from bot.store import verifications as table
from bot.store.outages import Outages
from bot.store.postgres import PostgresStore
from bot.store.postgres_retries import Retries
from bot.store.tx import (
    STORE_TIMEOUT_SECONDS,
    Done,
    MissedRepliesFirst,
    Store,
    StoreUnavailable,
    Tx,
    UnusableDatabase,
)
from bot.store.verification_list import ListFilter
from bot.store.webhook_events import EventState
from bot.usecases import claim, control, forget, heartbeat, notify, webhooks
from bot.usecases.answer import judge_text
from bot.usecases.clear import clear_limits
from bot.usecases.heartbeat import assume_all_judged
from bot.usecases.start import start
from tests.builders import NOON, OUR_NUMBER, PHONE, RULES, ended, inbound, running
from tests.builders import start as wanted
from tests.harness import HandClock
from tests.postgres import Server, ask
from tests.processes.hosts import pass_on
from tests.processes.service import until


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.new_database()


@pytest.fixture
def store(url: str, clock: HandClock) -> Iterator[PostgresStore]:
    opened = PostgresStore(url, connections=10, clock=clock)
    yield opened
    opened.close()


def mark(tx: Tx, phone: str = PHONE) -> Done[None]:
    opt_outs.mark(tx, phone=phone, from_address=OUR_NUMBER)
    return Done(None)


def marks(store: PostgresStore) -> int:
    return store.read(lambda tx: tx.one("SELECT count(*) AS n FROM opt_out")["n"])


class Held:
    """A write transaction in a thread of its own, open between `began` and `let_go`."""

    def __init__(self, store: PostgresStore, use_case: Callable[[Tx], Done[None]]) -> None:
        self._may_end = threading.Event()
        has_begun = threading.Event()

        def held(tx: Tx) -> Done[None]:
            done = use_case(tx)
            has_begun.set()
            self._may_end.wait(10)
            return done

        self._thread = threading.Thread(target=store.write, args=(held,))
        self._thread.start()
        assert has_begun.wait(10)

    def let_go(self) -> None:
        self._may_end.set()
        self._thread.join(10)


def count_start(tx: Tx, id: str) -> Done[None]:
    usage.add(tx, UsageKind.START, phone=PHONE, country="US", started_by="function", run_id=id)
    return Done(None)


def test_a_follower_misses_no_row_that_is_committed_late(store: PostgresStore) -> None:
    """The later number becomes visible first; a follower that had passed the earlier one would
    never see that row."""
    seen: list[str] = []
    following = UsageFollower(
        store, longest=timedelta(hours=1), counters=[lambda row: seen.append(row.run_id)]
    )
    held = Held(store, partial(count_start, id="early"))
    store.write(partial(count_start, id="late"))
    following.refresh()
    assert seen == [], "one before it is still under way"
    held.let_go()
    following.refresh()
    assert seen == ["early", "late"]


def note(tx: Tx, id: str) -> Done[None]:
    history.append(tx, id, [Event(EventName.STARTED)])
    return Done(None)


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


def test_what_another_holds_is_passed_over(store: PostgresStore, clock: HandClock) -> None:
    """Two dispatchers: neither waits for the other."""
    for number in range(2):
        made = wanted(phone=f"+142555501{number:02}")
        store.write(start, made, RULES, Admission())
    ids = store.read(lambda tx: [row["id"] for row in tx.all("SELECT id FROM verification")])
    held = Held(store, lambda tx: Done(table.load(tx, ids[0]) and None))
    claiming = partial(
        claim.claim_due,
        lease=timedelta(seconds=9),
        limit=9,
        rules=RULES,
        asked_at=0.0,
    )
    assert [c.verification_id for c in store.write(claiming)] == [ids[1]]
    clock.forward(1000)
    store.write(partial(control.expire, ids=ids, judged_until=assume_all_judged))
    held.let_go()
    statuses = {id: store.read(lambda tx, id=id: table.load(tx, id)).status for id in ids}
    assert statuses == {ids[0]: "pending", ids[1]: "failed"}


def test_now_is_read_after_the_lock(store: PostgresStore, clock: HandClock) -> None:
    """A write that waited for a lock is judged as of the instant it got the lock."""
    store.write(lambda tx: Done(table.insert(tx, running(id="a"))))
    held = Held(store, lambda tx: Done(table.load(tx, "a") and None))
    seen = []

    def look(tx: Tx) -> Done[None]:
        before = tx.now
        table.load(tx, "a")
        seen.append(tx.now - before)
        return Done(None)

    waiting = threading.Thread(target=store.write, args=(look,))
    waiting.start()
    until_locked(store)
    clock.forward(60)
    held.let_go()
    waiting.join(10)
    assert seen == [timedelta(seconds=60)]


def until_locked(store: PostgresStore) -> None:
    sql = "SELECT count(*) AS n FROM pg_locks WHERE NOT granted"
    until(lambda: store.read(lambda tx: tx.one(sql)["n"]))


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


def test_two_who_wait_for_each_other_both_get_through(store: PostgresStore) -> None:
    for id, phone in (("a", "+14255550101"), ("b", "+14255550102")):
        v = running(id=id, phone=phone)
        store.write(lambda tx, v=v: Done(table.insert(tx, v)))
    both = threading.Barrier(2, timeout=10)
    met = []

    def cross(first: str, second: str) -> Callable[[Tx], Done[None]]:
        def use_case(tx: Tx) -> Done[None]:
            table.load(tx, first)
            if len(met) < 2:  # the first time only
                met.append(first)
                both.wait()
            table.load(tx, second)
            history.append(tx, first, [Event(EventName.STARTED)])
            return Done(None)

        return use_case

    threads = [threading.Thread(target=store.write, args=(cross(*pair),)) for pair in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    lines = [len(store.read(lambda tx, id=id: history.of(tx, id))) for id in "ab"]
    assert lines == [1, 1]


def kill_connections(url: str) -> None:
    ask(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'textback' AND datname = current_database()",
    )


def test_a_connection_lost_in_the_middle_is_run_again(store: PostgresStore, url: str) -> None:
    runs = count()

    def use_case(tx: Tx) -> Done[None]:
        mark(tx)
        if next(runs) == 0:
            kill_connections(url)
        return mark(tx, "+14255550199")

    store.write(use_case)
    assert (next(runs), marks(store)) == (2, 2)


def test_a_connection_lost_before_commit_is_said_and_not_repeated(
    store: PostgresStore, url: str
) -> None:
    runs = count()

    def use_case(tx: Tx) -> Done[None]:
        next(runs)
        done = mark(tx)
        kill_connections(url)
        return done

    with pytest.raises(StoreUnavailable, match="all of it was done, or nothing"):
        store.write(use_case)
    assert (next(runs), marks(store)) == (1, 0)


class Passing(Enum):
    """Whether an answer of the server reaches the client, or ends its connection."""

    ON = "on"
    AWAY = "away"
    END = "end"


@contextmanager
def relayed(url: str, begin: Callable[[], Callable[[bytes], Passing]]) -> Iterator[str]:
    """An address that leads to the database. `begin` is called for each connection, and what it
    returns for each answer."""
    port = urlsplit(url).port

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            decide = begin()
            with socket.create_connection(("127.0.0.1", port)) as server, suppress(OSError):
                threading.Thread(target=pass_on, args=(self.request, server)).start()
                while answer := server.recv(65536):
                    passing = decide(answer)
                    if passing is Passing.END:
                        break
                    if passing is Passing.ON:
                        self.request.sendall(answer)
                self.request.shutdown(socket.SHUT_RDWR)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as relay:
        threading.Thread(target=relay.serve_forever, args=(0.01,)).start()
        try:
            yield url.replace(f":{port}/", f":{relay.server_address[1]}/")
        finally:
            relay.shutdown()


def losing_commits(url: str, is_losing: threading.Event) -> AbstractContextManager[str]:
    """While the event is set, a connection ends in place of the answer to a COMMIT."""

    def decide(answer: bytes) -> Passing:
        return Passing.END if is_losing.is_set() and b"COMMIT\0" in answer else Passing.ON

    return relayed(url, lambda: decide)


def hanging(url: str, is_hanging: threading.Event) -> AbstractContextManager[str]:
    """When the event is set, the connections that are open then stay open, and nothing passes any
    more; new ones lead to the database."""

    def begin() -> Callable[[bytes], Passing]:
        is_new = is_hanging.is_set()
        return lambda _: Passing.AWAY if is_hanging.is_set() and not is_new else Passing.ON

    return relayed(url, begin)


def test_after_one_connection_that_hangs_the_others_are_replaced(url: str) -> None:
    """As after the failover of a server that vanished without closing its connections."""
    is_hanging, all_are_in_use = threading.Event(), threading.Barrier(4)

    def beside_others(tx: Tx) -> None:
        tx.all("SELECT 1")
        all_are_in_use.wait(10)

    with hanging(url, is_hanging) as address:
        store = PostgresStore(address, connections=4)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: store.read(beside_others), range(4)))
        is_hanging.set()
        with pytest.raises(StoreUnavailable):
            store.write_within(0.3, mark)
        for _ in range(4):
            began = time.monotonic()
            store.write(mark)
            assert time.monotonic() - began < STORE_TIMEOUT_SECONDS / 2
        store.close()


def test_an_answer_to_commit_that_is_lost_is_said_and_not_repeated(
    store: PostgresStore, url: str
) -> None:
    runs, is_losing = count(), threading.Event()

    def use_case(tx: Tx) -> Done[None]:
        next(runs)
        is_losing.set()
        return mark(tx)

    with losing_commits(url, is_losing) as address:
        lossy = PostgresStore(address, connections=1)
        with pytest.raises(StoreUnavailable, match="all of it was done, or nothing"):
            lossy.write(use_case)
        lossy.close()
    assert (next(runs), marks(store)) == (1, 1)


def test_a_use_case_that_goes_on_after_a_failed_statement_is_not_taken_for_done(
    store: PostgresStore,
) -> None:
    def use_case(tx: Tx) -> Done[None]:
        mark(tx)
        with pytest.raises(psycopg.Error):
            tx.run("INSERT INTO nowhere VALUES (1)")
        return Done(None)

    with pytest.raises(AssertionError, match="ROLLBACK"):
        store.write(use_case)
    assert marks(store) == 0


def test_a_lock_that_is_held_for_long_is_said(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_MILLISECONDS", 50)
    store.write(lambda tx: Done(table.insert(tx, running(id="a"))))
    held = Held(store, lambda tx: Done(table.load(tx, "a") and None))
    with pytest.raises(StoreUnavailable, match="LockNotAvailable"):
        store.write(lambda tx: Done(table.load(tx, "a")))
    held.let_go()


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
        ask(other.url("postgres"), "CREATE DATABASE loaded")
        with psycopg.connect(other.url("loaded"), autocommit=True) as connection:
            connection.execute("\n".join(x for x in dump.splitlines() if x[:1] != "\\"))
        # As it is where far more has happened in the cluster it came from.
        ask(other.url("loaded"), "UPDATE history SET sequence = sequence + 1000000")
        ask(other.url("loaded"), "UPDATE usage SET number = number + 1000000")
        ask(other.url("loaded"), "UPDATE count_cursor SET sequence = sequence + 1000000")
        new = PostgresStore(other.url("loaded"), connections=2, clock=clock)
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
    monkeypatch.setattr(migrations, "_HERE", tmp_path)
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


def test_a_server_that_is_not_there_is_said_without_the_password() -> None:
    with pytest.raises(UnusableDatabase, match=r"db at 127\.0\.0\.1 cannot be used") as said:
        PostgresStore("postgresql://user:secret-word@127.0.0.1:9/db", connections=1)
    assert "secret-word" not in str(said.value)


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


def test_a_transaction_paused_for_too_long_is_run_again_and_leaves_no_gap_in_the_pool(
    url: str, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_MILLISECONDS", 50)
    store = PostgresStore(url, connections=1, clock=clock)
    runs = count()

    def paused(tx: Tx) -> Done[None]:
        mark(tx)
        if next(runs) < 2:
            time.sleep(0.2)
        return mark(tx, "+14255550199")

    store.write(paused)
    assert (next(runs), marks(store)) == (3, 2)

    def paused_and_refused(tx: Tx) -> Done[None]:
        mark(tx)
        time.sleep(0.2)
        raise ValueError("a refusal of ours")

    for _ in range(3):
        with pytest.raises(ValueError, match="a refusal of ours"):
            store.write(paused_and_refused)
    assert marks(store) == 2
    store.close()


def test_what_is_old_is_followed_though_somebody_elses_transaction_goes_on(
    store: PostgresStore, clock: HandClock, postgres: Server
) -> None:
    """An index that is built for an hour in another database must not let every start through."""
    seen: list[str] = []
    following = UsageFollower(
        store, longest=timedelta(hours=1), counters=[lambda row: seen.append(row.run_id)]
    )
    with psycopg.connect(postgres.url("postgres")) as other:
        other.execute("SELECT pg_current_xact_id()")
        store.write(partial(count_start, id="a"))
        following.refresh()
        assert seen == []
        clock.forward(31)
        following.refresh()
        assert seen == ["a"]
        other.rollback()


def test_dispatchers_share_erasures(store: PostgresStore, clock: HandClock) -> None:
    for number in range(4):
        sid = f"SM{number}"
        store.write(
            lambda tx, sid=sid: Done(
                tx.run("INSERT INTO erasure (sid, due_at) VALUES (:sid, '2026')", sid=sid)
            )
        )
    take = partial(erasures.take, limit=3)
    taken = [[e.sid for e in store.write(lambda tx: Done(take(tx)))] for _ in range(3)]
    assert [len(sids) for sids in taken] == [3, 1, 0]
    clock.forward(700)  # the process that held them has died
    assert len(store.write(lambda tx: Done(take(tx)))) == 3


# -- found by a review of what PostgreSQL does otherwise -------------------------------------------

INSERTED = """
    INSERT INTO history (verification_id, number, at, event)
    SELECT :id, coalesce(max(number), 0) + 1, :at, 'delivery' FROM history
    WHERE verification_id = :id
"""
ENDPOINT = "https://app.example.com/webhooks"


def waits_for_a_lock(url: str) -> bool:
    sql = "SELECT 1 FROM pg_locks l JOIN pg_stat_activity USING (pid)"
    return bool(ask(url, f"{sql} WHERE NOT granted AND datname = current_database()"))


def begin(store: PostgresStore, phone: str = PHONE) -> str:
    new = wanted(phone=phone, id=f"id-{phone[-4:]}")
    return store.write(start, new, RULES, Admission()).id


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


def test_a_claim_of_events_that_is_paused_stops_no_end(store: PostgresStore) -> None:
    store.write(notify.configure, [ENDPOINT], includes_number=False)
    id = begin(store)
    held = Held(
        store, lambda tx: notify.claim_events(tx, webhook_endpoints.id_of(ENDPOINT), limit=8)
    )
    began = time.monotonic()
    store.write(control.cancel, id, reason=None)
    assert time.monotonic() - began < 2, "it would wait 3.5 s for the lock"
    held.let_go()


def test_one_statement_of_a_long_write_may_take_longer(store: PostgresStore) -> None:
    def limit(tx: Tx) -> Done[str]:
        return Done(tx.one("SHOW statement_timeout")["statement_timeout"])

    assert store.write(limit) == "15s"
    assert 500 < int(store.write_within(600, limit).removesuffix("s")) < 600


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


def test_a_number_that_is_disowned_anew_is_not_swept_away(
    store: PostgresStore, clock: HandClock, url: str
) -> None:
    store.write(lambda tx: Done(disowns.mark(tx, PHONE, since=tx.now)))
    clock.forward(25 * 3600)
    again = Held(store, lambda tx: Done(disowns.mark(tx, PHONE, since=tx.now)))
    sweep = threading.Thread(
        target=store.write, args=(lambda tx: Done(disowns.drop_old(tx, limit=10)),)
    )
    sweep.start()
    until(partial(waits_for_a_lock, url))
    again.let_go()
    sweep.join()
    assert store.read(lambda tx: tx.one("SELECT count(*) AS n FROM disown")["n"]) == 1


def test_an_old_event_that_is_sent_again_is_not_swept_away(
    store: PostgresStore, clock: HandClock, url: str
) -> None:
    store.write(notify.configure, [ENDPOINT], includes_number=False)
    store.write(webhooks.send_test, sent_by="me")
    store.write(lambda tx: Done(tx.run("UPDATE webhook_event SET state = 'failed', due_at = NULL")))
    clock.forward(31 * 24 * 3600)
    (event,) = store.read(webhook_events.newest, limit=1)
    again = Held(store, partial(webhooks.replay, id=event.id, operator="me"))

    def drop(tx: Tx) -> Done[int]:
        before = tx.now - timedelta(days=30)
        return Done(webhook_events.drop_old(tx, EventState.FAILED, before=before, limit=10))

    sweep = threading.Thread(target=store.write, args=(drop,))
    sweep.start()
    until(partial(waits_for_a_lock, url))
    again.let_go()
    sweep.join()
    assert [one.id for one in store.read(webhook_events.newest, limit=1)] == [event.id]


def test_counting_waits_for_no_other_transaction(store: PostgresStore) -> None:
    begin(store)
    held = Held(store, lambda tx: Done(tx.lock("SELECT sequence FROM count_cursor")))
    assert store.write(lambda tx: Done(hourly_counts.count_more(tx))) is False
    held.let_go()
    assert store.write(lambda tx: Done(hourly_counts.count_more(tx))) is True


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


def test_a_heartbeat_waits_for_no_other(store: PostgresStore) -> None:
    """A process that is paused may hold any row."""
    store.write(lambda tx: Done(table.insert(tx, running(id="a"))))

    def beat(process: str) -> None:
        lag = timedelta(0)
        store.write(heartbeat.beat, process, serves=True, lag=lambda: lag, replaces=None)

    beat("a")
    beat("b")
    held = Held(store, partial(heartbeat.caught_up, until=NOON + timedelta(days=9)))
    began = time.monotonic()
    beat("a")
    store.write(heartbeat.caught_up, until=NOON + timedelta(days=8))
    assert time.monotonic() - began < 2, "it would wait 3.5 s for the lock"
    assert not store.outages.is_open
    held.let_go()


def test_the_probe_waits_for_no_removal(store: PostgresStore) -> None:
    held = Held(store, lambda tx: Done(tx.lock("SELECT sequence FROM count_cursor")))
    store.outages.failed()
    began = time.monotonic()
    store.check_writable()
    assert time.monotonic() - began < 2, "it would wait 3.5 s for the lock"
    assert store.outages.ended == 1
    held.let_go()


def test_a_refusal_to_expire_is_no_outage(any_store: Store) -> None:
    def refuse(tx: Tx) -> Done[None]:
        raise MissedRepliesFirst("replies that were missed are read first")

    with pytest.raises(MissedRepliesFirst):
        any_store.write(refuse)
    assert not any_store.outages.is_open


@pytest.mark.parametrize("setting", ["datestyle = 'SQL, DMY'", "client_encoding = 'LATIN1'"])
def test_what_a_database_was_set_to_makes_no_difference(url: str, setting: str) -> None:
    ask(url, f"ALTER DATABASE {url.rsplit('/', 1)[1]} SET {setting}")
    store = PostgresStore(url, connections=2)
    store.write(webhooks.send_test, sent_by="\N{GRINNING FACE}")
    store.write(partial(mark, phone="\N{GRINNING FACE}"))
    assert marks(store) == 1
    store.close()


def test_clearing_waits_for_a_start_that_has_counted(store: PostgresStore, url: str) -> None:
    held = Held(store, lambda tx: Done(tx.lock_number(PHONE)))
    cleared = threading.Event()

    def clear() -> None:
        store.write(clear_limits, [PHONE], RULES)
        cleared.set()

    thread = threading.Thread(target=clear)
    thread.start()
    until(partial(waits_for_a_lock, url))
    assert not cleared.is_set()
    held.let_go()
    thread.join()
    assert cleared.is_set()


def test_a_transaction_that_the_server_ends_is_told_as_any_trouble(url: str) -> None:
    ask(url, f"ALTER DATABASE {url.rsplit('/', 1)[1]} SET transaction_timeout = '200ms'")
    store = PostgresStore(url, connections=2)
    with pytest.raises(StoreUnavailable):
        store.write_within(1, lambda tx: Done(tx.one("SELECT pg_sleep(2)")))
    store.close()


def test_a_text_that_opens_with_stop_locks_as_a_start_does(store: PostgresStore, url: str) -> None:
    """The number first, then its verification, or the two would wait for each other."""
    begin(store)
    held = Held(store, lambda tx: Done(tx.lock_number(PHONE)))
    text = inbound("stop it, please")
    judged = threading.Thread(
        target=store.write,
        args=(partial(judge_text, text=text, rules=RULES, judged_until=assume_all_judged),),
    )
    judged.start()
    until(partial(waits_for_a_lock, url))
    free = "SELECT 1 FROM verification FOR NO KEY UPDATE SKIP LOCKED"
    assert ask(url, free), "it holds no verification while it waits for the number"
    held.let_go()
    judged.join()


def test_due_ones_that_another_holds_are_not_looked_at(
    store: PostgresStore, clock: HandClock
) -> None:
    id = begin(store)
    clock.forward(3600)
    held = Held(store, lambda tx: Done(table.load(tx, id)))
    assert expire.run_once(store, judged_until=assume_all_judged) == 0, (
        "or the loop would turn without a pause"
    )
    held.let_go()
    assert expire.run_once(store, judged_until=assume_all_judged) == 1


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


@pytest.mark.parametrize("is_write", [True, False])
def test_only_a_write_that_is_refused_counts_as_an_outage(is_write: bool) -> None:
    """It may have been a reply."""
    outages, pool = Outages(), MagicMock()

    def refused(until: float) -> None:
        raise errors.LockNotAvailable("held by another")

    with pytest.raises(StoreUnavailable):
        Retries(pool, outages).run(refused, 1.0, is_write=is_write)
    assert outages.is_open is is_write


def test_a_removal_goes_on_where_another_took_its_batch(
    store: PostgresStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def insert(tx: Tx) -> Done[None]:
        for place in range(5):
            table.insert(tx, ended(Status.EXPIRED, id=f"id-{place}"))
        return Done(None)

    store.write(insert)
    other = PostgresStore(url, connections=2)
    remove, taken = forget._remove, []

    def remove_late(tx: Tx, ids: list[str]) -> int:
        if not taken:
            taken.append(ids)
            other.write(lambda tx: Done(remove(tx, ids)))
        return remove(tx, ids)

    monkeypatch.setattr(forget, "_remove", remove_late)
    assert forget.purge_all(store, ListFilter(limit=2)) == 3
    other.close()
