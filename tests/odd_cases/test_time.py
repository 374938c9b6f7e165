"""Clocks that were wrong, locks of others, free text, reports that lie, repeated guesses."""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.dispatch import catch_up, expire
from bot.dispatch.sweep import Sweeper
from bot.store import erasures, overlong, verifications
from bot.store.opening import open_store
from bot.store.rows import to_text
from bot.store.tx import Done, StoreUnavailable
from bot.usecases import notify, readiness
from bot.usecases.repair import begin_anew
from bot.webhooks.client import LONGEST_RETRY_AFTER_SECONDS
from simulator import faults
from simulator.receiver import Behaviour
from tests.builders import wrong_code
from tests.harness import (
    INSTANCES,
    PHONE,
    RECEIVER,
    SYSTEM_KEY,
    WEBHOOK_SECRET,
    Harness,
    bytes_in,
)
from tests.harness import harness as open_harness
from tests.postgres import Server, ask
from tests.processes.service import Service, until

OTHER = "+14255550177"
DAY = 86_400


def metric(harness: Harness, name: str) -> float:
    text = harness.call("GET", "/metrics", headers={"Authorization": f"Bearer {SYSTEM_KEY}"}).text
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


@pytest.fixture
def once_ahead(tmp_path: Path, database_url: str) -> Iterator[Harness]:
    """One verification while the clock was a day ahead; then it was set right."""
    with open_harness(
        tmp_path, DATABASE_URL=database_url, WINDOW_SECONDS="10", LIMIT_PER_NUMBER="2/minute"
    ) as harness:
        harness.clock.now += timedelta(days=1)
        harness.start_and_send(OTHER)
        harness.text(harness.code(OTHER), OTHER)
        harness.clock.now -= timedelta(days=1)
        harness.load()
        yield harness


def catch_up_after_start(harness: Harness) -> None:
    service = harness.service
    uncounted = service.store.steady.uncounted
    catch_up.read_missed(service.store, service.gateway, service.rules, uncounted=uncounted)


# -- 1. a clock that was once ahead ----------------------------------------------------------------


def test_the_window_closes_while_stored_time_is_ahead(once_ahead: Harness) -> None:
    id = once_ahead.start_and_send()["id"]
    once_ahead.forward(25)
    once_ahead.text(once_ahead.code())
    assert once_ahead.status(id)["customStatus"]["status"] == "expired"


def test_a_code_is_approved_while_stored_time_is_ahead(once_ahead: Harness) -> None:
    id = once_ahead.start_and_send()["id"]
    once_ahead.forward(9)
    once_ahead.text(once_ahead.code())
    assert once_ahead.status(id)["output"] is True


def test_the_window_closes_after_a_restart_too(once_ahead: Harness) -> None:
    """Time goes on from the newest instant that is stored."""
    id = once_ahead.start_and_send()["id"]
    once_ahead.restart()
    once_ahead.forward(25)
    assert once_ahead.find(id).status == "expired"


def test_limits_recover_while_stored_time_is_ahead(once_ahead: Harness) -> None:
    for _ in range(2):
        once_ahead.start_and_send()
    assert once_ahead.post_start().status_code == 429
    once_ahead.forward(61)
    assert once_ahead.post_start().status_code == 202


def test_a_postponed_text_is_tried_again(once_ahead: Harness) -> None:
    once_ahead.simulator.faults.add("refuse", code=20429)
    once_ahead.start_and_send()
    assert once_ahead.texts() == []
    once_ahead.forward(5)
    assert len(once_ahead.texts()) == 1


def test_an_unknown_text_is_found_by_its_age(once_ahead: Harness) -> None:
    """Twilio's timestamps are right and ours a day ahead, so texts are compared by their age."""
    once_ahead.simulator.faults.add("error_after")
    id = once_ahead.start_and_send()["id"]
    assert len(once_ahead.texts()) == 1
    assert once_ahead.status(id)["runtimeStatus"] == "Running"


