"""Forgetting a number, and removing what is older than the retention."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.store import hourly_counts
from bot.store.tx import Done
from bot.usecases import forget
from tests.builders import NOON
from tests.databases import bytes_in
from tests.harness import PHONE, Harness

OTHER_PHONE = "+14255550199"


def bytes_of(harness: Harness) -> bytes:
    path = Path(harness.settings.database_url.removeprefix("sqlite:///"))
    return bytes_in(path.parent)


def test_a_forgotten_number_is_gone_to_the_last_byte(sqlite_harness: Harness) -> None:
    harness = sqlite_harness
    for _ in range(3):
        harness.start_and_send()
        harness.text(harness.wrong())
        harness.text(harness.code())
    harness.start_and_send()
    harness.start_and_send(OTHER_PHONE)
    assert PHONE.encode() in bytes_of(harness)
    result = harness.flask("forget", "+1 425 555 0123")
    assert result.exit_code == 0
    assert "Erased 4 verifications (one was pending and is canceled)" in result.output
    assert "backups" in result.output
    found = bytes_of(harness)
    assert PHONE.encode() not in found
    assert PHONE.strip("+").encode() not in found
    assert OTHER_PHONE.encode() in found
    assert len(harness.newest(10)) == 1


def test_a_number_with_many_verifications_is_forgotten_in_batches(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction for all of them would stop every reply for seconds."""
    monkeypatch.setattr(forget, "FORGOTTEN_AT_ONCE", 2)
    for _ in range(5):
        harness.start_and_send()
        harness.text(harness.code())
    harness.start_and_send()
    sizes = []
    harness.store.on_commit(lambda done, _: sizes.append(done.value))
    forgotten, _ = harness.forget(PHONE)
    assert sizes[:-1] == [2, 2, 1, 0]
    assert (forgotten.verifications, forgotten.was_pending) == (6, True)
    assert harness.newest(10) == []


def test_a_caller_that_waits_for_a_forgotten_one_hears_of_its_end(harness: Harness) -> None:
    id = harness.start()["id"]
    heard: list[str] = []
    harness.store.on_commit(lambda done, _: heard.extend(c.after.id for c in done.changes))
    harness.flask("forget", PHONE)
    assert heard == [id]
    harness.run_once()
    assert harness.texts() == []


def test_a_stop_is_not_forgotten(harness: Harness) -> None:
    harness.text("STOP")
    harness.flask("forget", PHONE)
    assert harness.post_start().json()["code"] == "opted_out"


def test_a_text_on_its_way_meets_a_forgotten_number(harness: Harness) -> None:
    harness.start()
    send = harness.dispatcher.send
    (claim,) = send.claim(10)
    harness.flask("forget", PHONE)
    send.carry_out(claim)
    assert harness.text(harness.code()).status == 200
    assert harness.newest(10) == []


def test_nonsense_is_not_forgotten(harness: Harness) -> None:
    assert harness.flask("forget", "me").exit_code == 1


def test_old_ones_go_and_their_counts_stay(harness: Harness) -> None:
    for _ in range(3):
        harness.start_and_send()
        harness.text(harness.code())
    harness.start_and_send("+33612345678")
    harness.forward(90)
    harness.clock.now += timedelta(days=29)
    young = harness.start_and_send(OTHER_PHONE)["id"]
    harness.clock.now += timedelta(days=1)
    retain = partial(forget.drop_old, kept=timedelta(days=30), limit=2)
    counts = [harness.store.write(retain) for _ in range(3)]
    assert counts[:2] == [2, 2]
    while harness.store.write(retain):
        pass
    left = harness.store.read(lambda tx: tx.all("SELECT phone FROM usage"))
    assert {row["phone"] for row in left} == {OTHER_PHONE}
    assert [s.verification.id for s in harness.newest(10)] == [young]
    harness.clock.now += timedelta(days=1)
    harness.store.write(retain)
    began = harness.store.read(lambda tx: hourly_counts.since(tx, NOON - timedelta(days=1)))
    old = {(f.hour, f.country, f.event): f.count for f in began if f.hour.startswith("2026-01-31")}
    assert old == {
        ("2026-01-31", "US", "started"): 3,
        ("2026-01-31", "US", "approved"): 3,
        ("2026-01-31", "FR", "started"): 1,
        ("2026-01-31", "FR", "expired"): 1,
    }


def test_the_dispatcher_does_it_by_itself(harness: Harness) -> None:
    harness.start_and_send()
    harness.text(harness.code())
    sweep(harness)
    harness.clock.forward(31 * 86_400)
    sweep(harness)
    assert harness.newest(10) != [], "time went on by a month at once"
    for _ in range(24):
        harness.clock.forward(3600)
        sweep(harness)
    assert harness.newest(10) == []


def test_what_belongs_to_no_verification_goes_too(told: Harness) -> None:
    def counts() -> dict[str, int]:
        tables = ("inbound", "disown", "webhook_event", "audit")
        return {
            table: len(told.store.read(lambda tx, table=table: tx.all(f"SELECT * FROM {table}")))
            for table in tables
        }

    told.start_and_send()
    told.text("NO")
    assert told.flask("webhooks", "test").exit_code == 0
    assert 0 not in counts().values()
    told.clock.forward(400 * 86_400)
    sweep(told)
    told.clock.forward(86_400)
    sweep(told)
    assert set(counts().values()) == {0}, counts()


def sweep(harness: Harness) -> None:
    """As the dispatcher does it, every hour."""
    harness.dispatcher.sweep()


def test_a_mark_that_cannot_be_read_is_forgotten_too(harness: Harness) -> None:
    harness.start_and_send()
    harness.text("NO")
    harness.store.write(lambda tx: Done(tx.run("UPDATE disown SET since = 'x'")))
    harness.forget(PHONE)
    assert harness.store.read(lambda tx: tx.all("SELECT phone FROM disown")) == []


def test_rows_that_cannot_be_read_are_forgotten_in_batches_too(
    sqlite_harness: Harness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    harness = sqlite_harness
    monkeypatch.setattr(forget, "FORGOTTEN_AT_ONCE", 2)
    for _ in range(5):
        harness.start_and_send()
        harness.text(harness.code())
    spoil = "UPDATE verification SET deadline_at = 'never'"
    harness.store.write(lambda tx: Done(tx.run(spoil)))
    sizes = []
    harness.store.on_commit(lambda done, _: sizes.append(done.value))
    harness.forget(PHONE)
    assert sizes[:-1] == [2, 2, 1, 0]
    assert caplog.records == []
