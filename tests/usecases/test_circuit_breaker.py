"""Where texts bring no approvals, starts are refused for a while."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import Harness
from tests.harness import harness as open_harness

HERE = [f"+1425555{number:04}" for number in range(200, 300)]
ELSEWHERE = [f"+1206555{number:04}" for number in range(200, 300)]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Harness]:
    with open_harness(
        tmp_path, BREAKER_TEXTS_PER_PREFIX="20", BREAKER_TEXTS_PER_COUNTRY="50"
    ) as harness:
        yield harness


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Harness]:
    """Five texts without an answer open a prefix, and the country as well."""
    with open_harness(
        tmp_path, BREAKER_TEXTS_PER_PREFIX="5", BREAKER_TEXTS_PER_COUNTRY="5"
    ) as harness:
        yield harness


def begin(harness: Harness, phone: str, *, answered: bool = False) -> int:
    response = harness.post_start(phone)
    if response.status_code == 202:
        harness.run_once()
        if answered:
            harness.text(harness.code(phone), phone=phone)
    else:
        assert response.json()["code"] == "breaker_open"
        assert response.headers["Retry-After"] == "60"
    return response.status_code


def pump(harness: Harness, phones: list[str]) -> None:
    """Starts verifications that stay unanswered, and lets them expire."""
    for phone in phones:
        assert begin(harness, phone) == 202
    harness.forward(150)


def test_a_prefix_without_answers_is_open_and_others_are_not(guarded: Harness) -> None:
    pump(guarded, HERE[:20])
    assert begin(guarded, HERE[50]) == 202, "the probe of this minute"
    assert begin(guarded, HERE[51]) == 429
    assert begin(guarded, ELSEWHERE[0]) == 202
    assert guarded.texts(HERE[51]) == []


def test_texts_that_may_still_be_answered_do_not_count(guarded: Harness) -> None:
    for phone in HERE[:40]:
        assert begin(guarded, phone) == 202


def test_answers_keep_it_closed(guarded: Harness) -> None:
    for place, phone in enumerate(HERE[:40]):
        assert begin(guarded, phone, answered=place % 10 == 0) == 202
    guarded.forward(150)
    assert [begin(guarded, phone) for phone in HERE[50:55]] == [202] * 5


def test_pumping_over_many_prefixes_opens_a_country(guarded: Harness) -> None:
    spread = [f"+1425{prefix}0123" for prefix in range(555, 605)]
    pump(guarded, spread)
    assert begin(guarded, ELSEWHERE[0]) == 202, "the probe of this minute"
    assert begin(guarded, ELSEWHERE[1]) == 429
    assert begin(guarded, "+33612345678") == 202


def test_numbers_approved_before_pass(guarded: Harness) -> None:
    known = HERE[90]
    begin(guarded, known, answered=True)
    guarded.forward(20 * 24 * 3600)
    pump(guarded, HERE[:20])
    begin(guarded, HERE[50])
    assert begin(guarded, HERE[51]) == 429
    assert begin(guarded, known) == 202


@pytest.mark.parametrize(("days", "status"), [(29, 202), (31, 429)])
def test_numbers_approved_within_thirty_days_pass(strict: Harness, days: int, status: int) -> None:
    known = HERE[90]
    begin(strict, known, answered=True)
    strict.forward(days * 24 * 3600)
    pump(strict, HERE[:5])
    begin(strict, HERE[50])
    assert begin(strict, known) == status


def test_a_probe_of_a_prefix_is_that_of_its_country_too(strict: Harness) -> None:
    pump(strict, HERE[:5])
    assert begin(strict, HERE[50]) == 202, "the probe of this minute"
    assert begin(strict, ELSEWHERE[0]) == 429
    strict.clock.forward(60)
    assert begin(strict, ELSEWHERE[0]) == 202


def test_a_probe_a_minute_goes_through_and_answered_ones_close_it(guarded: Harness) -> None:
    pump(guarded, HERE[:20])
    assert begin(guarded, HERE[50], answered=True) == 202
    assert begin(guarded, HERE[60]) == 429, "one of twenty is too few"
    guarded.clock.forward(59)
    assert begin(guarded, HERE[60]) == 429
    guarded.clock.forward(1)
    assert begin(guarded, HERE[51], answered=True) == 202
    assert [begin(guarded, phone) for phone in HERE[60:64]] == [202] * 4


def test_it_closes_by_itself_when_the_hour_is_over(guarded: Harness) -> None:
    pump(guarded, HERE[:20])
    begin(guarded, HERE[50])
    assert begin(guarded, HERE[51]) == 429
    guarded.forward(3600)
    assert [begin(guarded, phone) for phone in HERE[60:64]] == [202] * 4


@pytest.mark.parametrize("window", [900, 3600])
def test_texts_count_for_an_hour_however_long_they_may_be_answered(
    tmp_path: Path, window: int
) -> None:
    settings = {"WINDOW_SECONDS": str(window), "BREAKER_TEXTS_PER_PREFIX": "20"}
    with open_harness(tmp_path, **settings) as harness:
        for phone in HERE[:25]:
            assert begin(harness, phone) == 202
        harness.forward(window + 60)
        begin(harness, HERE[50])
        assert begin(harness, HERE[51]) == 429
        harness.restart()
        begin(harness, HERE[52])  # a probe
        assert begin(harness, HERE[53]) == 429
        harness.forward(3700)
        assert [begin(harness, phone) for phone in HERE[60:64]] == [202] * 4


def test_it_knows_of_what_happened_before_a_restart(guarded: Harness, tmp_path: Path) -> None:
    from bot.admission.circuit_breaker import HOUR, CircuitBreaker, Thresholds
    from bot.admission.usage_follower import UsageFollower

    pump(guarded, HERE[:20])
    fresh = CircuitBreaker(Thresholds(), answer_time=guarded.clock.now - guarded.clock.now)
    UsageFollower(guarded.store, longest=HOUR, counters=[fresh.count]).refresh()
    assert [area.name for area in fresh.open_areas(guarded.clock.now)] == ["+1425555"]


def test_probes_do_not_keep_a_circuit_open(guarded: Harness) -> None:
    """A caller that takes every probe and answers none locks others out for an hour at most."""
    pump(guarded, HERE[:20])
    for place in range(61):
        begin(guarded, HERE[20 + place])
        guarded.forward(60)
    assert [begin(guarded, phone) for phone in HERE[90:95]] == [202] * 5


def test_a_start_that_is_refused_otherwise_spends_no_probe(guarded: Harness) -> None:
    pump(guarded, HERE[:20])
    guarded.call("POST", "/orchestrators/E4_SmsPhoneVerification", json=HERE[50])
    guarded.run_once()
    busy = guarded.post_start(HERE[50])
    assert busy.json()["code"] == "number_busy"
    guarded.forward(60)
    assert guarded.post_start(HERE[50]).json()["code"] == "number_busy"
    assert begin(guarded, HERE[51]) == 202


def test_probes_of_another_process_do_not_count_either(guarded: Harness) -> None:
    """Or the probes of several processes would keep an area open for good."""
    from bot.admission.circuit_breaker import HOUR, CircuitBreaker, Thresholds
    from bot.admission.usage_follower import UsageFollower

    pump(guarded, HERE[:20])
    for place in range(25):
        assert begin(guarded, HERE[20 + place]) == 202, "a probe"
        guarded.forward(120)
    guarded.forward(1200)
    other = CircuitBreaker(Thresholds(), answer_time=guarded.clock.now - guarded.clock.now)
    UsageFollower(guarded.store, longest=HOUR, counters=[other.count]).refresh()
    assert other.open_areas(guarded.clock.now) == []


def test_a_probe_counts_against_its_number(tmp_path: Path) -> None:
    with open_harness(
        tmp_path,
        BREAKER_TEXTS_PER_PREFIX="5",
        BREAKER_TEXTS_PER_COUNTRY="50",
        LIMIT_PER_NUMBER="1/day",
    ) as harness:
        pump(harness, HERE[:5])
        assert begin(harness, HERE[50]) == 202
        harness.forward(150)
        assert harness.post_start(HERE[50]).json()["code"] == "limit_reached"
