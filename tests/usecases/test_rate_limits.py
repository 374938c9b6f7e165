"""Rate limits end with their window, hold over processes and restarts, and cost little."""

import contextlib
import time
from datetime import UTC, datetime, timedelta

import pytest

from bot.admission.admission import Admission
from bot.admission.rate_limits import RateLimits
from bot.admission.usage_follower import UsageFollower
from bot.domain.errors import LimitReached
from bot.domain.limits import Limit, LimitName
from bot.store import hourly_counts
from bot.store.opening import open_store
from bot.store.rows import to_text
from bot.store.sqlite import SqliteStore
from bot.store.tx import Done, Store, Tx
from bot.usecases.start import start
from tests.builders import RULES
from tests.builders import start as start_of
from tests.databases import database_in
from tests.harness import FUNCTION_KEY, PHONE, SYSTEM_KEY, Harness
from tests.harness import harness as open_harness
from tests.usecases.refusals import refused


def test_a_rate_limit_ends_with_its_window(tmp_path) -> None:
    numbers = [f"+1425555{place:04}" for place in range(200, 206)]
    with open_harness(tmp_path, LIMIT_TOTAL="2/minute") as harness:
        for number in numbers[:2]:
            harness.start_and_send(number)
        harness.clock.forward(59)
        assert refused(harness.post_start(numbers[2]))["after"] <= 2
        harness.clock.forward(2)
        harness.start(numbers[3])


def test_the_wait_is_that_of_the_country_itself(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_PER_COUNTRY="2/hour") as harness:
        harness.start_and_send("+14255550201")
        harness.clock.forward(1800)
        for number in ("+33612345601", "+33612345602"):
            harness.start_and_send(number)
        wait = refused(harness.post_start("+33612345603"))["after"]
        assert wait > 3500
        harness.clock.forward(wait)
        harness.start_and_send("+33612345603")


@pytest.mark.parametrize(
    ("setting", "numbers"),
    [
        ("LIMIT_PER_COUNTRY", ["+14255550201", "+14255550202", "+14255550203"]),
        ("LIMIT_PER_KEY", ["+14255550201", "+33612345678", "+14255550203"]),
        ("LIMIT_TOTAL", ["+14255550201", "+33612345678", "+4915112345678"]),
    ],
)
def test_rate_limits_hold(tmp_path, setting: str, numbers: list[str]) -> None:
    with open_harness(tmp_path, **{setting: "2/hour"}) as harness:
        for number in numbers[:2]:
            harness.start(number)
        told = refused(harness.post_start(numbers[2]))
        assert told["limit"] == f"{setting}=2/hour"
        if setting == "LIMIT_PER_COUNTRY":
            harness.start("+33612345678")
        if setting == "LIMIT_PER_KEY":
            harness.start(numbers[2], key=SYSTEM_KEY)
        harness.forward(3660)
        harness.start(numbers[2], key=FUNCTION_KEY)


def test_rate_limits_know_of_starts_before_a_restart_and_elsewhere(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_TOTAL="2/hour") as harness:
        harness.start("+14255550201")
        harness.start("+14255550202")
        limits = (Limit(LimitName.TOTAL, 2, 3600),)
        other = open_store(database_in(tmp_path), connections=2, clock=harness.clock)
        rate_limits = RateLimits(limits)
        UsageFollower(other, longest=rate_limits.longest, counters=[rate_limits.count]).refresh()
        assert rate_limits.hit(country="US", started_by="x", now=harness.clock.now) is not None
        other.close()


@pytest.mark.parametrize("name", [LimitName.TOTAL, LimitName.PER_COUNTRY, LimitName.PER_KEY])
def test_starts_that_share_one_read_keep_the_limit(any_store: Store, name: LimitName) -> None:
    """Each was judged by the sums of that read, so all of a burst passed."""
    admissions = [admission_with(any_store, Limit(name, 5, 3600)) for _ in range(2)]
    for admission in admissions:  # of two processes
        admission.require_counted()
    passed = 0
    for place in range(20):
        wanted = start_of(id=f"id-{place}", phone=f"+1425555{place + 1000}")
        with contextlib.suppress(LimitReached):
            any_store.write(start, wanted, RULES, admissions[place % 2])
            passed += 1
    assert passed == 5


