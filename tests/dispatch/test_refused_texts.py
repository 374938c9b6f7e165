"""What else goes on while the database refuses a text, a heartbeat or an ignored text."""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator import faults
from tests.dispatch.processes import Process, heartbeats, missed, sent, status
from tests.harness import Harness

OTHER = "+14255550177"

Refuse = Callable[..., None]


@pytest.fixture
def refuse(sqlite_harness: Harness, tmp_path: Path) -> Refuse:
    """Refuses what a trigger on such an event meets."""

    def refuse(event: str, *, is_over: bool = False) -> None:
        create = f"CREATE TRIGGER refuses BEFORE {event} BEGIN SELECT RAISE(ABORT, 'no'); END"
        other = sqlite3.connect(tmp_path / "textback.db")
        other.execute("DROP TRIGGER refuses" if is_over else create)
        other.close()

    return refuse


@pytest.fixture
def any_harness(sqlite_harness: Harness) -> Harness:
    """The processes of `pair` work on this one."""
    return sqlite_harness


def test_a_halt_beside_a_refused_reply_is_waited_for(
    any_harness: Harness, pair: list[Process], refuse: Refuse
) -> None:
    process = pair[0]
    process.catch_up.run_once()
    answered = sent(any_harness)
    any_harness.clock.forward(50)
    process.catch_up.run_once()
    refused = sent(any_harness, OTHER)
    refuse(f"UPDATE ON verification WHEN OLD.id = '{refused}' AND NEW.status = 'approved'")
    assert any_harness.text(any_harness.code(OTHER), OTHER).status == 503
    process.store.outages.interrupted()
    for _ in range(15):
        any_harness.clock.forward(1)
        process.catch_up.run_once()
    missed(any_harness)
    any_harness.clock.forward(40)
    process.store.outages.interrupted()  # it was halted
    assert process.expire() == 0
    process.catch_up.run_once()
    assert (status(any_harness, answered), status(any_harness, refused)) == ("approved", "pending")
    refuse("", is_over=True)
    process.catch_up.run_once()
    assert status(any_harness, refused) == "approved"


def test_a_refused_heartbeat_is_told_once_and_holds_up_no_text(
    any_harness: Harness,
    pair: list[Process],
    refuse: Refuse,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pair[0].catch_up.heart.beat()
    sent(any_harness)
    any_harness.clock.forward(91)  # it is due, and waits for the silent one
    refuse("INSERT ON heartbeat")
    any_harness.simulator.faults.add(faults.LIST_ERROR, times=100)
    any_harness.start(OTHER)
    with caplog.at_level(logging.WARNING, "bot.dispatch.heartbeat"):
        for _ in range(4):
            any_harness.dispatcher.turn()
    assert sum("no heartbeat can be written" in line for line in caplog.messages) == 1


def test_a_refused_leave_ends_no_shutdown(
    any_harness: Harness, pair: list[Process], refuse: Refuse, caplog: pytest.LogCaptureFixture
) -> None:
    for process in pair:
        process.catch_up.start()
    refuse("DELETE ON heartbeat")
    for process in pair:
        process.catch_up.stop(within_seconds=5)
    assert heartbeats(any_harness) == 2
    assert "the other processes wait for this one" in caplog.text


def test_a_refused_text_that_is_ignored_keeps_no_reply_from_being_read(
    any_harness: Harness, pair: list[Process], refuse: Refuse
) -> None:
    id = sent(any_harness)
    refuse("INSERT ON inbound WHEN NEW.answer IS NULL AND NEW.ignored IS NOT NULL")
    any_harness.simulator.faults.add(faults.WEBHOOK_NEVER, times=2)
    any_harness.text("hello", "whatsapp:+14255550100")
    any_harness.text(any_harness.code())
    pair[0].store.outages.interrupted()
    assert pair[0].catch_up.run_once()
    assert status(any_harness, id) == "approved"
