"""GET /instances: filters, pages, and that nothing is seen twice or not at all."""

import threading

import pytest

from bot.domain.verification import Stage, Status
from bot.store import verification_list
from bot.store import verifications as table
from bot.store.rows import to_text
from bot.store.tx import Done
from bot.store.verification_list import ListFilter
from bot.usecases.start import begin
from tests.builders import NOON, ended, request, seconds
from tests.harness import INSTANCES, Harness

TOKEN = "x-ms-continuation-token"


def listed(harness: Harness, query: str = "", token: str = "") -> tuple[list[str], str]:
    response = harness.call("GET", f"{INSTANCES}/?{query}", headers={TOKEN: token})
    assert response.status_code == 200
    assert "Location" not in response.headers
    return [body["instanceId"] for body in response.json()], response.headers[TOKEN]


def keep(
    harness: Harness, count: int, *, prefix: str = "v", status: Status = Status.EXPIRED
) -> None:
    """Stores finished verifications, a second apart."""

    def insert(tx):
        for number in range(count):
            at = NOON + seconds(number)
            tx_id = f"{prefix}{number:05}"
            one = ended(status, id=tx_id, created_at=at, at=at)
            table.insert(tx, one)
            tx.run(
                "INSERT INTO outbox (id, verification_id, purpose, channel, from_address, locale,"
                " state, queued_at)"
                " VALUES (:id, :id, 'challenge', 'sms', '', 'en', 'withdrawn', :at)",
                id=tx_id,
                at=to_text(at),
            )
        return Done(None)

    harness.store.write_within(60, insert)


def test_nothing_is_an_empty_array_and_an_empty_token(harness: Harness) -> None:
    assert listed(harness) == ([], "")


def test_the_oldest_come_first_with_the_fields_of_a_status(harness: Harness) -> None:
    first = harness.start()["id"]
    harness.clock.forward(1)
    second = harness.start("+14255550199")["id"]
    assert listed(harness) == ([first, second], "")
    body = harness.call("GET", f"{INSTANCES}?showInput=false&showHistory=true").json()[0]
    assert body["input"] is None
    assert "historyEvents" not in body
    assert body["customStatus"]["status"] == "pending"


def test_pages_go_on_where_the_last_one_ended(harness: Harness) -> None:
    keep(harness, 250)
    seen: list[str] = []
    token, pages = "", 0
    while True:
        ids, token = listed(harness, token=token)
        seen += ids
        pages += 1
        if not token:
            break
    assert seen == [f"v{number:05}" for number in range(250)]
    assert pages == 3
    assert len(listed(harness, "top=7")[0]) == 7


@pytest.mark.parametrize("top", ["0", "-1", "many", "", "1.5", "99999999999"])
def test_a_top_that_is_none_is_absent(harness: Harness, top: str) -> None:
    keep(harness, 101)
    assert len(listed(harness, f"top={top}")[0]) == 100


def test_times_are_inclusive_and_nonsense_is_absent(harness: Harness) -> None:
    keep(harness, 10)
    query = "createdTimeFrom=2026-01-31T12:00:03Z&createdTimeTo=2026-01-31T12:00:05.000000Z"
    assert listed(harness, query)[0] == ["v00003", "v00004", "v00005"]
    assert len(listed(harness, "createdTimeFrom=soon&createdTimeTo=late")[0]) == 10
    assert len(listed(harness, "createdTimeFrom=1-01-01T00:00:00Z")[0]) == 10
    assert len(listed(harness, "CREATEDTIMEFROM=2026-01-31T12:00:09Z")[0]) == 1
    assert len(listed(harness, "createdTimeFrom=2026-01-31T13:00:09%2B01:00")[0]) == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("runtimeStatus=Completed", {"approved", "expired", "out"}),
        ("runtimeStatus=Failed,Terminated", {"failed", "canceled"}),
        ("runtimeStatus=Failed&runtimeStatus=Terminated", {"failed", "canceled"}),
        ("runtimeStatus=3", {"failed"}),
        ("runtimeStatus=Running", {"running"}),
        ("runtimeStatus=Pending", {"waiting"}),
        ("runtimeStatus=Suspended", {"suspended"}),
        ("runtimeStatus=Pending,Suspended", {"waiting", "suspended"}),
        ("runtimeStatus=Running,Pending,Suspended", {"running", "waiting", "suspended"}),
        ("runtimeStatus=Canceled", set()),
        ("runtimeStatus=completed", {"approved", "expired", "out"}),
        ("runtimeStatus=FAILED,terminated", {"failed", "canceled"}),
        ("runtimeStatus=Nonsense", "all"),
        ("runtimeStatus=Nonsense,Failed", {"failed"}),
        ("runtimeStatus=", "all"),
        ("", "all"),
        ("instanceIdPrefix=r", {"running"}),
        ("instanceIdPrefix=w&runtimeStatus=Pending", {"waiting"}),
        ("instanceIdPrefix=w&runtimeStatus=Running", set()),
        ("instanceIdPrefix=%25", set()),
    ],
)
def test_filters(harness: Harness, query: str, expected: object) -> None:
    kinds = {
        "approved": Status.APPROVED,
        "expired": Status.EXPIRED,
        "out": Status.MAX_ATTEMPTS_REACHED,
        "failed": Status.FAILED,
        "canceled": Status.CANCELED,
    }
    for name, status in kinds.items():
        keep(harness, 1, prefix=name, status=status)
    base = "/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification"
    for number, name in enumerate(["running", "suspended", "waiting"]):
        harness.call("POST", f"{base}/{name}00000", json=f"+1425555020{number}")
        if name != "waiting":
            harness.run_once()
        if name == "suspended":
            harness.call("POST", f"{INSTANCES}/{name}00000/suspend")
    everything = {*kinds, "running", "suspended", "waiting"}
    found = {id.removesuffix("00000") for id in listed(harness, query)[0]}
    assert found == (everything if expected == "all" else expected)


def test_a_prefix_orders_and_pages_by_id(harness: Harness) -> None:
    keep(harness, 30, prefix="b")
    keep(harness, 30, prefix="a")
    first, token = listed(harness, "instanceIdPrefix=a&top=20")
    second, end = listed(harness, "instanceIdPrefix=a&top=20", token)
    assert first + second == [f"a{number:05}" for number in range(30)]
    assert end == ""


@pytest.mark.parametrize("token", ["x", "e30=", "WzEsMl0=", "W251bGwsIG51bGxd", "ä", "W1tb" * 900])
def test_a_token_that_is_none_of_ours_is_400(harness: Harness, token: str) -> None:
    headers = {TOKEN: token.encode("latin-1")}
    response = harness.call("GET", INSTANCES, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_continuation_token")


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
