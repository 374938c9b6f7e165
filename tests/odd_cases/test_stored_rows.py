"""A row that cannot be read holds nobody up; rows of metrics are folded with their process."""

import json
from typing import Any

import pytest

from bot.store import verification_list
from bot.store.verification_list import ListFilter
from simulator import faults
from tests.harness import INSTANCES, PHONE, SYSTEM_KEY, Harness
from tests.odd_cases.phones import OTHER

# -- a row that cannot be read ---------------------------------------------------------------------


BROKEN = [
    ("verification", "first_try_at", "2026-13-45"),
    ("verification", "first_try_at", "soon"),
    ("verification", "deadline_at", ""),
    ("verification", "created_at", "2026-13-45"),
    ("verification", "due_at", "2026-01-01"),
    ("verification", "updated_at", "x"),
    ("outbox", "first_try_at", "2026-13-45"),
    ("outbox", "queued_at", "2026-13-45"),
    ("outbox", "due_at", "2026-01-01 or so"),
]


@pytest.mark.parametrize(("table", "column", "value"), BROKEN)
def test_a_row_that_cannot_be_read_holds_nobody_up(
    any_harness: Harness, table: str, column: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    harness = any_harness
    broken = harness.start(OTHER)["id"]
    key = "id" if table == "verification" else "verification_id"
    harness.store.write(
        lambda tx: _done(
            tx.run(
                f"UPDATE {table} SET {column} = :value WHERE {key} = :id", value=value, id=broken
            )
        )
    )
    others = [harness.start(f"+1425555015{digit}")["id"] for digit in range(3)]
    for _ in range(10):  # a run has a time budget, which a busy machine may use up
        harness.run_once()
    for digit, id in enumerate(others):
        phone = f"+1425555015{digit}"
        harness.text(harness.code(phone), phone)
        assert harness.status(id)["output"] is True
    late = harness.start_and_send()["id"]
    harness.dispatcher.sweep()
    harness.forward(700)
    assert harness.status(late)["customStatus"]["status"] == "expired"
    for _ in range(15):
        harness.run_once()
    assert len(caplog.text) < 30_000, "it does not fill the log"
    assert harness.call("GET", "/runtime/webhooks/durabletask/instances").status_code == 200
    assert harness.post_start("+14255550166").status_code == 202


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("verification", "first_try_at", "soon"),
        ("verification", "created_at", "2026-01-31 12:00:02"),  # no zone, and in its place
        ("outbox", "queued_at", "2026-13-45"),
    ],
)
def test_rows_that_cannot_be_read_do_not_end_a_list(
    any_harness: Harness, table: str, column: str, value: str
) -> None:
    """Wherever in a page they are; their own pages are no shorter where others can stand in."""
    harness = any_harness
    ids = []
    for number in range(12):
        ids.append(harness.start(f"+1425555{number:04}")["id"])
        harness.forward(1)
    broken = [ids[2], ids[3], ids[7]]
    key = "id" if table == "verification" else "verification_id"
    for id in broken:
        sql = f"UPDATE {table} SET {column} = :value WHERE {key} = :id"
        harness.store.write(lambda tx, sql=sql, id=id: _done(tx.run(sql, value=value, id=id)))
    seen: list[str] = []
    token = ""
    for _ in range(12):
        headers = {"x-ms-continuation-token": token} if token else {}
        page = harness.call("GET", INSTANCES, headers=headers, params={"top": "4"})
        assert page.status_code == 200
        seen += [one["instanceId"] for one in page.json()]
        token = page.headers["x-ms-continuation-token"]
        if not token:
            break
    assert seen == [id for id in ids if id not in broken]
    for newest_first in (True, False):
        wanted = ListFilter(limit=10, newest_first=newest_first)
        assert len(harness.store.read(verification_list.find, wanted)) >= 9


def _done(value: int) -> Any:
    from bot.store.tx import Done

    return Done(value)


def test_a_verification_without_its_lines_gets_new_ones(any_harness: Harness) -> None:
    id = any_harness.start()["id"]
    any_harness.store.write(lambda tx: _done(tx.run("DELETE FROM history")))
    any_harness.run_once()
    assert any_harness.history(id) == ["text_tried", "text_accepted"]


def test_a_no_of_the_far_future_keeps_no_text_from_being_looked_up(any_harness: Harness) -> None:
    any_harness.simulator.faults.add(faults.LOSE_ANSWER)
    id = any_harness.start()["id"]
    any_harness.dispatcher.send.run_once()
    mark = "INSERT INTO disown (phone, since) VALUES (:phone, '9999-12-31T12:00:00.000000Z')"
    any_harness.store.write(lambda tx: _done(tx.run(mark, phone=PHONE)))
    for _ in range(8):
        any_harness.forward(1)
    assert any_harness.history(id)[-1] == "text_accepted"


