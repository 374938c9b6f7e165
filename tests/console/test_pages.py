"""The contents of the pages and the effects of their buttons."""

import csv
import io
import re
from functools import partial
from pathlib import Path

import pytest

from bot.channels import sentences
from bot.channels.gateway import Conversation, Direction, ListedMessage
from bot.domain.events import EventName
from bot.explanations import why, words
from bot.store import hourly_counts
from bot.store.history import HistoryLine
from bot.store.tx import Done, StoreUnavailable
from bot.usecases import overview, search
from simulator import faults
from tests.builders import NOON
from tests.console.conftest import Operator
from tests.console.page import Page
from tests.harness import PHONE, Harness
from tests.harness import harness as open_harness

OTHER_PHONE = "+14255550199"
FRENCH_PHONE = "+33612345678"
BOT = Path(__file__).parents[2] / "bot"


# Of the page of one verification.
WHY = "#view .why"
HISTORY = "#history .timeline li"
TWILIO = '[aria-labelledby="twilio-title"]'
CONCLUSION = f"{TWILIO} .why"
SIGHTINGS = f"{TWILIO} .timeline li"


def said_words(text: str) -> list[str]:
    """Ids may hold the digits of a code by chance."""
    return re.findall(r"\w+", text)


def show(operator: Operator, path: str) -> Page:
    response = operator.get("/console" + path)
    assert response.status_code == 200, response.text
    return Page(response)


def one(operator: Operator, id: str) -> Page:
    return show(operator, f"/verifications/{id}")


def at_twilio(operator: Operator, id: str) -> Page:
    return show(operator, f"/verifications/{id}/at-twilio")


def is_told(said: str, lines: list[str]) -> bool:
    """Whether one of the lines says so."""
    return any(said in line for line in lines)


# -- the overview ----------------------------------------------------------------------------------


def test_the_overview_shows_what_is_pending_with_its_time_and_attempts(
    operator: Operator, harness: Harness
) -> None:
    reference = harness.start_and_send()["reference"]
    harness.text(harness.wrong())
    harness.clock.forward(30)
    rows = show(operator, "/").rows("#pending table")
    assert rows[1:] == [[PHONE, "60 s left", reference, "1 of 4", "No report yet."]]


def test_the_overview_says_when_nothing_is_pending_and_all_is_well(operator: Operator) -> None:
    page = show(operator, "/")
    assert page.says("#pending > p") == "Nothing is pending."
    lamps = page.texts("#state .lamps .good")
    assert "Nothing is overdue." in lamps
    assert "Twilio accepts our credentials." in lamps


def test_the_overview_says_when_work_is_overdue(operator: Operator, harness: Harness) -> None:
    harness.start()
    harness.clock.forward(6)
    lamp = show(operator, "/").says("#state .lamps .bad")
    assert "no dispatcher runs, or it is stuck" in lamp


def test_the_overview_says_when_twilio_does_not_know_us(
    operator: Operator, harness: Harness
) -> None:
    harness.simulator.faults.add(faults.REFUSE, code=20003)
    harness.start_and_send()
    lamp = show(operator, "/").says("#state .lamps .bad")
    assert lamp.startswith("Twilio does not accept these credentials.")


def settle(harness: Harness) -> None:
    """Three approved (after 5, 10 and 40 seconds), one expired, one failed, one canceled."""
    for seconds in (5, 10, 40):
        harness.start_and_send()
        harness.clock.forward(seconds)
        harness.text(harness.code())
    harness.start_and_send(FRENCH_PHONE)
    harness.forward(90)
    harness.simulator.faults.add(faults.REFUSE, code=21614)
    harness.start_and_send()
    harness.start_and_send(OTHER_PHONE)
    harness.text("STOP", OTHER_PHONE)


def test_today_in_figures(operator: Operator, harness: Harness) -> None:
    settle(harness)
    page = show(operator, "/")
    assert page.facts("#lately .figures") == [
        ("started", "6"),
        ("approved", "3"),
        ("expired", "1"),
        ("out of tries", "0"),
        ("canceled", "1"),
        ("failed", "1"),
        ("approval rate", "60 %"),
        ("median time to answer", "10 s"),
        ("95th percentile", "40 s"),
        ("texts per approval", "2.0"),
    ]
    (hour,) = page.rows('[aria-label="Over time"]')[1:]
    assert hour[:3] == ["12:00", "6", "3"]
    assert page.rows('[aria-label="By country"]')[1:] == [
        ["US", "5", "3", "0", "0", "1", "1", "75 %", "10 s"],
        ["FR", "1", "0", "1", "0", "0", "0", "0 %", "–"],
        ["all", "6", "3", "1", "0", "1", "1", "60 %", "10 s"],
    ]
    assert page.rows('[aria-label="By error"]')[1][:2] == ["21614", "1"]