def admission_with(store: Store, limit: Limit) -> Admission:
    limits = RateLimits((limit,))
    follower = UsageFollower(store, longest=limits.longest, counters=[limits.count])
    return Admission(rate_limits=limits, follower=follower)


def begin_32(path: str) -> list[str]:
    """In a process of its own: thirty-two starts of one number at once."""
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from tests.harness import HandClock

    store = SqliteStore(Path(path), clock=HandClock())
    admission = Admission(starts_per_number=(Limit(LimitName.PER_NUMBER, 5, 600),))

    def begin(_: int) -> str:
        try:
            store.write(start, start_of(), RULES, admission)
        except LimitReached:
            return "refused"
        return "started"

    with ThreadPoolExecutor(32) as pool:
        outcomes = list(pool.map(begin, range(32)))
    store.close()
    return outcomes


def test_64_starts_at_once_over_two_processes_keep_the_limit(tmp_path) -> None:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    path = str(tmp_path / "textback.db")
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imports are most of a process
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        outcomes = [word for words in pool.map(begin_32, [path, path]) for word in words]
    assert (outcomes.count("started"), outcomes.count("refused")) == (5, 59)


def test_rate_limits_count_on_after_the_newest_usage_was_cleared(tmp_path) -> None:
    with open_harness(tmp_path, LIMIT_TOTAL="3/hour") as harness:
        harness.start("+14255550201")
        harness.start("+14255550202")
        harness.service.admission.refresh()
        harness.clear_limits("+14255550202")
        harness.start("+14255550203")
        refused(harness.post_start("+14255550204"))
        assert harness.clear_limits("+14255550203") == 1


def test_a_number_that_is_verified_every_minute_costs_no_more(harness: Harness) -> None:
    """4,320 approved starts took six seconds when each was compared with each."""
    harness.restart(LIMIT_PER_NUMBER="5/10 minutes; 10/day; 100/30 days")
    now = harness.clock.now
    sql = """
        INSERT INTO usage (kind, phone, country, started_by, verification_id, at)
        VALUES (:kind, :phone, 'US', 'default', :run, :at)
    """

    def insert(tx: Tx, first: int) -> Done[None]:
        for number in range(first, first + 432):
            at = to_text(now - timedelta(minutes=10 * number))
            for kind in ("start", "approval"):
                tx.run(sql, kind=kind, phone=PHONE, run=f"run-{number}", at=at)
        return Done(None)

    for first in range(0, 4_320, 432):
        harness.store.write(insert, first)
    began = time.process_time()
    harness.start()
    assert time.process_time() - began < 1


def test_ids_of_many_removed_verifications_are_not_looked_up_among_each_other(
    harness: Harness,
) -> None:
    """40,000 ids took a quarter of a minute."""
    ids = [f"id-{number}" for number in range(10_000)]
    began = time.process_time()
    harness.store.write(lambda tx: Done(hourly_counts.count_removed(tx, ids)))
    assert time.process_time() - began < 0.5


def test_starts_that_no_read_has_seen_yet_leave_a_short_window_too() -> None:
    """On PostgreSQL a transaction of another program hides them for half a minute."""
    limits = RateLimits([Limit(LimitName.TOTAL, 2, 5), Limit(LimitName.TOTAL, 3, 60)])
    now = datetime(2026, 12, 1, tzinfo=UTC)
    ahead = [("US", "default", to_text(now - timedelta(seconds=age)), 1) for age in (20, 3)]
    assert limits.hit(country="US", started_by="default", now=now, ahead=ahead) is None
    ahead.append(("US", "default", to_text(now), 1))
    assert limits.hit(country="US", started_by="default", now=now, ahead=ahead)
