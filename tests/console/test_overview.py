"""The overview shows what is pending, what is wrong, and the figures of a period."""

from functools import partial

import pytest

from bot.store import hourly_counts
from bot.store.tx import Done
from bot.usecases import overview
from simulator import faults
from tests.console.conftest import Operator
from tests.console.page import Page
from tests.console.pages import OTHER_PHONE, settle, show
from tests.harness import PHONE, Harness


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
    indicators = page.texts("#state .indicators .good")
    assert "Nothing is overdue." in indicators
    assert "Twilio accepts our credentials." in indicators


def test_the_overview_says_when_work_is_overdue(operator: Operator, harness: Harness) -> None:
    harness.start()
    harness.clock.forward(6)
    indicator = show(operator, "/").says("#state .indicators .bad")
    assert "no dispatcher runs, or it is stuck" in indicator


def test_the_overview_says_when_twilio_does_not_know_us(
    operator: Operator, harness: Harness
) -> None:
    harness.simulator.faults.add(faults.REFUSE, code=20003)
    harness.start_and_send()
    indicator = show(operator, "/").says("#state .indicators .bad")
    assert indicator.startswith("Twilio does not accept these credentials.")


# -- figures ---------------------------------------------------------------------------------------


def test_today_in_figures(operator: Operator, harness: Harness) -> None:
    settle(harness)
    page = show(operator, "/")
    assert page.facts("#lately .counts") == [
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
        link = page.one(f"#lately .counts .{status} a")
        assert len(Page(operator.get(str(link["href"]))).all("#found tbody tr")) == count
    error = page.one('[aria-label="By error"] a')
    assert len(Page(operator.get(str(error["href"]))).all("#found tbody tr")) == 1
    country = page.one('[aria-label="By country"] a[href*="FR"]')
    assert len(Page(operator.get(str(country["href"]))).all("#found tbody tr")) == 1


def test_each_figure_explains_itself(operator: Operator) -> None:
    page = show(operator, "/")
    labels = page.all("#lately .counts abbr")
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
    assert page.facts("#lately .counts")[0] == ("started", "6")
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


def test_an_error_that_textback_does_not_know_is_told_as_such(
    operator: Operator, harness: Harness
) -> None:
    harness.simulator.faults.add(faults.REFUSE, code=99998)
    harness.start_and_send()
    said = show(operator, "/").says("[aria-label='By error']")
    assert "99998" in said
    assert "Not one that Textback knows" in said
    assert "None" not in said
