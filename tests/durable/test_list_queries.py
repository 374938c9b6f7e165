"""The queries of the list read an index, and nothing is seen twice or not at all."""

import threading

import pytest

from bot.domain.verification import Stage, Status
from bot.store import verification_list
from bot.store import verifications as table
from bot.store.tx import Done
from bot.store.verification_list import ListFilter
from bot.usecases.start import begin
from tests.builders import NOON, request
from tests.durable.listing import keep, listed
from tests.harness import Harness


@pytest.mark.parametrize("size", [1, 3, 10, 31, 50])
def test_a_prefix_is_read_in_slices_that_leave_nothing_out(
    any_harness: Harness, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    keep(any_harness, 30)
    keep(any_harness, 1, prefix="v00017x", status=Status.FAILED)
    monkeypatch.setattr(verification_list, "SLICE", size)
    failed = frozenset([Stage.FAILED])

    def found(limit: int, prefix: str, **more) -> list[str]:
        wanted = ListFilter(limit=limit, id_prefix=prefix, **more)
        return [one.id for one in any_harness.store.read(verification_list.find, wanted)]

    def count(prefix: str, at_most: int, **more) -> int:
        wanted = ListFilter(limit=1, id_prefix=prefix, **more)
        return any_harness.store.read(verification_list.count, wanted, at_most=at_most)

    ids = sorted([f"v{number:05}" for number in range(30)] + ["v00017x00000"])
    assert found(99, "v") == ids
    assert found(5, "v000") == ids[:5]
    assert found(99, "v0001") == ids[10:21]
    assert found(5, "v", after=(NOON, "v00007")) == ids[8:13]
    assert found(99, "v", stages=failed) == ["v00017x00000"]
    assert found(99, "v", stages=frozenset([Stage.SUSPENDED])) == found(99, "w") == []
    assert [count("v", 99), count("v", 7), count("v0001", 99), count("w", 99)] == [31, 7, 11, 0]
    assert count("v", 99, stages=failed) == 1


def test_each_that_stood_throughout_is_seen_once_while_others_come_and_go(harness: Harness) -> None:
    keep(harness, 4_000)
    store = harness.store
    harness.clock.forward(20_000)
    is_over = threading.Event()
    purged: set[str] = set()

    def come_and_go() -> None:
        number = 0
        while not is_over.is_set():
            gone = f"v{number * 7 % 4_000:05}"
            purged.add(gone)
            store.write(lambda tx, gone=gone: Done(table.remove(tx, gone)))
            asked = request(id=f"new{number:05}")
            rules, admission = harness.service.rules, harness.service.admission
            phone = f"+1425666{number % 10_000:04}"
            begin(store, phone, asked, rules=rules, admission=admission)
            number += 1

    thread = threading.Thread(target=come_and_go)
    thread.start()
    seen: list[str] = []
    token = ""
    while True:
        ids, token = listed(harness, "top=200", token)
        seen += ids
        if not token or len(seen) > 30_000:
            break
    is_over.set()
    thread.join()
    stood = [f"v{number:05}" for number in range(4_000) if f"v{number:05}" not in purged]
    assert len(purged) > 10
    assert len(seen) == len(set(seen))
    assert set(stood) <= set(seen)


def test_a_page_is_read_through_an_index(sqlite_harness: Harness) -> None:
    """However many rows there are: no plan scans or sorts the whole table."""
    plans: list[str] = []

    def explain(tx):
        class Explaining:
            now = tx.now

            def all(self, sql, **params):
                rows = tx.all("EXPLAIN QUERY PLAN " + sql, **params)
                plans.extend(row["detail"] for row in rows)
                return []

            def one(self, sql, **params):
                return next(iter(self.all(sql, **params)), None)

        for wanted in (
            ListFilter(limit=10),
            ListFilter(limit=10, country="US", newest_first=True),
            ListFilter(limit=10, country="US", stages=frozenset([Stage.FAILED])),
            ListFilter(limit=10, after=(NOON, "v1"), stages=frozenset(Stage)),
            ListFilter(limit=10, tag="order-1"),
            ListFilter(limit=10, tag="order-1", country="US", stages=frozenset([Stage.FAILED])),
            ListFilter(limit=10, tag="order-1", after=(NOON, "v1"), newest_first=True),
            ListFilter(limit=10, id_prefix="v"),
            ListFilter(limit=10, id_prefix="v", stages=frozenset([Stage.FAILED])),
        ):
            verification_list.find(Explaining(), wanted)

    sqlite_harness.store.read(explain)
    assert len(plans) >= 16
    assert len([plan for plan in plans if "verification_tag" in plan]) == 3
    for plan in plans:
        assert "INDEX" in plan or "USING PRIMARY KEY" in plan, plan
        assert "TEMP B-TREE" not in plan
