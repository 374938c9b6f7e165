"""Clocks that were wrong, locks of others, free text, reports that lie, repeated guesses."""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import create_app
from tests.builders import wrong_code
from tests.desk import INSTANCES, PHONE, SYSTEM_KEY, Desk
from tests.desk import desk as open_desk
from tests.processes.service import Service, until

OTHER = "+14255550177"
DAY = 86_400


def metric(desk: Desk, name: str) -> float:
    text = desk.call("GET", "/metrics", headers={"Authorization": f"Bearer {SYSTEM_KEY}"}).text
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


@pytest.fixture
def once_ahead(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    """One verification while the clock was a day ahead; then it was set right."""
    with open_desk(
        tmp_path, DATABASE_URL=database_url, WINDOW_SECONDS="10", LIMIT_PER_NUMBER="2/minute"
    ) as desk:
        desk.clock.now += timedelta(days=1)
        desk.start_and_send(OTHER)
        desk.text(desk.code(OTHER), OTHER)
        desk.clock.now -= timedelta(days=1)
        desk.verifications.load()
        yield desk


# -- 1. a clock that was once ahead ----------------------------------------------------------------


def test_the_window_closes_all_the_same(once_ahead: Desk) -> None:
    id = once_ahead.start_and_send()["id"]
    once_ahead.forward(25)
    once_ahead.text(once_ahead.code())
    assert once_ahead.status(id)["customStatus"]["status"] == "expired"


def test_a_code_in_time_is_approved_all_the_same(once_ahead: Desk) -> None:
    id = once_ahead.start_and_send()["id"]
    once_ahead.forward(9)
    once_ahead.text(once_ahead.code())
    assert once_ahead.status(id)["output"] is True


def test_so_it_is_after_a_restart(once_ahead: Desk) -> None:
    """Time goes on from the newest instant that is stored."""
    id = once_ahead.start_and_send()["id"]
    app = create_app(once_ahead.settings, clock=once_ahead.clock, database_clock=once_ahead.clock)
    again = app.extensions["verifications"]
    once_ahead.clock.forward(25)
    app.extensions["dispatcher"].run_once()
    assert again.find(id).status == "expired"
    again.store.close()


def test_limits_roll(once_ahead: Desk) -> None:
    for _ in range(2):
        once_ahead.start_and_send()
    assert once_ahead.post_start().status_code == 429
    once_ahead.forward(61)
    assert once_ahead.post_start().status_code == 202


def test_a_postponed_text_is_tried_again(once_ahead: Desk) -> None:
    once_ahead.simulator.faults.add("refuse", code=20429)
    once_ahead.start_and_send()
    assert once_ahead.texts() == []
    once_ahead.forward(5)
    assert len(once_ahead.texts()) == 1


def test_an_unknown_text_is_found_by_its_age(once_ahead: Desk) -> None:
    """Twilio's stamps are right, ours a day ahead: what is the same is how long ago it was."""
    once_ahead.simulator.faults.add("error_after")
    id = once_ahead.start_and_send()["id"]
    assert len(once_ahead.texts()) == 1
    assert once_ahead.status(id)["runtimeStatus"] == "Running"


def test_a_missed_reply_is_judged_by_its_age(once_ahead: Desk) -> None:
    id = once_ahead.start_and_send()["id"]
    once_ahead.simulator.faults.add("webhook_never")
    once_ahead.clock.forward(5)
    once_ahead.text(once_ahead.code())
    once_ahead.clock.forward(60)
    once_ahead.verifications.store.outages.ended += 1
    once_ahead.run_once()
    assert once_ahead.status(id)["output"] is True


def test_an_operator_hears_of_it(once_ahead: Desk, caplog: pytest.LogCaptureFixture) -> None:
    ready = once_ahead.call("GET", "/readyz")
    assert ready.status_code == 503
    assert "clock" in ready.json()["reasons"]
    assert metric(once_ahead, "textback_clock_ahead_seconds") == DAY
    with caplog.at_level(logging.ERROR):
        once_ahead.dispatcher.sweep()
    assert "stored time is 86400 s ahead of the clock" in caplog.text


def test_nothing_is_removed_meanwhile(once_ahead: Desk) -> None:
    for _ in range(40):
        once_ahead.clock.forward(DAY)
        once_ahead.dispatcher.sweep()
    assert once_ahead.verifications.newest(10)


def test_the_way_out(once_ahead: Desk) -> None:
    """`flask clock reset`, with everything stopped and nothing pending."""
    runner = once_ahead.app.test_cli_runner()
    id = once_ahead.start_and_send()["id"]
    refused = runner.invoke(args=["clock", "reset"])
    assert refused.exit_code == 1
    assert "pending" in refused.output
    once_ahead.forward(11)
    told = runner.invoke(args=["clock", "reset"])
    assert told.exit_code == 0, told.output
    app = create_app(once_ahead.settings, clock=once_ahead.clock, database_clock=once_ahead.clock)
    store = app.extensions["verifications"].store
    assert store.read(lambda tx: tx.now) == once_ahead.clock.now
    ended = app.extensions["verifications"].find(id)
    assert ended.outcome.at <= once_ahead.clock.now
    assert ended.created_at < ended.deadline_at == ended.outcome.at
    assert app.extensions["verifications"].faults() == []
    store.close()


# -- 2. a lock that somebody else holds ------------------------------------------------------------


def test_a_webhook_that_meets_a_lock_is_answered_within_its_time(tmp_path: Path) -> None:
    service = Service(tmp_path, WINDOW_SECONDS="20")
    try:
        service.start()
        id = service.begin(PHONE)
        until(lambda: service.status(id)["runtimeStatus"] == "Running")
        other = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        number = service.simulator.world.number
        service.simulator.world.configure_number(
            sms_url=number.sms_url.partition("#")[0], sms_method=None
        )
        text = service.texts(PHONE)[-1]
        answer = service.simulator.webhooks.receive(PHONE, text.partition("code is ")[2][:4])
        assert answer.status == 503, "Twilio does not repeat this one"
        assert 3 < time.monotonic() - began < 5
        assert service.is_ready(), "what needs no lock is answered"
        other.execute("ROLLBACK")
        other.close()
        # Twilio's list has the reply: it is read by itself, without a restart, before the deadline.
        until(lambda: service.status(id)["output"] is True, 8)
    finally:
        service.close()


def test_expiry_waits_for_what_was_missed(tmp_path: Path) -> None:
    """The lock outlasts the window; the reply came inside it."""
    service = Service(tmp_path, WINDOW_SECONDS="10")
    try:
        service.start()
        id = service.begin(PHONE)
        until(lambda: service.status(id)["runtimeStatus"] == "Running")
        other = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        service.simulator.faults.add("webhook_never")
        text = service.texts(PHONE)[-1]
        service.simulator.webhooks.receive(PHONE, text.partition("code is ")[2][:4])
        time.sleep(11)
        other.execute("ROLLBACK")
        other.close()
        until(lambda: service.status(id)["output"] is not None, 8)
        assert service.status(id)["output"] is True
    finally:
        service.close()


# -- 3. free text decides nothing ------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["opted_out", "superseded by me", "true", "key_retired"])
def test_a_reason_is_text_and_nothing_else(desk: Desk, reason: str) -> None:
    first = desk.start_and_send()
    older = desk.code()
    link = first["terminatePostUri"].replace("{text}", reason)
    assert desk.http.post(link).status_code == 202
    status = desk.status(first["id"])
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", reason)
    assert status["customStatus"]["cause"] == "terminated"
    page = desk.app.extensions["verifications"].view(first["id"])
    from bot.faces.console import why

    said = why.why(page, desk.clock.now)
    assert said.startswith("Somebody canceled it")
    second = desk.start_and_send()
    if older != desk.code():
        desk.text(older)
        used = desk.status(second["id"])["customStatus"]["attemptsUsed"]
        assert used == 1, "the older code is a wrong one: nothing superseded its verification"


def test_every_cause_is_told(desk: Desk) -> None:
    def cause(id: str) -> str:
        return desk.status(id)["customStatus"]["cause"]

    approved = desk.start_and_send()["id"]
    assert cause(approved) is None
    desk.text(desk.code())
    assert cause(approved) == "answered"
    first, second = desk.start_and_send()["id"], desk.start_and_send()["id"]
    assert cause(first) == "superseded"
    desk.text("STOP")
    assert cause(second) == "opted_out"
    desk.text("START")
    expired = desk.start_and_send()["id"]
    desk.forward(90)
    assert cause(expired) == "window_over"
    used = desk.start_and_send()["id"]
    for _ in range(4):
        desk.text(desk.wrong())
    assert cause(used) == "attempts_used"
    desk.simulator.faults.add("refuse", code=21211)
    assert cause(desk.start_and_send()["id"]) == "send_refused"
    given_up = desk.start()["id"]
    desk.forward(60)
    assert cause(given_up) == "send_given_up"


# -- 5. and 6. repeated guesses, and what is left --------------------------------------------------


def test_the_same_wrong_reply_again_is_no_further_attempt(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    wrong, other = wrong_code(desk.code()), wrong_code(desk.code(), 2)
    for body in (wrong, wrong, f" {wrong}. ", " ".join(wrong)):
        desk.text(body)
    desk.answer(id, wrong)
    assert desk.status(id)["customStatus"]["attemptsUsed"] == 1
    assert len(set(desk.answers())) == 1
    desk.text(other)
    desk.text(wrong)  # not directly after itself
    assert desk.status(id)["customStatus"]["attemptsUsed"] == 3
    assert desk.history(id).count("repeated_answer") == 4


def test_no_guess_is_kept(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    desk.text(desk.wrong())
    row = desk.verifications.store.read(
        lambda tx: tx.one("SELECT last_guess FROM verification WHERE id = :id", id=id)
    )
    assert len(row["last_guess"]) == 16
    assert not row["last_guess"].isdigit() or len(row["last_guess"]) != 4


def test_tries_left_are_what_the_numbers_bound_leaves(tmp_path: Path) -> None:
    with open_desk(tmp_path, LIMIT_WRONG_PER_NUMBER="2/day") as desk:
        id = desk.start_and_send()["id"]
        assert desk.status(id)["customStatus"]["attemptsLeft"] == 2
        desk.text(desk.wrong())
        assert "1 try left" in desk.answers()[-1]
        assert desk.status(id)["customStatus"]["attemptsLeft"] == 1
        desk.text(desk.wrong())
        assert "no tries are left" in desk.answers()[-1]
        custom = desk.status(id)["customStatus"]
        assert (custom["status"], custom["attemptsLeft"]) == ("max_attempts_reached", 0)


def test_lifting_the_limits_lifts_what_is_left_too(tmp_path: Path) -> None:
    with open_desk(tmp_path, LIMIT_WRONG_PER_NUMBER="3/day") as desk:
        desk.start_and_send()
        desk.text(desk.wrong())
        desk.text(desk.wrong())
        id = desk.start_and_send()["id"]
        assert desk.status(id)["customStatus"]["attemptsLeft"] == 1
        desk.verifications.clear_limits(PHONE)
        assert desk.status(id)["customStatus"]["attemptsLeft"] == 3


def test_suspending_a_thousand_times_leaves_a_bounded_history(desk: Desk) -> None:
    links = desk.start_and_send()
    for _ in range(150):
        desk.call("POST", f"{INSTANCES}/{links['id']}/suspend", params={"reason": "x" * 3000})
        desk.call("POST", f"{INSTANCES}/{links['id']}/resume")
    desk.text(desk.code())
    shown = desk.call("GET", f"{INSTANCES}/{links['id']}?showHistory=true")
    assert shown.json()["output"] is True
    assert len(shown.content) < 100_000


def test_a_later_text_expires_nothing_before_what_was_missed_is_read(desk: Desk) -> None:
    """The right reply was lost in an outage; people text again."""
    id = desk.start_and_send()["id"]
    desk.clock.forward(20)
    desk.simulator.faults.add("webhook_never")
    desk.text(desk.code())
    desk.clock.forward(75)
    desk.verifications.store.outages.ended += 1
    assert desk.text("hello?").status == 503
    assert desk.answer(id, "0000").status_code == 503
    desk.run_once()
    assert desk.status(id)["output"] is True


def test_a_write_waits_four_seconds_though_it_waited_behind_another(tmp_path: Path) -> None:
    """Its patience is its own: leading the writers after waiting for them begins no new one."""
    from bot.store.opening import open_store
    from bot.store.tx import Done, StoreUnavailable

    store = open_store(f"sqlite:///{tmp_path}/textback.db", connections=1)
    other = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waited: list[float] = []

    def write() -> None:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.write(lambda tx: Done(tx.run("DELETE FROM erasure")))
        waited.append(time.monotonic() - began)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
        time.sleep(0.3)
    for thread in threads:
        thread.join()
    assert len(waited) == 3
    assert max(waited) < 4.5
    other.execute("ROLLBACK")
    assert store.write(lambda tx: Done(tx.run("DELETE FROM erasure"))) == 0
    assert store.outages.ended == 1
    other.close()
    store.close()


def test_a_full_disk_is_an_outage_too(tmp_path: Path) -> None:
    from bot.store.sqlite import SqliteStore
    from bot.store.tx import Done, StoreUnavailable

    now = [0.0]
    store = SqliteStore(tmp_path / "textback.db", clock=lambda: datetime.now(UTC))
    store.outages._clock = lambda: now[0]
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count={pages}")

    def fill(tx) -> Done[None]:
        for number in range(2000):
            tx.run(
                "INSERT INTO erasure (sid, due_at) VALUES (:sid, :at)",
                sid=f"{number:0400}",
                at="2026-01-01T00:00:00.000000Z",
            )
        return Done(None)

    with pytest.raises(StoreUnavailable):
        store.write(fill)
    now[0] += 3
    store._writer.execute("PRAGMA max_page_count=100000")
    store.write(fill)
    assert store.outages.ended == 1
    store.close()


def test_repeats_leave_answers_for_what_comes(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    wrong = wrong_code(desk.code())
    for _ in range(10):
        desk.text(wrong)
    desk.text(desk.code())
    assert desk.status(id)["output"] is True
    assert desk.answers()[-1] == "Thank you, this number is verified."
