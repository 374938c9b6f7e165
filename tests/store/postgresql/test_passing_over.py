"""What another transaction holds is passed over where nothing must wait for it."""

import time
from datetime import timedelta
from functools import partial

import pytest

from bot.admission.admission import Admission
from bot.dispatch import expire
from bot.domain.verification import Status
from bot.store import erasures, hourly_counts, webhook_endpoints
from bot.store import verifications as table
from bot.store.postgres import PostgresStore
from bot.store.tx import Done, Tx
from bot.store.verification_list import ListFilter
from bot.usecases import claim, control, forget, heartbeat, notify
from bot.usecases.heartbeat import assume_all_judged
from bot.usecases.start import start
from tests.builders import NOON, RULES, ended, running
from tests.builders import start as wanted
from tests.harness import HandClock
from tests.store.postgresql.transactions import ENDPOINT, Held, begin


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
    store.write(
        partial(
            control.expire,
            ids=ids,
            judged_until=assume_all_judged,
            is_waited_for=lambda phone: False,
        )
    )
    held.let_go()
    statuses = {id: store.read(lambda tx, id=id: table.load(tx, id)).status for id in ids}
    assert statuses == {ids[0]: "pending", ids[1]: "failed"}


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


def test_counting_waits_for_no_other_transaction(store: PostgresStore) -> None:
    begin(store)
    held = Held(store, lambda tx: Done(tx.lock("SELECT sequence FROM count_cursor")))
    assert store.write(lambda tx: Done(hourly_counts.count_more(tx))) is False
    held.let_go()
    assert store.write(lambda tx: Done(hourly_counts.count_more(tx))) is True


def test_a_heartbeat_waits_for_no_other(store: PostgresStore) -> None:
    """A process that is paused may hold any row."""
    store.write(lambda tx: Done(table.insert(tx, running(id="a"))))

    def beat(process: str) -> None:
        lag = timedelta(0)
        store.write(heartbeat.beat, process, serves=True, lag=lambda: lag)

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


def test_a_removal_goes_on_where_another_took_its_batch(
    store: PostgresStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def insert(tx: Tx) -> Done[None]:
        for place in range(5):
            table.insert(tx, ended(Status.EXPIRED, id=f"id-{place}"))
        return Done(None)

    store.write(insert)
    other = PostgresStore(url, connections=2)
    remove, taken = forget.remove_all, []

    def remove_late(tx: Tx, ids: list[str]) -> int:
        if not taken:
            taken.append(ids)
            other.write(lambda tx: Done(remove(tx, ids)))
        return remove(tx, ids)

    monkeypatch.setattr(forget, "remove_all", remove_late)
    assert forget.purge_all(store, ListFilter(limit=2)) == 3
    other.close()