def test_figures_lead_to_their_lists(operator: Operator, harness: Harness) -> None:
    settle(harness)
    page = show(operator, "/")
    for status, count in (("approved", 3), ("expired", 1), ("failed", 1)):
        link = page.one(f"#lately .figures .{status} a")
        assert len(Page(operator.get(str(link["href"]))).all("#found tbody tr")) == count
    error = page.one('[aria-label="By error"] a')
    assert len(Page(operator.get(str(error["href"]))).all("#found tbody tr")) == 1
    country = page.one('[aria-label="By country"] a[href*="FR"]')
    assert len(Page(operator.get(str(country["href"]))).all("#found tbody tr")) == 1


def test_each_figure_explains_itself(operator: Operator) -> None:
    page = show(operator, "/")
    labels = page.all("#lately .figures abbr")
    assert len(labels) == 10
    assert all(label["title"] for label in labels)
    assert [text for text, _ in page.facts(".meanings")] == [label.text for label in labels]


@pytest.mark.parametrize(
    ("period", "steps", "name"),
    [
        ("today", 24, "Today"),
        ("24h", 24, "24 hours"),
        ("7d", 7, "7 days"),
        ("30d", 30, "30 days"),
        ("nonsense", 24, "Today"),
    ],
)
def test_periods_reach_back_as_they_say(
    operator: Operator, harness: Harness, period: str, steps: int, name: str
) -> None:
    settle(harness)
    page = show(operator, f"/?period={period}")
    assert page.says("#lately-title").startswith(name)
    assert page.facts("#lately .figures")[0] == ("started", "6")
    shown = harness.store.read(overview.overview, overview.Period(page_period(period)))
    assert len(shown.steps) == steps


def page_period(period: str) -> str:
    return "today" if period == "nonsense" else period


def test_what_is_older_than_a_period_is_not_in_it(harness: Harness) -> None:
    settle(harness)
    read = partial(harness.store.read, overview.overview)
    harness.clock.forward(12 * 3600)
    started = [read(period).whole.started for period in overview.Period]
    assert started == [0, 6, 6, 6]
    harness.clock.forward(6 * 24 * 3600)
    assert [read(period).whole.started for period in overview.Period] == [0, 0, 0, 6]
    harness.clock.forward(24 * 24 * 3600)
    assert [read(period).whole.started for period in overview.Period] == [0, 0, 0, 0]


def test_folded_hours_tell_the_same(harness: Harness) -> None:
    settle(harness)
    harness.run_once()
    harness.clock.forward(2 * 24 * 3600)
    read = partial(harness.store.read, overview.overview, overview.Period.LAST_7_DAYS)
    before = read()
    store = harness.store
    store.write(lambda tx: Done(hourly_counts.fold_hours(tx, before=tx.now)))
    rows = store.read(lambda tx: tx.all("SELECT DISTINCT hour FROM hourly_count"))
    assert [row["hour"] for row in rows] == ["2026-01-31"]
    assert read() == before
    assert before.whole.median_seconds == 10


def test_countries_that_are_not_shown_are_others(harness: Harness) -> None:
    numbers = """
        +33612345678 +4915123456789 +447400123456 +34612345678 +393123456789 +31612345678
        +46701234567 +4790012345 +48512345678 +420601123456
    """
    for number in numbers.split():
        harness.start(number)
    found = harness.today()
    assert len(found.countries) == overview.COUNTRIES_SHOWN + 1
    assert found.countries[-1].name == overview.OTHERS
    assert sum(country.started for country in found.countries) == found.whole.started == 10


def test_the_figures_are_the_same_counted_or_not(harness: Harness) -> None:
    settle(harness)
    store = harness.store
    not_yet = harness.today()
    while store.write(lambda tx: Done(hourly_counts.count_more(tx))):
        pass
    assert not store.read(hourly_counts.is_behind)
    assert harness.today() == not_yet


