"""Forgetting a number, and what is older than it is kept."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from bot.store import hourly_counts
from bot.usecases import forget
from tests.builders import NOON
from tests.desk import PHONE, Desk

OTHER_PHONE = "+14255550199"


def bytes_of(desk: Desk) -> bytes:
    path = Path(desk.settings.database_url.removeprefix("sqlite:///"))
    return b"".join(file.read_bytes() for file in path.parent.glob("textback.db*"))


def run(desk: Desk, *command: str):
    return desk.app.test_cli_runner().invoke(args=list(command))


def test_a_forgotten_number_is_gone_to_the_last_byte(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    for _ in range(3):
        desk.start_and_send()
        desk.text(desk.wrong())
        desk.text(desk.code())
    desk.start_and_send()
    desk.start_and_send(OTHER_PHONE)
    assert PHONE.encode() in bytes_of(desk)
    result = run(desk, "forget", "+1 425 555 0123")
    assert result.exit_code == 0
    assert "Erased 4 verifications (one was pending and is canceled)" in result.output
    assert "backups" in result.output
    found = bytes_of(desk)
    assert PHONE.encode() not in found
    assert PHONE.strip("+").encode() not in found
    assert OTHER_PHONE.encode() in found
    assert len(desk.verifications.newest(10)) == 1


def test_whoever_waits_for_a_forgotten_one_hears_of_its_end(desk: Desk) -> None:
    id = desk.start()["id"]
    heard: list[str] = []
    desk.verifications.store.on_commit(
        lambda done, _: heard.extend(c.after.id for c in done.changes)
    )
    run(desk, "forget", PHONE)
    assert heard == [id]
    desk.run_once()
    assert desk.texts() == []


def test_a_stop_is_not_forgotten(desk: Desk) -> None:
    desk.text("STOP")
    run(desk, "forget", PHONE)
    assert desk.post_start().json()["code"] == "opted_out"


def test_a_text_on_its_way_meets_a_forgotten_number(desk: Desk) -> None:
    desk.start()
    sender = desk.dispatcher._sender
    (claim,) = sender._claim(10)
    run(desk, "forget", PHONE)
    sender._carry_out(claim)
    assert desk.text(desk.code()).status == 200
    assert desk.verifications.newest(10) == []


def test_nonsense_is_not_forgotten(desk: Desk) -> None:
    assert run(desk, "forget", "me").exit_code == 1


def test_old_ones_go_and_their_counts_stay(desk: Desk) -> None:
    for _ in range(3):
        desk.start_and_send()
        desk.text(desk.code())
    desk.start_and_send("+33612345678")
    desk.forward(90)
    desk.clock.now += timedelta(days=29)
    young = desk.start_and_send(OTHER_PHONE)["id"]
    desk.clock.now += timedelta(days=1)
    retain = partial(forget.retain, kept=timedelta(days=30), limit=2)
    counts = [desk.verifications.store.write(retain) for _ in range(3)]
    assert counts[:2] == [2, 2]
    while desk.verifications.store.write(retain):
        pass
    left = desk.verifications.store.read(lambda tx: tx.all("SELECT phone FROM tally"))
    assert {row["phone"] for row in left} == {OTHER_PHONE}
    assert [s.verification.id for s in desk.verifications.newest(10)] == [young]
    desk.clock.now += timedelta(days=1)
    desk.verifications.store.write(retain)
    began = desk.verifications.store.read(
        lambda tx: hourly_counts.since(tx, NOON - timedelta(days=1))
    )
    old = {(f.hour, f.country, f.event): f.count for f in began if f.hour.startswith("2026-01-31")}
    assert old == {
        ("2026-01-31", "US", "started"): 3,
        ("2026-01-31", "US", "approved"): 3,
        ("2026-01-31", "FR", "started"): 1,
        ("2026-01-31", "FR", "expired"): 1,
    }


def test_the_dispatcher_does_it_by_itself(desk: Desk) -> None:
    desk.start_and_send()
    desk.text(desk.code())
    sweep(desk)
    desk.clock.forward(31 * 86_400)
    sweep(desk)
    assert desk.verifications.newest(10) != [], "time went on by a month at once"
    for _ in range(24):
        desk.clock.forward(3600)
        sweep(desk)
    assert desk.verifications.newest(10) == []


def sweep(desk: Desk) -> None:
    """As the dispatcher does it, every hour."""
    desk.dispatcher.sweep()