def test_one_set_aside_is_reported_and_tried_again_after_a_restart(harness: Harness) -> None:
    id = harness.start(OTHER)["id"]

    def put(value: str | None) -> None:
        sql = "UPDATE verification SET first_try_at = :value WHERE id = :id"
        harness.store.write(lambda tx: _done(tx.run(sql, value=value, id=id)))

    put("2026-13-45")
    harness.run_once()
    ready = harness.call("GET", "/readyz")
    assert ready.status_code == 503
    assert "set_aside" in ready.json()["reasons"]
    metrics = harness.call("GET", "/metrics", headers={"Authorization": f"Bearer {SYSTEM_KEY}"})
    assert "textback_rows_set_aside 2.0" in metrics.text, "it and its text"
    put(None)
    from bot.usecases.repair import begin_anew

    harness.store.write(begin_anew)
    harness.clock.forward(5)
    harness.run_once()
    harness.forward(5)
    harness.forward(5)
    assert harness.call("GET", "/readyz").status_code == 200
    assert len(harness.texts(OTHER)) == 1, "looked up, found nowhere, then sent"


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("outbox", "due_at", "2026-00-10T00:00:00.000000Z"),
        ("outbox", "due_at", ""),
        ("outbox", "due_at", "2026-01-01T00:00:00"),  # no zone
        ("verification", "due_at", "2026-01-01T00:00:00"),
        ("verification", "due_at", ""),
        ("verification", "created_at", "2026-01-01T00:00:00"),
        ("verification", "start_input", "x"),
        ("history", "at", "2099-01-01T00:00:00"),
        ("history", "detail", "x"),
        ("usage", "at", "2099-01-01T00:00:00"),
        ("time_mark", "at", "x"),
    ],
)
def test_no_value_of_one_row_stops_the_others(
    harness: Harness, table: str, column: str, value: str
) -> None:
    harness.dispatcher.sweep()
    broken = harness.start(OTHER)["id"]
    keys = {"verification": "id", "time_mark": None, "usage": "verification_id"}
    key = keys.get(table, "verification_id")
    condition = f"WHERE {key} = :id" if key else ""
    params = {"id": broken} if key else {}
    sql = f"UPDATE {table} SET {column} = :value {condition}"
    harness.store.write(lambda tx: _done(tx.run(sql, value=value, **params)))
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    assert harness.status(id)["output"] is True
    instances = "/runtime/webhooks/durabletask/instances"
    assert harness.call("GET", instances).status_code == 200
    assert harness.call("GET", f"{instances}/{id}?showHistory=true").status_code == 200
    assert harness.call("GET", "/readyz").status_code in (200, 503)
    harness.dispatcher.sweep()
    assert harness.post_start("+14255550166").status_code == 202


# -- rows of metrics -------------------------------------------------------------------------------


def test_an_opt_out_whose_time_cannot_be_read_stands(harness: Harness) -> None:
    for phone in (PHONE, OTHER):
        harness.text("STOP", phone)
    sql = "UPDATE opt_out SET since = '2026-13-45' WHERE phone = :phone"
    harness.store.write(lambda tx: _done(tx.run(sql, phone=OTHER)))
    assert harness.post_start(OTHER).json()["code"] == "opted_out"
    listed = harness.flask("optout", "list", "--json")
    assert [one["number"] for one in json.loads(listed.stdout)] == [OTHER, PHONE]
    harness.text("START", OTHER)
    assert harness.post_start(OTHER).status_code == 202


def test_commands_leave_no_rows_of_their_own(harness: Harness) -> None:
    for number in range(20):
        harness.flask("start", f"+1425555{number:04}", "--no-wait")
    rows = harness.store.read(lambda tx: tx.all("SELECT DISTINCT process FROM metric_sample"))
    assert [row["process"] for row in rows] == ["past"]


def test_the_sweep_folds_what_is_over(harness: Harness) -> None:
    store = harness.store
    harness.dispatcher.sweep()
    from bot.store import metric_samples

    for name in ("one", "two"):
        store.write(lambda tx, name=name: _done(metric_samples.put(tx, name, {"x": 2.0}) or 0))
    for _ in range(9 * 24):
        harness.clock.forward(3600)
        harness.dispatcher.sweep()
    rows = store.read(
        lambda tx: tx.all("SELECT process, value FROM metric_sample WHERE sample = 'x'")
    )
    assert [(row["process"], row["value"]) for row in rows] == [("past", 4.0)]