def test_figures_outlive_a_forgotten_number_and_begin_anew_at_midnight(
    operator: Operator, harness: Harness
) -> None:
    settle(harness)
    harness.run_once()
    harness.forget(PHONE)
    harness.start_and_send(OTHER_PHONE[:-1] + "8")
    harness.forget(OTHER_PHONE[:-1] + "8")
    counts = harness.today().whole.counts
    assert (counts["approved"], counts["canceled"]) == (3, 2), "counted before it is removed"
    harness.clock.forward(12 * 3600)
    assert set(harness.today().whole.counts.values()) == {0}


def test_two_who_count_count_nothing_twice(harness: Harness) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for number in range(20):
        harness.start(f"+1425555{number:04}")
    store = harness.store
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda _: store.write(lambda tx: Done(hourly_counts.count_more(tx))), range(16)
            )
        )
    assert harness.today().whole.counts["started"] == 20


def test_the_chart_is_drawn_from_the_figures(operator: Operator, harness: Harness) -> None:
    settle(harness)
    bars = show(operator, "/").all('svg[role="img"] rect')
    assert [(bar["x"], bar["height"], bar["class"]) for bar in bars] == [
        ("261.0", "80.4", ["bar", "started"]),
        ("261.0", "40.2", ["bar", "approved"]),
    ]
    ticks = show(operator, "/").texts('svg[role="img"] text')
    assert ticks[:3] == ["0", "5", "10"]
    assert ticks[3:] == ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]


# -- the list --------------------------------------------------------------------------------------


def listed(operator: Operator, query: str = "") -> list[str]:
    return ids_in(show(operator, f"/verifications?{query}"))


def ids_in(page: Page) -> list[str]:
    return [str(link["href"]).rpartition("/")[2] for link in page.all("#found [data-row]")]


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


def test_an_id_is_found_by_its_beginning(operator: Operator, harness: Harness) -> None:
    for id in ("order-1", "order-2", "other"):
        path = f"/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/{id}"
        assert harness.call("POST", path, json=PHONE).status_code == 202
    assert listed(operator, "q=order") == ["order-1", "order-2"]
    assert show(operator, "/verifications?q=order").says("#found .count").startswith("2 verif")
    assert listed(operator, "q=order&status=approved") == ["order-1", "order-2"], "an id names one"
    whole = operator.get("/console/verifications?q=other")
    assert whole.headers["Location"] == "/console/verifications/other"
    assert listed(operator, "q=%25") == []


def test_an_ignored_text_shows_its_number_masked(operator: Operator, harness: Harness) -> None:
    harness.text("hello")
    (row,) = show(operator, "/ignored").rows("#ignored table")[1:]
    assert row[1] == "+1425*****23"