def test_a_missed_reply_is_judged_by_its_age(once_ahead: Harness) -> None:
    id = once_ahead.start_and_send()["id"]
    once_ahead.simulator.faults.add("webhook_never")
    once_ahead.clock.forward(5)
    once_ahead.text(once_ahead.code())
    once_ahead.clock.forward(60)
    once_ahead.store.outages.ended += 1
    once_ahead.run_once()
    assert once_ahead.status(id)["output"] is True


def test_an_operator_hears_of_it(once_ahead: Harness, caplog: pytest.LogCaptureFixture) -> None:
    ready = once_ahead.call("GET", "/readyz")
    assert ready.status_code == 503
    assert "clock" in ready.json()["reasons"]
    assert metric(once_ahead, "textback_clock_ahead_seconds") == DAY
    with caplog.at_level(logging.ERROR):
        once_ahead.dispatcher.sweep()
    assert "stored time is 86400 s ahead of the clock" in caplog.text


def test_nothing_is_removed_while_stored_time_is_ahead(once_ahead: Harness) -> None:
    for _ in range(40):
        once_ahead.clock.forward(DAY)
        once_ahead.dispatcher.sweep()
    assert once_ahead.newest(10)


def test_a_clock_that_jumps_during_a_sweep_removes_nothing(any_harness: Harness) -> None:
    """The first to read the time after the jump is the transaction that removes."""
    clock, seconds = any_harness.clock, [0.0]
    id = any_harness.start_and_send()["id"]
    any_harness.text(any_harness.code())
    store = open_store(
        any_harness.settings.database_url,
        connections=2,
        clock=clock,
        monotonic=lambda: seconds[0],
    )
    kept = timedelta(days=30)
    Sweeper(store, kept=kept).run_once()
    clock.forward(DAY)
    seconds[0] += DAY
    sweeper = Sweeper(store, kept=kept)
    assert sweeper.run_once() > 0
    clock.forward(90 * DAY)
    while sweeper.run_once():
        pass
    assert store.read(verifications.load, id) is not None
    store.close()


def test_clock_reset_takes_stored_time_back(once_ahead: Harness) -> None:
    """`flask clock reset`, with everything stopped and nothing pending."""
    id = once_ahead.start_and_send()["id"]
    refused = once_ahead.flask("clock", "reset")
    assert refused.exit_code == 1
    assert "pending" in refused.output
    once_ahead.forward(11)
    told = once_ahead.flask("clock", "reset")
    assert told.exit_code == 0, told.output
    once_ahead.restart()
    assert once_ahead.store.read(lambda tx: tx.now) == once_ahead.clock.now
    ended = once_ahead.find(id)
    assert ended.outcome.at <= once_ahead.clock.now
    assert ended.created_at < ended.deadline_at == ended.outcome.at
    assert readiness.check(once_ahead.store, once_ahead.service.rules.from_address).faults == []


def test_where_nothing_is_ahead_nothing_is_taken_back(told: Harness) -> None:
    """In particular, not the next try of an event."""
    told.simulator.receiver.behaviour = Behaviour.FAIL
    told.start_and_send()
    told.text(told.code())
    told.run_once()

    def due() -> list[str]:
        rows = told.store.read(lambda tx: tx.all("SELECT due_at FROM webhook_event"))
        return [row["due_at"] for row in rows]

    before = due()
    ran = told.flask("clock", "reset")
    assert ran.exit_code == 0
    assert due() == before


def test_a_text_is_found_though_stored_time_stood_still(once_ahead: Harness) -> None:
    """Stored time is ahead of the clock, so it does not count the time when nothing runs. The
    simulation found it: the list was asked for the last seconds only, and the text sent twice."""
    once_ahead.simulator.faults.add(faults.ERROR_AFTER, phone=PHONE)
    once_ahead.simulator.faults.add(faults.LIST_ERROR)
    id = once_ahead.start()["id"]
    once_ahead.run_once()
    once_ahead.clock.now += timedelta(seconds=40)
    once_ahead.restart()
    for _ in range(6):
        once_ahead.forward(5)
    assert len(once_ahead.texts(PHONE)) == 1
    assert "text_accepted" in once_ahead.history(id)


