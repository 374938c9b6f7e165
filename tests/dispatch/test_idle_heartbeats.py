"""Heartbeats at the start of a process and while nothing is pending."""

from datetime import timedelta

import pytest

from bot.store.rows import to_text
from bot.store.tx import Done
from bot.usecases import heartbeat
from tests.dispatch.processes import Process, beat, heartbeats, missed, sent, status
from tests.harness import PHONE, Harness


def newest_beat(harness: Harness) -> str:
    (row,) = harness.store.read(lambda tx: tx.all("SELECT max(beat_at) AS at FROM heartbeat"))
    return str(row["at"])


def test_one_that_stops_while_nothing_is_pending_leaves(
    any_harness: Harness, pair: list[Process]
) -> None:
    for process in pair:
        process.catch_up.heart.beat()
    any_harness.clock.forward(9)
    pair[0].catch_up.heart.leave()
    assert heartbeats(any_harness) == 1, "the other one runs, though it has not written lately"


def test_a_first_heartbeat_that_fails_ends_no_start(
    pair: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("of the database's driver")

    monkeypatch.setattr(pair[0].catch_up.heart, "beat", fail)
    pair[0].catch_up.start()
    pair[0].catch_up.stop(within_seconds=5)


def test_one_that_runs_and_had_nothing_to_write_is_not_taken_for_dead(
    any_harness: Harness, pair: list[Process]
) -> None:
    first, second = pair
    first.catch_up.heart.beat()  # at its start, before the other's
    any_harness.clock.forward(1)
    second.catch_up.start()
    second.catch_up.stop(within_seconds=5)
    sent(any_harness)
    any_harness.clock.forward(5)
    second.catch_up.heart.beat()
    assert heartbeats(any_harness) == 2, "it may have been halted since then, with a reply"


def test_after_a_stop_and_a_start_twilios_list_is_read_once_more(
    any_harness: Harness, pair: list[Process]
) -> None:
    """The last one has judged all that reached it; of what came in between, the list may show some
    only after the next one has started."""
    first, second = pair
    id = sent(any_harness)
    first.catch_up.start()
    first.catch_up.stop(within_seconds=5)
    any_harness.clock.forward(1)
    second.catch_up.start()
    second.catch_up.stop(within_seconds=5)
    missed(any_harness)
    beat(any_harness, second, seconds=92)
    assert second.expire() == 0
    assert second.catch_up.run_once()
    assert status(any_harness, id) == "approved"
    id = sent(any_harness)
    beat(any_harness, second, seconds=92)
    assert second.catch_up.heart.silent == 0
    assert second.expire() == 1


@pytest.mark.parametrize(("ahead", "rows"), [(0.5, 1), (2.9, 1), (4.0, 2)])
def test_one_whose_neighbour_has_another_clock_leaves(
    any_harness: Harness, pair: list[Process], ahead: float, rows: int
) -> None:
    """A row from the future says nothing: its process may be gone."""
    for process in pair:
        process.catch_up.heart.beat()
    neighbour = pair[1].catch_up.heart.process
    at = to_text(any_harness.store.now() + timedelta(seconds=ahead))
    sql = "UPDATE heartbeat SET beat_at = :at WHERE process = :process"
    any_harness.store.write(lambda tx: Done(tx.run(sql, at=at, process=neighbour)))
    pair[0].catch_up.heart.leave()
    assert heartbeats(any_harness) == rows


def test_little_is_written_while_nothing_is_pending(
    any_harness: Harness, pair: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = pair[0].catch_up.heart
    beats = []
    for is_long_ago in (True, False, True, False):
        monkeypatch.setattr(heartbeat, "IDLE_SECONDS", 0.0 if is_long_ago else 1000.0)
        any_harness.clock.forward(1)
        writer.beat()
        assert heartbeats(any_harness) == 1, "the others know of it from its start on"
        beats.append(newest_beat(any_harness))
    assert beats[0] == beats[1] < beats[2] == beats[3]
    any_harness.start(PHONE)
    any_harness.clock.forward(1)
    writer.beat()
    assert newest_beat(any_harness) > beats[3]


def test_a_process_that_is_gone_before_anything_was_pending_is_waited_for(
    any_harness: Harness, pair: list[Process]
) -> None:
    for process in pair:
        process.catch_up.heart.beat()  # at its start
    id = sent(any_harness)
    missed(any_harness)
    beat(any_harness, pair[0], seconds=92)
    assert pair[0].expire() == 0
    assert pair[0].catch_up.run_once()
    assert status(any_harness, id) == "approved"
