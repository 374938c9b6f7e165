"""A write waits for what another holds, and is judged as of the instant it got the lock."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from bot.domain.events import Event, EventName
from bot.store import disowns, history, webhook_events
from bot.store import postgres as module
from bot.store import verifications as table
from bot.store.postgres import PostgresStore
from bot.store.tx import Done, StoreUnavailable, Tx
from bot.store.webhook_events import EventState
from bot.usecases import notify, webhooks
from bot.usecases.answer import judge_text
from bot.usecases.clear import clear_limits
from bot.usecases.heartbeat import assume_all_judged
from tests.builders import PHONE, RULES, inbound, running
from tests.harness import HandClock
from tests.postgres import ask
from tests.processes.service import until
from tests.store.postgresql.transactions import ENDPOINT, Held, begin, waits_for_a_lock


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


def test_a_lock_that_is_held_for_long_is_said(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_MILLISECONDS", 50)
    store.write(lambda tx: Done(table.insert(tx, running(id="a"))))
    held = Held(store, lambda tx: Done(table.load(tx, "a") and None))
    with pytest.raises(StoreUnavailable, match="LockNotAvailable"):
        store.write(lambda tx: Done(table.load(tx, "a")))
    held.let_go()


def test_one_statement_of_a_long_write_may_take_longer(store: PostgresStore) -> None:
    def limit(tx: Tx) -> Done[str]:
        return Done(tx.one("SHOW statement_timeout")["statement_timeout"])

    assert store.write(limit) == "15s"
    assert 500 < int(store.write_within(600, limit).removesuffix("s")) < 600


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


def test_clearing_waits_for_a_start_that_has_counted(store: PostgresStore, url: str) -> None:
    held = Held(store, lambda tx: Done(tx.lock_name(PHONE)))
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


def test_a_text_that_opens_with_stop_locks_as_a_start_does(store: PostgresStore, url: str) -> None:
    """The number first, then its verification, or the two would wait for each other."""
    begin(store)
    held = Held(store, lambda tx: Done(tx.lock_name(PHONE)))
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