def test_a_reply_is_found_though_stored_time_stood_still(once_ahead: Harness) -> None:
    id = once_ahead.start_and_send()["id"]
    once_ahead.simulator.faults.add(faults.WEBHOOK_NEVER)
    once_ahead.text(once_ahead.code())
    once_ahead.clock.now += timedelta(seconds=40)
    once_ahead.restart()
    catch_up_after_start(once_ahead)
    assert once_ahead.status(id)["customStatus"]["status"] == "approved"
    found = once_ahead.find(id)
    assert found.outcome.at >= found.created_at


def test_a_process_that_starts_takes_the_time_of_the_others(once_ahead: Harness) -> None:
    once_ahead.clock.forward(40)  # in which nothing is decided
    Sweeper(once_ahead.store, kept=timedelta(days=30)).run_once(0.0)
    url = once_ahead.settings.database_url
    other = open_store(url, connections=1, clock=once_ahead.clock)
    assert other.now() == once_ahead.store.now()
    other.close()


@pytest.mark.parametrize("body", ["NO", "1234"])
def test_a_missed_text_of_long_ago_is_no_reply_to_a_later_verification(
    once_ahead: Harness, body: str
) -> None:
    first = once_ahead.start_and_send()["id"]
    once_ahead.simulator.faults.add(faults.WEBHOOK_NEVER)
    once_ahead.text(body)
    once_ahead.terminate(first, None)
    once_ahead.forward(1800)
    second = once_ahead.start_and_send()["id"]
    catch_up_after_start(once_ahead)
    status = once_ahead.status(second)["customStatus"]
    assert (status["status"], status["attemptsUsed"]) == ("pending", 0)