def test_the_text_goes_out_again(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(15)
    response = operator.post(f"/console/verifications/{id}/resend")
    page = show(operator, response.headers["Location"].removeprefix("/console"))
    assert page.says(".notice").startswith("The text goes out again")
    assert page.fact("Texts") == "2 of 3"
    harness.run_once()
    assert len(harness.texts()) == 2


def test_each_text_is_shown_as_a_phone_gets_it(operator: Operator) -> None:
    page = show(operator, "/texts")
    rows = {(row[0], row[1]): row[2:] for row in page.rows("#texts table")[1:]}
    english = [text for language, text in rows if language == "en"]
    assert any("0123. Reply with just these 4 digits" in text for text in english)
    assert {row[2] for row in rows.values()} == {"1"}
    assert {tag["lang"] for tag in page.all('.bubble[dir="rtl"]')} == {"ar", "he"}


def test_a_disowned_one_says_so(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text("NO")
    assert "did not ask for the code" in one(operator, id).says(WHY)


def test_a_tag_is_found_whole(operator: Operator, harness: Harness) -> None:
    first = harness.start_and_send(tag="order-1")["id"]
    harness.text(harness.code())
    harness.clock.forward(1)
    second = harness.start_and_send(tag="order-1")["id"]
    harness.start(OTHER_PHONE, tag="order-12")
    harness.start(FRENCH_PHONE)
    assert listed(operator, "q=order-1") == [second, first]
    assert listed(operator, "q=order-1&status=approved&country=US") == [first]
    assert listed(operator, "q=order-1&country=FR") == []
    assert listed(operator, "q=order") == []
    page = show(operator, "/verifications?q=order-1")
    assert {box["value"] for box in page.all('input[name="q"]')} == {"order-1"}
    tags = show(operator, "/verifications").texts("#found .tag")
    assert sorted(tags) == ["order-1", "order-1", "order-12"]


def test_each_reading_of_a_number_can_be_chosen(operator: Operator, harness: Harness) -> None:
    american, other = "+16502530000", "+6502530000"
    ids = [harness.start(phone)["id"] for phone in (american, other)]
    page = show(operator, "/verifications?q=6502530000")
    (link,) = page.all('#found .count a[href*="by=number"]')
    assert listed(operator, "q=6502530000") == ids[:1]
    query = link["href"].partition("?")[2]
    assert listed(operator, query) == ids[1:]


def test_a_number_that_is_also_an_id_leads_to_the_list(
    operator: Operator, harness: Harness
) -> None:
    digits = PHONE.removeprefix("+1")
    own = harness.start()["id"]
    path = f"/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/{digits}"
    assert harness.call("POST", path, json=OTHER_PHONE).status_code == 202
    assert listed(operator, f"q={digits}") == [own]
    response = operator.get(f"/console/verifications?q={digits}&by=id")
    assert response.headers["Location"].endswith(f"/verifications/{digits}")


def test_tag_and_locale_stand_on_the_page_where_set(operator: Operator, harness: Harness) -> None:
    page = one(operator, harness.start(tag="order-1", locale="es")["id"])
    assert (page.fact("Tag"), page.fact("Language")) == ("order-1", "es")
    labels = [label for label, _ in one(operator, harness.start(OTHER_PHONE)["id"]).facts()]
    assert "Tag" not in labels


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("status=nonsense", "This status is unknown."),
        ("country=XX", "A country is two letters"),
        ("from=soon", "A time looks like"),
        ("after=nonsense", "This page is unknown"),
        ("after=0001-01-01T00:00:00%2B05:00 x", "This page is unknown"),
        ("from=0001-01-01T00:00%2B05:00", "A time looks like"),
        ("q=call+me", "Nothing is known of call me"),
        ("q=" + "x" * 1000, "Nothing is known of xxx"),
        ("q=0123&by=nonsense", "Nothing is known of 0123"),
    ],
)
def test_what_cannot_be_used_says_so_and_shows_no_list(
    operator: Operator, harness: Harness, query: str, said: str
) -> None:
    harness.start(OTHER_PHONE)
    page = show(operator, f"/verifications?{query}")
    assert said in page.texts(".fault, #found > p")[0]
    assert ids_in(page) == []


def test_support_finds_one_by_whatever_it_was_given(operator: Operator, harness: Harness) -> None:
    harness.simulator.faults.add(faults.REFUSE, code=21614)
    failed = harness.start_and_send(OTHER_PHONE)["id"]
    started = harness.start_and_send()
    id, reference = started["id"], started["reference"]
    sid = harness.texts()[-1].sid
    assert id in listed(operator, f"q={reference}")
    assert id in listed(operator, f"q={reference.lower()}")
    assert listed(operator, "q=21614") == [failed]
    for whole in (id, sid, f" {sid} "):
        response = operator.get(f"/console/verifications?q={whole}")
        assert response.headers["Location"] == f"/console/verifications/{id}"
    harness.text("hello", FRENCH_PHONE)
    (row,) = show(operator, "/ignored").rows("#ignored table")[1:]
    said = show(operator, f"/verifications?q={row[3]}").says("#found > p")
    assert "No verification of this number waited for it." in said


def test_a_tag_with_an_outer_blank_is_found(operator: Operator, harness: Harness) -> None:
    id = harness.start(tag="order 12 ")["id"]
    assert listed(operator, "q=order 12 ") == [id]
    assert listed(operator, "q=order 12") == []


def test_a_search_that_may_mean_several_things_offers_the_others(
    operator: Operator, harness: Harness
) -> None:
    by_number = harness.start()["id"]
    by_tag = harness.start(OTHER_PHONE, tag="0123")["id"]
    page = show(operator, "/verifications?q=0123")
    assert ids_in(page) == [by_number]
    assert "found by last four digits of the number" in page.says("#found .count")
    (other,) = page.all("#found .count a")
    assert ids_in(Page(operator.get(str(other["href"])))) == [by_tag]


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
    assert further.text == "Look further"
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


def test_another_filter_beside_an_id_is_said_to_be_unused(
    operator: Operator, harness: Harness
) -> None:
    id = harness.start()["id"]
    assert "not used" not in show(operator, f"/verifications?q={id[:8]}&by=id").says(".count")
    page = show(operator, f"/verifications?q={id[:8]}&by=id&status=approved")
    assert "The other filters are not used then." in page.says(".count")


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


# -- one verification ------------------------------------------------------------------------------


