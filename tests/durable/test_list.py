"""GET /instances: filters, pages, and that nothing is seen twice or not at all."""

import threading

import pytest

from bot.domain.verification import Stage, Status
from bot.store import verifications as table
from bot.store.tx import Done
from tests.builders import NOON, ended, seconds
from tests.desk import INSTANCES, Desk

TOKEN = "x-ms-continuation-token"


def listed(desk: Desk, query: str = "", token: str = "") -> tuple[list[str], str]:
    response = desk.call("GET", f"{INSTANCES}/?{query}", headers={TOKEN: token})
    assert response.status_code == 200
    assert "Location" not in response.headers
    return [body["instanceId"] for body in response.json()], response.headers[TOKEN]


def keep(desk: Desk, count: int, *, prefix: str = "v", status: Status = Status.EXPIRED) -> None:
    """Finished ones, a second apart."""

    def insert(tx):
        for number in range(count):
            at = NOON + seconds(number)
            tx_id = f"{prefix}{number:05}"
            one = ended(status, id=tx_id, created_at=at, at=at)
            table.insert(tx, one)
            tx.run(
                "INSERT INTO outbox (id, verification_id, state, queued_at)"
                " VALUES (:t, :v, 'withdrawn', '')",
                t=tx_id,
                v=tx_id,
            )
        return Done(None)

    desk.verifications.store.write(insert)


def test_nothing_is_an_empty_array_and_an_empty_token(desk: Desk) -> None:
    assert listed(desk) == ([], "")


def test_the_oldest_come_first_with_the_fields_of_a_status(desk: Desk) -> None:
    first = desk.start()["id"]
    desk.clock.forward(1)
    second = desk.start("+14255550199")["id"]
    assert listed(desk) == ([first, second], "")
    body = desk.call("GET", f"{INSTANCES}?showInput=false&showHistory=true").json()[0]
    assert body["input"] is None
    assert "historyEvents" not in body
    assert body["customStatus"]["status"] == "pending"


def test_pages_go_on_where_the_last_one_ended(desk: Desk) -> None:
    keep(desk, 250)
    seen: list[str] = []
    token, pages = "", 0
    while True:
        ids, token = listed(desk, token=token)
        seen += ids
        pages += 1
        if not token:
            break
    assert seen == [f"v{number:05}" for number in range(250)]
    assert pages == 3
    assert len(listed(desk, "top=7")[0]) == 7


@pytest.mark.parametrize("top", ["0", "-1", "many", "", "1.5", "99999999999"])
def test_a_top_that_is_none_is_absent(desk: Desk, top: str) -> None:
    keep(desk, 101)
    assert len(listed(desk, f"top={top}")[0]) == 100


def test_times_are_inclusive_and_nonsense_is_absent(desk: Desk) -> None:
    keep(desk, 10)
    query = "createdTimeFrom=2026-01-31T12:00:03Z&createdTimeTo=2026-01-31T12:00:05.000000Z"
    assert listed(desk, query)[0] == ["v00003", "v00004", "v00005"]
    assert len(listed(desk, "createdTimeFrom=soon&createdTimeTo=late")[0]) == 10
    assert len(listed(desk, "createdTimeFrom=1-01-01T00:00:00Z")[0]) == 10
    assert len(listed(desk, "CREATEDTIMEFROM=2026-01-31T12:00:09Z")[0]) == 1
    assert len(listed(desk, "createdTimeFrom=2026-01-31T13:00:09%2B01:00")[0]) == 1


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
def test_filters(desk: Desk, query: str, expected: object) -> None:
    kinds = {
        "approved": Status.APPROVED,
        "expired": Status.EXPIRED,
        "out": Status.MAX_ATTEMPTS_REACHED,
        "failed": Status.FAILED,
        "canceled": Status.CANCELED,
    }
    for name, status in kinds.items():
        keep(desk, 1, prefix=name, status=status)
    base = "/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification"
    for number, name in enumerate(["running", "suspended", "waiting"]):
        desk.call("POST", f"{base}/{name}00000", json=f"+1425555020{number}")
        if name != "waiting":
            desk.run_once()
        if name == "suspended":
            desk.call("POST", f"{INSTANCES}/{name}00000/suspend")
    everything = {*kinds, "running", "suspended", "waiting"}
    found = {id.removesuffix("00000") for id in listed(desk, query)[0]}
    assert found == (everything if expected == "all" else expected)


def test_a_prefix_orders_and_pages_by_id(desk: Desk) -> None:
    keep(desk, 30, prefix="b")
    keep(desk, 30, prefix="a")
    first, token = listed(desk, "instanceIdPrefix=a&top=20")
    second, end = listed(desk, "instanceIdPrefix=a&top=20", token)
    assert first + second == [f"a{number:05}" for number in range(30)]
    assert end == ""


@pytest.mark.parametrize("token", ["x", "e30=", "WzEsMl0=", "W251bGwsIG51bGxd", "ä", "W1tb" * 900])
def test_a_token_that_is_none_of_ours_is_400(desk: Desk, token: str) -> None:
    headers = {TOKEN: token.encode("latin-1")}
    response = desk.call("GET", INSTANCES, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_continuation_token")


def test_each_that_stood_throughout_is_seen_once_while_others_come_and_go(desk: Desk) -> None:
    keep(desk, 10_000)
    store = desk.verifications.store
    desk.clock.forward(20_000)
    is_over = threading.Event()
    purged: set[str] = set()

    def come_and_go() -> None:
        number = 0
        while not is_over.is_set():
            gone = f"v{number * 7 % 10_000:05}"
            purged.add(gone)
            store.write(lambda tx, gone=gone: Done(table.remove(tx, gone)))
            desk.verifications.start(
                f"+1425666{number % 10_000:04}",
                started_by="function",
                start_input='"x"',
                request_id="r",
                id=f"new{number:05}",
            )
            number += 1

    thread = threading.Thread(target=come_and_go)
    thread.start()
    seen: list[str] = []
    token = ""
    while True:
        ids, token = listed(desk, "top=500", token)
        seen += ids
        if not token or len(seen) > 30_000:
            break
    is_over.set()
    thread.join()
    stood = [f"v{number:05}" for number in range(10_000) if f"v{number:05}" not in purged]
    assert len(purged) > 10
    assert len(seen) == len(set(seen))
    assert set(stood) <= set(seen)


def test_a_page_is_read_through_an_index(sqlite_desk: Desk) -> None:
    """However many rows there are: no plan scans or sorts the whole table."""
    plans: list[str] = []

    def explain(tx):
        class Explaining:
            now = tx.now

            def all(self, sql, **params):
                rows = tx.all("EXPLAIN QUERY PLAN " + sql, **params)
                plans.extend(row["detail"] for row in rows)
                return []

        for wanted in (
            table.ListFilter(limit=10),
            table.ListFilter(limit=10, country="US", newest_first=True),
            table.ListFilter(limit=10, country="US", stages=frozenset([Stage.FAILED])),
            table.ListFilter(limit=10, after=(NOON, "v1"), stages=frozenset(Stage)),
            table.ListFilter(limit=10, id_prefix="v"),
            table.ListFilter(limit=10, id_prefix="v", stages=frozenset([Stage.FAILED])),
        ):
            table.find(Explaining(), wanted)

    sqlite_desk.verifications.store.read(explain)
    assert len(plans) >= 13
    for plan in plans:
        assert "USING INDEX" in plan or "USING PRIMARY KEY" in plan, plan
        assert "TEMP B-TREE" not in plan