def test_an_old_message_with_the_same_words_is_not_the_text(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts without a reference have the same code as another once in ten thousand."""
    gateway = harness.service.gateway
    send = gateway.send

    def after_an_older_one(**text: Any) -> Any:
        now = harness.clock.now
        harness.clock.now = now - timedelta(days=21)
        send(**text)
        harness.clock.now = now
        monkeypatch.setattr(gateway, "send", send)
        harness.simulator.faults.add(faults.ERROR_BEFORE, phone=PHONE)
        return send(**text)

    monkeypatch.setattr(gateway, "send", after_an_older_one)
    harness.start()
    for _ in range(5):
        harness.forward(5)
    of_today = [m for m in harness.texts() if m.created_at > harness.clock.now - timedelta(days=1)]
    assert len(of_today) == 1


@pytest.mark.parametrize(
    ("sql", "due"),
    [
        ("UPDATE webhook_event SET due_at = :at", "due_at FROM webhook_event"),
        ("UPDATE outbox SET state = 'sending', due_at = :at", "due_at FROM outbox"),
        ("INSERT INTO erasure (sid, due_at) VALUES ('SM1', :at)", "due_at FROM erasure"),
        (
            "INSERT INTO circuit (from_address, since, error_code, probe_at)"
            " VALUES ('x', :at, 20003, :at)",
            "probe_at FROM circuit",
        ),
    ],
)
def test_work_leased_by_a_clock_that_was_ahead_is_found_after_a_restart(
    tmp_path: Path, database_url: str, sql: str, due: str
) -> None:
    """A lease alone leaves nothing in the history, so stored time falls back with the process."""
    settings = {"WEBHOOK_URLS": RECEIVER, "WEBHOOK_SECRET": WEBHOOK_SECRET}
    with open_harness(tmp_path, DATABASE_URL=database_url, **settings) as harness:
        harness.terminate(harness.start()["id"], None)
        far = to_text(harness.clock.now + timedelta(days=37))
        assert harness.store.write(lambda tx: Done(tx.run(sql, at=far))) == 1
        harness.restart()
        harness.store.write(begin_anew)
        (row,) = harness.store.read(lambda tx: tx.all(f"SELECT {due}"))
        assert row[due.split()[0]] < far


def test_nothing_that_waits_as_it_should_is_overlong() -> None:
    longest = overlong.LONGEST["webhook_event", "due_at"].total_seconds()
    assert max(notify.WAITS) * (1 + notify.JITTER) <= longest
    assert longest >= LONGEST_RETRY_AFTER_SECONDS
    assert overlong.LONGEST["erasure", "due_at"] >= erasures.LEASE


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
        assert 3 < time.monotonic() - began < 10, "Twilio waits 15 s"
        assert service.is_ready(), "what needs no lock is answered"
        other.execute("ROLLBACK")
        other.close()
        # Twilio's list has the reply: it is read by itself, without a restart, before the deadline.
        until(lambda: service.status(id)["output"] is True, 12)
    finally:
        service.close()


def test_expiry_waits_for_what_was_missed(tmp_path: Path) -> None:
    """The lock outlasts the window; the reply came inside it."""
    service = Service(tmp_path, WINDOW_SECONDS="3")
    try:
        service.start()
        id = service.begin(PHONE)
        until(lambda: service.status(id)["runtimeStatus"] == "Running")
        other = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        service.simulator.faults.add("webhook_never")
        text = service.texts(PHONE)[-1]
        service.simulator.webhooks.receive(PHONE, text.partition("code is ")[2][:4])
        # The dispatcher meets the lock once the window is over: it writes nothing before.
        until(lambda: "the database is away" in service.log.read_text())
        # Its next look comes after a second, and the list is read later.
        service.simulator.faults.add(faults.LIST_ERROR, times=2)
        other.execute("ROLLBACK")
        other.close()
        until(lambda: service.status(id)["output"] is not None)
        assert service.status(id)["output"] is True
    finally:
        service.close()


# -- 3. free text decides nothing ------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["opted_out", "superseded by me", "true", "key_retired"])
def test_a_reason_is_text_and_nothing_else(harness: Harness, reason: str) -> None:
    first = harness.start_and_send()
    older = harness.code()
    link = first["terminatePostUri"].replace("{text}", reason)
    assert harness.http.post(link).status_code == 202
    status = harness.status(first["id"])
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", reason)
    assert status["customStatus"]["cause"] == "terminated"
    page = harness.view(first["id"])
    from bot.explanations import why

    said = why.explain(page, harness.clock.now)
    assert said.startswith("It was canceled")
    second = harness.start_and_send()
    if older != harness.code():
        harness.text(older)
        used = harness.status(second["id"])["customStatus"]["attemptsUsed"]
        assert used == 1, "the older code is a wrong one: nothing superseded its verification"


def test_every_cause_is_told(harness: Harness) -> None:
    def cause(id: str) -> str:
        return harness.status(id)["customStatus"]["cause"]

    approved = harness.start_and_send()["id"]
    assert cause(approved) is None
    harness.text(harness.code())
    assert cause(approved) == "answered"
    first, second = harness.start_and_send()["id"], harness.start_and_send()["id"]
    assert cause(first) == "superseded"
    harness.text("STOP")
    assert cause(second) == "opted_out"
    harness.text("START")
    expired = harness.start_and_send()["id"]
    harness.forward(90)
    assert cause(expired) == "window_over"
    used = harness.start_and_send()["id"]
    for _ in range(4):
        harness.text(harness.wrong())
    assert cause(used) == "attempts_used"
    harness.simulator.faults.add("refuse", code=21211)
    assert cause(harness.start_and_send()["id"]) == "send_refused"
    given_up = harness.start()["id"]
    harness.forward(60)
    assert cause(given_up) == "send_given_up"


# -- 5. and 6. repeated guesses, and attempts left -------------------------------------------------


def test_the_same_wrong_reply_again_is_no_further_attempt(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    wrong, other = wrong_code(harness.code()), wrong_code(harness.code(), 2)
    for body in (wrong, wrong, f" {wrong}. ", " ".join(wrong)):
        harness.text(body)
    harness.answer(id, wrong)
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 1
    assert len(set(harness.answers())) == 1
    harness.text(other)
    harness.text(wrong)  # not directly after itself
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 3
    assert harness.history(id).count("repeated_answer") == 4


def test_no_guess_is_kept(sqlite_harness: Harness, tmp_path: Path) -> None:
    sqlite_harness.restart(CODE_LENGTH="10")  # too long to be met by chance
    id = sqlite_harness.start_and_send()["id"]
    wrong = sqlite_harness.wrong()
    sqlite_harness.text(wrong)
    sqlite_harness.answer(id, wrong)
    assert sqlite_harness.history(id)[-2:] == ["wrong_answer", "repeated_answer"]
    stored = bytes_in(tmp_path)
    assert id.encode() in stored, "the search would find what is there"
    assert wrong.encode() not in stored


def test_tries_left_are_what_the_numbers_bound_leaves(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_WRONG_PER_NUMBER="2/day") as harness:
        id = harness.start_and_send()["id"]
        assert harness.status(id)["customStatus"]["attemptsLeft"] == 2
        harness.text(harness.wrong())
        assert "Tries left: 1" in harness.answers()[-1]
        assert harness.status(id)["customStatus"]["attemptsLeft"] == 1
        harness.text(harness.wrong())
        assert "no tries are left" in harness.answers()[-1]
        custom = harness.status(id)["customStatus"]
        assert (custom["status"], custom["attemptsLeft"]) == ("max_attempts_reached", 0)


def test_lifting_the_limits_lifts_what_is_left_too(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_WRONG_PER_NUMBER="3/day") as harness:
        harness.start_and_send()
        harness.text(harness.wrong())
        harness.text(harness.wrong())
        id = harness.start_and_send()["id"]
        assert harness.status(id)["customStatus"]["attemptsLeft"] == 1
        harness.clear_limits(PHONE)
        assert harness.status(id)["customStatus"]["attemptsLeft"] == 3


def test_suspending_a_thousand_times_leaves_a_bounded_history(harness: Harness) -> None:
    links = harness.start_and_send()
    for _ in range(150):
        harness.call("POST", f"{INSTANCES}/{links['id']}/suspend", params={"reason": "x" * 3000})
        harness.call("POST", f"{INSTANCES}/{links['id']}/resume")
    harness.text(harness.code())
    shown = harness.call("GET", f"{INSTANCES}/{links['id']}?showHistory=true")
    assert shown.json()["output"] is True
    assert len(shown.content) < 100_000


def test_a_later_text_expires_nothing_before_what_was_missed_is_read(harness: Harness) -> None:
    """The right reply was lost in an outage; people text again."""
    id = harness.start_and_send()["id"]
    harness.clock.forward(20)
    harness.simulator.faults.add("webhook_never")
    harness.text(harness.code())
    harness.clock.forward(75)
    harness.store.outages.ended += 1
    assert harness.text("hello?").status == 503
    assert harness.answer(id, "0000").status_code == 503
    harness.run_once()
    assert harness.status(id)["output"] is True


def test_a_write_waits_four_seconds_though_it_waited_behind_another(tmp_path: Path) -> None:
    """Its four seconds begin once: they do not begin again when it leads the waiting writers."""
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
    assert max(waited) < 6, "two after each other would be seven"
    other.execute("ROLLBACK")
    assert store.write(lambda tx: Done(tx.run("DELETE FROM erasure"))) == 0
    store.check_writable()  # it writes, which nothing has since
    assert store.outages.ended == 1
    other.close()
    store.close()


def test_a_full_disk_is_an_outage_too(tmp_path: Path) -> None:
    """However short: what is refused at once may be a reply."""
    from bot.store.sqlite import SqliteStore

    store = SqliteStore(tmp_path / "textback.db", clock=lambda: datetime.now(UTC))
    pages = store.writer.execute("PRAGMA page_count").fetchone()[0]
    store.writer.execute(f"PRAGMA max_page_count={pages}")

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
    store.write(lambda tx: Done(None))  # one that writes nothing succeeds on a full disk too
    assert store.outages.is_open
    store.writer.execute("PRAGMA max_page_count=100000")
    store.write(fill)
    assert (store.outages.ended, store.outages.is_open) == (1, False)
    store.close()


def test_repeats_leave_answers_for_what_comes(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    wrong = wrong_code(harness.code())
    for _ in range(10):
        harness.text(wrong)
    harness.text(harness.code())
    assert harness.status(id)["output"] is True
    assert harness.answers()[-1] == "Thank you, this number is verified."


def test_repeats_leave_answers_for_later_attempts_too(harness: Harness) -> None:
    """After a hint, repeats of one wrong code and two others, the end is still answered."""
    harness.start_and_send()
    harness.text("hello?")
    first, second, third = (harness.wrong() for _ in range(3))
    for body in (*[first] * 5, second, second, third):
        harness.text(body)
    harness.text(harness.code())
    assert harness.answers()[-1] == "Thank you, this number is verified."


def test_on_postgresql_a_full_disk_is_an_outage_while_all_can_be_read(postgres: Server) -> None:
    url = postgres.new_database()
    store = open_store(url, connections=2)
    ask(
        url,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$;"
        " CREATE TRIGGER full_disk BEFORE INSERT ON erasure EXECUTE FUNCTION full_disk()",
    )
    with pytest.raises(StoreUnavailable):
        store.write(lambda tx: Done(erasures.add_sid(tx, "SM1")))
    store.write(lambda tx: Done(None))
    store.read(erasures.are_due)
    assert store.outages.is_open
    ask(url, "DROP TRIGGER full_disk ON erasure")
    store.check_writable()
    assert (store.outages.ended, store.outages.is_open) == (1, False)
    store.close()


def test_nothing_expires_while_the_disk_is_full(any_harness: Harness) -> None:
    """Replies may have been missed; the list is read once there is room again."""
    id = any_harness.start_and_send()["id"]
    store = any_harness.store
    store.outages.failed()
    any_harness.clock.forward(100)
    assert expire.run_once(store, judged_until=any_harness.service.judged_until) == 0
    any_harness.run_once()
    assert store.outages.ended == 1
    assert any_harness.status(id)["customStatus"]["status"] == "expired"


def test_waiting_writers_do_not_share_an_exception(tmp_path: Path) -> None:
    """Each raise adds to a traceback, and every waiter's is logged."""
    store = open_store(f"sqlite:///{tmp_path}/textback.db", connections=1)
    other = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    raised: list[StoreUnavailable] = []

    def write(seconds: float) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            store.write_within(seconds, lambda tx: Done(None))
        raised.append(caught.value)

    # The first waits for the lock; when it gives up, those whose time is over are told of that.
    threads = [threading.Thread(target=write, args=(seconds,)) for seconds in (0.5, *[0.2] * 4)]
    for thread in threads:
        thread.start()
        until(lambda: store.group.waiting)
    for thread in threads:
        thread.join()
    assert len({id(one) for one in raised}) == 5
    causes = [one.__cause__ for one in raised if one.__cause__ is not None]
    assert {type(cause) for cause in causes} == {sqlite3.OperationalError}
    assert len({id(cause) for cause in causes}) == len(causes)
    other.close()
    store.close()


def test_a_writer_that_gives_up_leaves_patience_to_those_behind_it(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/textback.db", connections=1)
    other = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.write_within, 0.2, lambda tx: Done("first"))
        until(lambda: store.group.waiting)
        second = pool.submit(store.write_within, 20.0, lambda tx: Done("second"))
        with pytest.raises(StoreUnavailable):
            first.result()
        other.execute("COMMIT")
        assert second.result() == "second"
    other.close()
    store.close()