def test_its_time_line_is_told_in_plain_words(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.clock.forward(12.5)
    harness.text(harness.wrong())
    harness.clock.forward(60)
    harness.text(harness.code())
    page = one(operator, id)
    assert page.texts(HISTORY) == [
        "+ 0:00.0 12:00:00 UTC Asked for; the text in en was put into the outbox.",
        "+ 0:00.0 12:00:00 UTC The text was handed to Twilio.",
        "+ 0:00.0 12:00:00 UTC Twilio took the text: the window to answer opened.",
        "+ 0:12.5 12:00:12 UTC A wrong code was sent by text: attempt 1.",
        "+ 1:12.5 12:01:12 UTC The right code was sent by text.",
        "+ 1:12.5 12:01:12 UTC Approved.",
    ]
    said = page.says(WHY)
    assert "The person sent the right code 72 seconds after Twilio took the text." in said
    assert harness.code() not in said_words(page.says("main"))


@pytest.mark.parametrize("name", EventName)
def test_every_event_of_the_history_has_words(name: EventName) -> None:
    detail = {"delivery": "sent", "attempt": 1, "name": "x", "status": "approved"}
    assert words.words(HistoryLine(1, NOON, name, detail)).endswith(".")


@pytest.mark.parametrize("cause", [{}, {"cause": "send_refused"}, {"cause": "not_delivered"}])
def test_the_sentence_of_an_error_is_told_once(cause: dict[str, str]) -> None:
    """Lines of earlier versions have no cause."""
    sentence = sentences.sentence(30003)
    detail = {**cause, "reason": sentence, "error_code": 30003}
    assert (
        words.words(HistoryLine(1, NOON, EventName.FURTHER_TEXT_FAILED, detail)).count(sentence)
        == 1
    )


def test_a_reason_of_ours_is_told_beside_the_error() -> None:
    detail = {"cause": "send_given_up", "reason": "It took too long", "error_code": 30003}
    said = words.words(HistoryLine(1, NOON, EventName.FAILED, detail))
    assert "It took too long" in said
    assert sentences.sentence(30003) in said


def test_why_says_what_happened_and_what_to_do(operator: Operator, harness: Harness) -> None:
    id = harness.start()["id"]
    assert "The text is on its way to Twilio." in one(operator, id).says(WHY)
    harness.run_once()
    assert "Waiting for the person to text the code back." in one(operator, id).says(WHY)
    harness.forward(90)
    assert "No reply had the right one within 90 seconds." in one(operator, id).says(WHY)

    id = harness.start_and_send()["id"]
    for _ in range(4):
        harness.text(harness.wrong())
    assert "4 wrong codes came." in one(operator, id).says(WHY)

    first = harness.start_and_send()["id"]
    second = harness.start_and_send()["id"]
    assert "A newer start for the same number took its place" in one(operator, first).says(WHY)
    harness.text("STOP")
    assert "The person texted STOP." in one(operator, second).says(WHY)


def deliver(harness: Harness, delivery: str, code: int | None = None) -> None:
    harness.simulator.webhooks.post_report(harness.texts()[-1], delivery, code)


def test_why_tells_delivered_from_not_delivered(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    deliver(harness, "undelivered", 30003)
    assert "Twilio's error 30003: The phone is off or out of reach." in one(operator, id).says(WHY)
    harness.forward(90)
    said = one(operator, id).says(WHY)
    assert "The carrier did not deliver it." in said
    assert "Check the number with the person, and start again." in said

    id = harness.start_and_send()["id"]
    deliver(harness, "delivered")
    harness.forward(90)
    assert "The text was delivered: ask the person to look for the text" in one(operator, id).says(
        WHY
    )


@pytest.mark.parametrize("code", [21211, 21408, 21610, 21614, 30005, 30007, 99999])
def test_why_names_twilios_error_and_what_to_do(
    operator: Operator, harness: Harness, code: int
) -> None:
    from bot.channels.twilio import errors

    harness.simulator.faults.add(faults.REFUSE, code=code)
    id = harness.start_and_send()["id"]
    said = one(operator, id).says(WHY)
    assert str(code) in said
    assert errors.told(code) in said or errors.UNKNOWN_PERMANENT.sentence in said


def test_why_of_a_text_twilio_did_not_take_and_one_nobody_knows_of(
    operator: Operator, harness: Harness
) -> None:
    harness.simulator.faults.add(faults.REFUSE, code=20429, times=100)
    id = harness.start_and_send()["id"]
    said = "Twilio did not take the text; it is tried again. Twilio's error 20429"
    assert is_told(said, one(operator, id).texts(HISTORY))
    harness.forward(60)
    assert "Twilio did not take the text within 60 seconds." in one(operator, id).says(WHY)

    harness.simulator.faults.clear()
    harness.simulator.faults.add(faults.ERROR_BEFORE)
    harness.simulator.faults.add(faults.LIST_ERROR, times=100)
    id = harness.start_and_send()["id"]
    said = "Twilio gave no clear answer to the text, so its list is being asked."
    assert one(operator, id).says(WHY) == said


def test_a_retired_key_is_explained(operator: Operator, harness: Harness, tmp_path: Path) -> None:
    with open_harness(tmp_path / "other") as other:
        id = other.start_and_send()["id"]
        other.store.write(lambda tx: Done(tx.run("UPDATE verification SET key_id = 'gone'")))
        other.text("1234")
        visitor = Operator(other.app.test_client())
        visitor.sign_in()
        assert "SECRET_KEY_FALLBACKS" in one(visitor, id).says(WHY)


def test_twilios_list_is_asked_on_request_and_names_what_was_withheld(
    operator: Operator, harness: Harness
) -> None:
    id = harness.start_and_send()["id"]
    assert "Twilio has seen no reply" in at_twilio(operator, id).says(CONCLUSION)
    harness.simulator.faults.add(faults.WITHHOLD, code=30038)
    harness.text(harness.code())
    page = at_twilio(operator, id)
    assert "Twilio withheld the reply, so Textback never saw it." in page.says(CONCLUSION)
    said = "Twilio's error 30038: Twilio took the reply for a one-time passcode"
    assert is_told(said, page.texts(SIGHTINGS))
    harness.text(harness.wrong())
    page = at_twilio(operator, id)
    assert is_told("A reply, which reached Textback.", page.texts(SIGHTINGS))
    assert is_told("An answer to the phone.", page.texts(SIGHTINGS))
    assert harness.code() not in said_words(page.says("main"))


def test_a_reply_that_did_not_reach_us_is_told_from_one_that_did(
    operator: Operator, harness: Harness
) -> None:
    first = harness.start_and_send()["id"]
    harness.simulator.faults.add(faults.WEBHOOK_NEVER)
    harness.text(harness.code())
    page = at_twilio(operator, first)
    assert "Twilio has the reply that did not reach Textback" in page.says(CONCLUSION)
    assert is_told("A reply that has not reached Textback.", page.texts(SIGHTINGS))
    harness.forward(100 + 600 + 60)
    second = harness.start_and_send()["id"]
    harness.text(harness.code())
    said = at_twilio(operator, first).says("main")
    assert "which reached Textback" not in said, "that one belongs to the next verification"
    assert "Textback has the reply" in at_twilio(operator, second).says(CONCLUSION)


def test_a_list_that_does_not_reach_back_is_said_to(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(1000)
    for _ in range(50):
        harness.simulator.faults.add(faults.WEBHOOK_NEVER)
        harness.text("later")
    assert "does not reach back so far" in at_twilio(operator, id).says(CONCLUSION)


@pytest.mark.parametrize("code", [30009, 11200])
def test_other_troubles_of_a_reply_are_not_taken_for_withholding(code: int) -> None:
    seen = ListedMessage("SM1", Direction.REPLY, "failed", code, NOON)
    assert "has not reached" in why.message_in_words(seen, frozenset())
    assert "withheld" not in why.conclusion(Conversation([seen], True), frozenset())
    assert "not one that Textback knows" not in why.message_in_words(seen, frozenset())


def test_a_day_that_is_used_up_is_named(tmp_path: Path) -> None:
    with open_harness(tmp_path / "strict", LIMIT_WRONG_PER_NUMBER="1/day") as strict:
        id = strict.start_and_send()["id"]
        strict.text(strict.wrong())
        visitor = Operator(strict.app.test_client())
        visitor.sign_in()
        said = one(visitor, id).says(WHY)
        assert "1 wrong code came." in said
        assert "LIMIT_WRONG_PER_NUMBER" in said


def test_the_address_without_its_slash_leads_to_the_console_whatever_the_host(
    harness: Harness,
) -> None:
    response = harness.call("GET", "/console", headers={"Host": "evil.example"})
    assert (response.status_code, response.headers["Location"]) == (308, "/console/")


def test_without_the_database_there_is_a_page_all_the_same(
    operator: Operator, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(query: object, *_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(harness.store, "read", away)
    response = operator.get("/console/")
    assert (response.status_code, response.mimetype) == (503, "text/html")
    assert "cannot be used at the moment" in Page(response).says('[role="alert"]')


def test_where_twilios_list_does_not_answer_the_page_says_so(
    operator: Operator, harness: Harness
) -> None:
    id = harness.start_and_send()["id"]
    harness.simulator.faults.add(faults.LIST_ERROR, times=2)
    response = operator.get(f"/console/verifications/{id}/at-twilio")
    assert response.status_code == 502
    fault = Page(response).says(f"{TWILIO} .fault")
    assert fault == "Twilio answered with error 20500. Try again in a moment."


def test_a_withheld_reply_is_not_caught_up_with(harness: Harness) -> None:
    """Without its body it would be judged as chatter."""
    id = harness.start_and_send()["id"]
    harness.simulator.faults.add(faults.WITHHOLD, code=30039)
    harness.text(harness.code())
    harness.simulator.faults.add(faults.WEBHOOK_NEVER)
    harness.text(harness.wrong())
    harness.dispatcher.catch_up()
    assert harness.history(id)[-1] == "wrong_answer", "another reply was read"
    assert "unread_reply" not in harness.history(id)


def test_an_id_nobody_has_is_not_found(operator: Operator) -> None:
    for path in ("nobody", "nobody/at-twilio", "..%2f", "%00", "x" * 300):
        assert operator.get(f"/console/verifications/{path}").status_code == 404


# -- doing -----------------------------------------------------------------------------------------


def test_a_start_leads_to_its_page_with_the_reference(operator: Operator, harness: Harness) -> None:
    response = operator.post("/console/verifications", number="+1 (425) 555-0123")
    assert response.status_code == 303
    (view,) = harness.newest(10)
    verification = view.verification
    assert response.headers["Location"] == f"/console/verifications/{verification.id}"
    assert (verification.phone, verification.started_by) == (PHONE, "console")
    assert one(operator, verification.id).fact("Reference") == verification.reference
    harness.run_once()
    assert len(harness.texts()) == 1


@pytest.mark.parametrize(
    ("number", "said"),
    [("", "A phone number input is required"), ("12", "international form"), ("+1", "may hold")],
)
def test_a_start_that_is_refused_says_why(operator: Operator, number: str, said: str) -> None:
    response = operator.post("/console/verifications", number=number)
    assert response.status_code == 400
    assert said in Page(response).says(".fault")


def test_cancel_start_again_forget(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    response = operator.post(f"/console/verifications/{id}/cancel")
    assert response.status_code == 303
    page = show(operator, response.headers["Location"].removeprefix("/console"))
    assert page.says(".notice") == "It is canceled."
    assert "It was canceled: canceled at the console" in page.says(WHY)
    assert operator.post(f"/console/verifications/{id}/cancel").status_code == 400, "it has ended"

    response = operator.post(f"/console/verifications/{id}/again")
    again = response.headers["Location"].rpartition("/")[2]
    assert harness.find(again).started_by == "function"
    harness.run_once()
    assert len(harness.texts()) == 2

    response = operator.post(f"/console/verifications/{again}/forget")
    page = show(operator, response.headers["Location"].removeprefix("/console"))
    assert f"{PHONE} is forgotten" in page.says(".notice")
    page = show(operator, "/verifications?notice=forgotten")
    assert "forgotten" not in page.says("main"), "a forged link"
    assert harness.newest(10) == []
    assert operator.post(f"/console/verifications/{again}/forget").status_code == 404


def test_limits_breaker_and_guess_budget_as_they_stand(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_TOTAL="10/hour", LIMIT_PER_NUMBER="2/hour") as harness:
        operator = Operator(harness.app.test_client())
        operator.sign_in()
        for _ in range(2):
            harness.start()
        assert harness.post_start().status_code == 429
        page = show(operator, "/limits")
        limits = page.rows("#starts table")
        assert ["Starts in all", "10/hour", "all", "2 of 10"] in limits
        limits_of_a_number = page.texts('[aria-labelledby="number-title"] li')
        assert "Starts of a number: 2/hour LIMIT_PER_NUMBER" in limits_of_a_number
        standing = show(operator, f"/limits?number={PHONE.replace('+', '%2B')}")
        assert "Starts of a number: 2 of 2/hour, full" in standing.texts("#standing li")
        budget = page.says('[aria-labelledby="budget-title"] p')
        assert budget == f"{harness.settings.guess_budget}."
        assert page.says("#breaker p") == "Starts are let through everywhere."
        assert operator.post("/console/limits", number=PHONE).status_code == 303
        assert harness.post_start().status_code == 202
        assert operator.post("/console/limits", number="me").status_code == 400


def test_opt_outs_are_listed_and_cleared(operator: Operator, harness: Harness) -> None:
    assert show(operator, "/opt-outs").says("#marked > p") == "No number has texted STOP."
    harness.text("STOP")
    (row,) = show(operator, "/opt-outs").rows("#marked table")[1:]
    assert row[:2] == [PHONE, "2026-01-31 12:00:00 UTC"]
    operator.post("/console/opt-outs", number=PHONE)
    assert show(operator, "/opt-outs").says("#marked > p") == "No number has texted STOP."


# -- short polling ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/verifications", "/limits", "/opt-outs", "/webhooks"])
def test_a_page_that_has_not_changed_is_not_sent_again(
    operator: Operator, harness: Harness, path: str
) -> None:
    look = partial(operator.get, "/console" + path)
    version = look().headers["X-Version"]
    response = look(headers={"X-Version": version})
    assert (response.status_code, response.data) == (304, b"")
    harness.start()
    changed = look(headers={"X-Version": version})
    assert changed.status_code == 200
    assert changed.headers["X-Version"] != version


def changed(operator: Operator, path: str, version: str) -> bool:
    response = operator.get(f"/console{path}", headers={"X-Version": version})
    return response.status_code == 200


def test_a_page_notices_what_no_history_tells(operator: Operator, harness: Harness) -> None:
    """No dispatcher runs, one number is forgotten, another opts out."""
    harness.start(OTHER_PHONE)
    harness.start()
    version = operator.get("/console/").headers["X-Version"]
    harness.clock.forward(6)
    assert changed(operator, "/", version), "work is overdue"
    harness.run_once()
    version = operator.get("/console/verifications").headers["X-Version"]
    harness.forget(OTHER_PHONE)
    assert changed(operator, "/verifications", version)
    version = operator.get("/console/opt-outs").headers["X-Version"]
    harness.text("STOP", FRENCH_PHONE)
    assert changed(operator, "/opt-outs", version)


# -- markup shows as text --------------------------------------------------------------------------

MARKUP = '<b onclick="x">"&bold'


def test_markup_shows_as_text(operator: Operator, harness: Harness) -> None:
    id = "<i>id&amp;"
    path = "/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/%3Ci%3Eid&amp;"
    assert harness.call("POST", path, json=PHONE).status_code == 202
    harness.run_once()
    harness.text(MARKUP)
    base = "/runtime/webhooks/durabletask/instances/%3Ci%3Eid&amp;"
    harness.call("POST", f"{base}/raiseEvent/%3Cb%20onclick=%22x%22%3E", json=MARKUP)
    harness.call("POST", f"{base}/suspend", params={"reason": MARKUP})
    harness.call("POST", f"{base}/resume", params={"reason": MARKUP})
    harness.call("POST", f"{base}/terminate", params={"reason": MARKUP})
    for address in ("/verifications/%3Ci%3Eid&amp;", "/verifications", "/"):
        page = operator.get("/console" + address).text
        assert "<b onclick" not in page
        assert "<i>id" not in page
    page = show(operator, "/verifications/%3Ci%3Eid&amp;")
    assert page.fact("Id") == id
    assert len([line for line in page.texts(HISTORY) if '<b onclick="x">' in line]) == 4
    assert MARKUP in page.says(WHY)


def test_every_page_stands_on_both_databases(any_harness: Harness) -> None:
    settle(any_harness)
    operator = Operator(any_harness.app.test_client())
    operator.sign_in()
    page = show(operator, "/?period=30d")
    assert page.facts("#lately .figures")[0] == ("started", "6")
    searches = ["q=0123", "q=4255550123&status=approved", "q=21614&country=US", "q=KP", "q=%00"]
    for path in [
        *(f"/verifications?{query}" for query in searches),
        "/verifications.csv",
        "/verifications.json?q=0123&status=approved",
        f"/limits?number={PHONE.replace('+', '%2B')}",
        "/opt-outs",
        "/ignored",
        "/audit?who=operator&what=signed_in&from=2026-01-01T00:00",
    ]:
        assert operator.get("/console" + path).status_code == 200, path
    first = ids_in(show(operator, "/verifications?q=0123&status=approved"))
    assert len(first) == 3
