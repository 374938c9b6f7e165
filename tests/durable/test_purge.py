"""A purge removes what has finished: one instance, or all of a time and a status."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bot.store.tx import Done, StoreUnavailable, Tx
from bot.store.verification_list import ListFilter
from bot.usecases import forget
from tests.durable.orders import order
from tests.harness import FUNCTION_KEY, INSTANCES, Harness


def test_purge_removes_a_finished_one_with_all_it_left(harness: Harness) -> None:
    links = harness.start_and_send()
    harness.text(harness.code())
    response = harness.http.delete(links["purgeHistoryDeleteUri"])
    assert (response.status_code, response.json()) == (200, {"instancesDeleted": 1})
    assert harness.call("DELETE", f"{INSTANCES}/{links['id']}").status_code == 404
    for table in ("verification", "outbox", "history", "idempotency"):
        rows = harness.store.read(lambda tx, t=table: tx.all(f"SELECT * FROM {t}"))
        assert rows == []


def test_purge_of_a_pending_one_is_412_and_a_sentence(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    response = harness.call("DELETE", f"{INSTANCES}/{id}")
    assert response.status_code == 412
    assert isinstance(response.json(), str)
    assert harness.status(id)["instanceId"] == id


def test_purge_many_takes_finished_ones_of_the_time_and_the_status(harness: Harness) -> None:
    ids = {}
    for name, phone in [("old", "+14255550201"), ("approved", "+14255550202")]:
        ids[name] = harness.start_and_send(phone)["id"]
        harness.text(harness.code(phone), phone=phone)
        harness.clock.forward(60)
    ids["canceled"] = harness.start_and_send("+14255550203")["id"]
    order(harness, ids["canceled"], "terminate")
    ids["pending"] = harness.start_and_send("+14255550204")["id"]

    def purge(query: str) -> tuple[int, object]:
        response = harness.call("DELETE", f"{INSTANCES}?{query}")
        return response.status_code, response.json() if response.content else None

    since = "createdTimeFrom=2026-01-31T12:00:30Z"
    assert purge(f"{since}&runtimeStatus=Failed") == (404, None)
    assert purge(f"{since}&runtimeStatus=Running") == (404, None)
    assert purge(f"{since}&runtimeStatus=Canceled") == (404, None)
    assert purge(f"{since}&runtimeStatus=Completed,Running") == (200, {"instancesDeleted": 1})
    assert purge(since) == (200, {"instancesDeleted": 1})
    assert purge(since) == (404, None)
    left = {view.verification.id for view in harness.newest(10)}
    assert left == {ids["old"], ids["pending"]}


@pytest.mark.parametrize("query", ["", "?createdTimeFrom=", "?createdTimeFrom=yesterday"])
def test_purge_many_needs_a_beginning(harness: Harness, query: str) -> None:
    response = harness.call("DELETE", f"{INSTANCES}{query}")
    assert response.status_code == 400
    assert response.json() == "Please provide value for 'createdTimeFrom' parameter."


def test_links_and_function_keys_do_not_purge_many_or_list(harness: Harness) -> None:
    links = harness.start()
    link = links["purgeHistoryDeleteUri"].partition("code=")[2]
    for method in ("GET", "DELETE"):
        assert harness.call(method, INSTANCES, key=link).status_code == 401
        assert harness.call(method, INSTANCES, key=FUNCTION_KEY).status_code == 403
        assert harness.call(method, INSTANCES, key=None).status_code == 401


def test_removals_at_once_count_each_once(any_harness: Harness) -> None:
    ids = []
    for place in range(200, 230):
        ids.append(any_harness.start(f"+142555{place:05}")["id"])
        any_harness.terminate(ids[-1], None)
    query = "?createdTimeFrom=2020-01-01T00:00:00Z"
    with ThreadPoolExecutor(4) as pool:
        removals = [pool.submit(any_harness.call, "DELETE", INSTANCES + query) for _ in range(4)]
    answers = [removal.result() for removal in removals]
    counts = [answer.json()["instancesDeleted"] for answer in answers if answer.status_code == 200]
    assert sum(counts) == len(ids)


def test_a_removal_that_was_interrupted_says_that_part_of_it_was_done(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(2):
        harness.terminate(harness.start(f"+142555502{place:02}")["id"], None)
    purge_many, batches = forget.purge_many, []

    def once(tx: Tx, wanted: ListFilter) -> Done[forget.Purged]:
        batches.append(wanted)
        if len(batches) > 1:
            raise StoreUnavailable("for this test")
        return purge_many(tx, replace(wanted, limit=1))

    monkeypatch.setattr(forget, "purge_many", once)
    answer = harness.call("DELETE", f"{INSTANCES}?createdTimeFrom=2020-01-01T00:00:00Z")
    assert answer.status_code == 503
    assert "Part of this was done" in answer.text
    assert len(harness.newest(5)) == 1
