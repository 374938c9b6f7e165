"""Rows that are gone though others refer to them: somebody edited the database by hand."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.console.conftest import Operator
from tests.databases import sqlite_in
from tests.harness import RECEIVER, WEBHOOK_SECRET, Harness
from tests.harness import harness as open_harness

OTHER = "+14255550177"


@pytest.fixture
def edited(tmp_path: Path) -> Iterator[Harness]:
    """A harness on SQLite with one verification that was approved and told, and another one."""
    settings = {"WEBHOOK_URLS": RECEIVER, "WEBHOOK_SECRET": WEBHOOK_SECRET}
    with open_harness(tmp_path, DATABASE_URL=sqlite_in(tmp_path), **settings) as harness:
        harness.start_and_send()
        harness.text(harness.code())
        harness.run_once()
        harness.start(OTHER)
        yield harness


def delete(harness: Harness, sql: str) -> None:
    path = harness.settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(sql)
        connection.commit()


def test_a_verification_without_its_text_is_told_in_a_line(edited: Harness) -> None:
    delete(edited, "DELETE FROM outbox WHERE state <> 'accepted'")
    shown = edited.flask("show", OTHER)
    assert shown.exit_code == 1
    assert "cannot be read" in shown.output
    assert edited.flask("list").exit_code == 0
    assert "approved" in edited.flask("list").output


def test_events_without_their_endpoint_are_left_out(edited: Harness) -> None:
    delete(edited, "DELETE FROM webhook_endpoint")
    for command in (["webhooks", "list"], ["webhooks", "list", "--json"], ["show", "+14255550123"]):
        assert edited.flask(*command).exit_code == 0
    console = Operator(edited.app.test_client())
    console.sign_in()
    assert console.get("/console/webhooks").status_code == 200


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM verification WHERE phone = '+14255550177'",
        "UPDATE outbox SET due_at = NULL WHERE state = 'queued'",
    ],
)
def test_a_text_that_can_never_be_sent_holds_up_no_start(edited: Harness, sql: str) -> None:
    """Starts are refused while texts wait too long, but this one waits for ever."""
    delete(edited, sql)
    edited.run_once()
    edited.clock.forward(60)
    assert edited.post_start().status_code == 202
    edited.run_once()
    assert len(edited.texts()) == 2


def test_a_text_without_its_verification_is_set_aside(edited: Harness) -> None:
    delete(edited, "DELETE FROM verification WHERE phone = '+14255550177'")
    edited.clock.forward(60)
    edited.dispatcher.sweep()
    ready = edited.call("GET", "/readyz")
    assert (ready.status_code, [*ready.json()["reasons"]]) == (503, ["set_aside"])
