"""GET /instances: filters, times, prefixes, and pages that go on by a token."""

import pytest

from bot.domain.verification import Status
from tests.durable.listing import TOKEN, keep, listed
from tests.harness import INSTANCES, Harness


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


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ("2026-01-31t12:00:00z", 1),
        ("2026-01-31T12:00:01z", 0),
        ("2026-01-31T13:00:00+01", 1),
        ("2026-01-31T13:00:01 01", 0),
        ("9999-12-31T23:59:59-01:00", 0),
    ],
)
def test_each_iso_form_of_an_instant_is_read(harness: Harness, wanted: str, count: int) -> None:
    harness.start()
    url = f"{INSTANCES}?createdTimeFrom={wanted}"
    assert len(harness.call("GET", url).json()) == count


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


def test_a_prefix_finds_whatever_follows_it(any_harness: Harness) -> None:
    id = "a\U0010ffff\U0010ffffb"
    keep(any_harness, 1, prefix=id)
    assert listed(any_harness, "instanceIdPrefix=a")[0] == [f"{id}00000"]


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
