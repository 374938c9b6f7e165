"""A write whose connection is lost is run again, or told as not known to be done."""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from enum import Enum
from itertools import count
from urllib.parse import urlsplit

import psycopg
import pytest

from bot.store import postgres as module
from bot.store.postgres import PostgresStore
from bot.store.tx import STORE_TIMEOUT_SECONDS, Done, StoreUnavailable, Tx
from tests.harness import HandClock
from tests.postgres import ask
from tests.processes.hosts import pass_on
from tests.store.postgresql.transactions import mark, marks


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
