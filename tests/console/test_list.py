"""The list of verifications is filtered, counted, divided into pages and exported."""

import csv
import io

import pytest

from bot.usecases import search
from tests.console.conftest import Operator
from tests.console.page import Page
from tests.console.pages import FRENCH_PHONE, OTHER_PHONE, ids_in, listed, show
from tests.harness import PHONE, Harness
from tests.sms.webhooks import report


@pytest.fixture
def four(harness: Harness) -> dict[str, str]:
    """One approved, one expired in France, one canceled, one pending, a minute apart."""
    ids = {"approved": harness.start_and_send()["id"]}
    harness.text(harness.code())
    harness.forward(60)
    ids["expired"] = harness.start_and_send(FRENCH_PHONE)["id"]
    harness.forward(90)
    ids["canceled"] = harness.start_and_send(OTHER_PHONE)["id"]
    harness.text("STOP", OTHER_PHONE)
    harness.forward(60)
    ids["pending"] = harness.start_and_send()["id"]
    return ids


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "pending canceled expired approved"),
        ("status=approved", "approved"),
        ("status=pending", "pending"),
        ("country=fr", "expired"),
        ("country=US&status=canceled", "canceled"),
        ("country=US&status=expired", ""),
        ("q=%2B1+425+555+0123", "pending approved"),
        ("q=%2B14255550123&status=approved", "approved"),
        ("q=425-555-0123", "pending approved"),
        ("q=0014255550123", "pending approved"),
        ("q=0123", "pending approved"),
        ("q=0123&by=last_four&status=approved", "approved"),
        ("q=٠١٢٣", "pending approved"),
        ("q=5678&country=FR", "expired"),
        ("q=5678&country=US", ""),
        ("from=2026-01-31T12:02", "pending canceled"),
        ("to=2026-01-31T12:02", "expired approved"),
        ("from=2026-01-31T12:00:30&to=2026-01-31T12:02&country=FR", "expired"),
    ],
)
def test_filters(operator: Operator, four: dict[str, str], query: str, found: str) -> None:
    assert listed(operator, query) == [four[name] for name in found.split()]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("status=nonsense", "This status is unknown."),
        ("country=XX", "A country is two letters"),
        ("from=soon", "A time looks like"),
        ("after=nonsense", "This page is unknown"),
        ("after=0001-01-01T00:00:00%2B05:00 x", "This page is unknown"),
        ("from=0001-01-01T00:00%2B05:00", "A time looks like"),
        ("q=call+me", "Nothing found for call me"),
        ("q=" + "x" * 1000, "Nothing found for xxx"),
        ("q=0123&by=nonsense", "Nothing found for 0123"),
    ],
)
def test_what_cannot_be_used_says_so_and_shows_no_list(
    operator: Operator, harness: Harness, query: str, said: str
) -> None:
    harness.start(OTHER_PHONE)
    page = show(operator, f"/verifications?{query}")
    assert said in page.texts(".fault, #found > p")[0]
    assert ids_in(page) == []


def test_a_list_says_how_many_and_is_taken_away(operator: Operator, four: dict[str, str]) -> None:
    page = show(operator, "/verifications?status=pending")
    assert page.says("#found .count") == "1 verification."
    assert show(operator, "/verifications").says("#found .count") == "4 verifications."
    links = [str(link["href"]) for link in page.all("#found a[download]")]
    assert [link.partition("?")[0].rpartition(".")[2] for link in links] == ["csv", "json"]
    rows = list(csv.DictReader(io.StringIO(operator.get(links[0]).text)))
    assert [row["id"] for row in rows] == [four["pending"]]
    assert (rows[0]["number"], rows[0]["status"]) == (PHONE, "pending")
    (row,) = operator.get(links[1]).json
    assert (row["id"], row["cause"]) == (four["pending"], None)
    every = operator.get("/console/verifications.json").json
    assert [one["id"] for one in every] == [
        four[n] for n in "pending canceled expired approved".split()
    ]
    assert every[1]["cause"] == "opted_out"
    assert operator.get("/console/verifications.xml").status_code == 404
    refused = operator.get("/console/verifications.csv?status=nonsense")
    assert refused.status_code == 303
    assert "This status is unknown." in Page(operator.get(refused.location)).says(".fault")
    refused = operator.get("/console/verifications.csv?after=x&_external=1&_scheme=ftp&_anchor=y")
    assert refused.location == "/console/verifications?after=x"


def test_no_cell_of_a_file_is_a_formula(operator: Operator, harness: Harness) -> None:
    harness.start(tag='=HYPERLINK("http://evil.example")')
    (row,) = csv.DictReader(io.StringIO(operator.get("/console/verifications.csv").text))
    assert row["tag"].startswith("'=")
    assert row["number"] == PHONE


def test_a_file_has_the_error_of_a_report_as_the_status_has_it(
    operator: Operator, harness: Harness
) -> None:
    id = harness.start_and_send()["id"]
    report(harness, id, "undelivered", code=30003)
    harness.forward(91)
    status = harness.status(id)["customStatus"]
    assert (status["status"], status["errorCode"]) == ("expired", 30003)
    (row,) = operator.get("/console/verifications.json").json
    assert (row["status"], row["errorCode"]) == ("expired", 30003)


def start_with_a_tag(harness: Harness, count: int) -> None:
    """All with the tag `same`, a second apart."""
    for number in range(count):
        harness.start(f"+1425555{number:04}", tag="same")
        harness.clock.forward(1)


def test_a_filter_beside_a_name_looks_through_a_bounded_number_of_rows(
    operator: Operator, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "LOOKED_THROUGH", 3)
    old = harness.start_and_send(tag="same")["id"]
    harness.text(harness.code())
    for number in range(5):
        harness.clock.forward(1)
        harness.start(f"+1425555{number:04}", tag="same")
    page = show(operator, "/verifications?q=same&status=approved")
    assert ids_in(page) == []
    assert "among the newest 3" in page.says("#found .count")
    further = page.one('.pages a[rel="next"]')
    assert further.text == "Search further"
    assert ids_in(Page(operator.get(str(further["href"])))) == [old]


def test_the_last_row_that_is_looked_through_leads_no_further(
    operator: Operator, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "LOOKED_THROUGH", 3)
    start_with_a_tag(harness, 3)
    page = show(operator, "/verifications?q=same&status=pending")
    assert len(ids_in(page)) == 3
    assert "among" not in page.says("#found .count")
    assert page.all('.pages a[rel="next"]') == []


def test_the_count_of_a_later_part_is_its_own(
    operator: Operator, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "LOOKED_THROUGH", 3)
    start_with_a_tag(harness, 5)
    first = show(operator, "/verifications?q=same&status=pending")
    assert first.says("#found .count").startswith("3 verifications, found by tag, among the newest")
    assert "of the 3 looked through" in first.says(".pages")
    second = Page(operator.get(str(first.one('.pages a[rel="next"]')["href"])))
    assert second.says("#found .count").startswith("2 verifications, found by tag, among the next")


def test_pages_hold_each_once_newest_first_while_others_are_started(
    operator: Operator, harness: Harness
) -> None:
    ids = []
    for number in range(120):
        ids.append(harness.start(f"+1425556{number:04}")["id"])
        harness.clock.forward(0.001)
    seen: list[str] = []
    address = "/console/verifications?status=pending"
    while address:
        page = Page(operator.get(address))
        seen += ids_in(page)
        further = page.all('.pages a[rel="next"]')
        address = str(further[0]["href"]) if further else ""
        harness.start(f"+1425557{len(seen):04}")
    assert seen == ids[::-1]
