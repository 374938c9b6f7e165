"""Every page, command and list once, on both databases, to find SQL that only one of them
understands before an operator does."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import click
import pytest

from bot.store import webhook_endpoints
from bot.usecases import notify
from simulator.receiver import Behaviour
from tests.console.conftest import Operator
from tests.harness import (
    INSTANCES,
    PHONE,
    RECEIVER,
    SYSTEM_KEY,
    WEBHOOK_SECRET,
    Harness,
)
from tests.harness import harness as open_harness

OTHER, STOPPED, NO_ONE = "+14255550177", "+14255550178", "+14255550179"
MOST_PAGES = 120


@pytest.fixture
def busy(tmp_path: Path, database_url: str) -> Iterator[Harness]:
    """A harness with an example of everything that pages show."""
    settings = {"WEBHOOK_URLS": RECEIVER, "WEBHOOK_SECRET": WEBHOOK_SECRET}
    with open_harness(
        tmp_path, DATABASE_URL=database_url, LIMIT_PER_NUMBER="5/hour", **settings
    ) as harness:
        harness.start_and_send()
        harness.text(harness.wrong())
        harness.text(harness.code())
        harness.simulator.receiver.behaviour = Behaviour.GONE
        harness.start_and_send(STOPPED)
        harness.text("STOP", STOPPED)
        harness.text("who is this?", NO_ONE)
        harness.forward(5)
        harness.start_and_send(OTHER)
        yield harness


GROUPS = {"limits", "optout", "webhooks", "clock", "number"}
# Those that wait or serve, and those that ask Twilio alone; other tests run them.
NOT_HERE = {("start",), ("dispatch",), ("number", "set"), ("number", "check")}


def leaves(harness: Harness) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for name, command in harness.app.cli.commands.items():
        if isinstance(command, click.Group):
            found |= {(name, leaf) for leaf in command.commands}
        else:
            found.add((name,))
    return found


def test_every_page_that_a_link_of_the_console_leads_to(busy: Harness) -> None:
    operator = Operator(busy.app.test_client())
    assert operator.sign_in().status_code == 303
    seen: dict[str, int] = {}
    ahead = ["/console/"]
    while ahead:
        assert len(seen) < MOST_PAGES
        path = ahead.pop()
        answer = operator.get(path)
        seen[path] = answer.status_code
        links = re.findall(r'href="([^"#]+)"', answer.text) if "html" in answer.mimetype else []
        for link in links:
            target = urljoin(path, link.replace("&amp;", "&"))
            if target.startswith("/console") and target not in seen and target not in ahead:
                ahead.insert(0, target)
    assert not {path: status for path, status in seen.items() if status not in (200, 302, 303)}
    pages = {path.partition("?")[0] for path in seen}
    assert {"/console/webhooks", "/console/audit", "/console/limits"} <= pages
    assert len(seen) > 30


def test_every_list_and_figure_of_the_apis(busy: Harness) -> None:
    id = busy.newest(1)[0].verification.id
    for path in (
        "/metrics",
        "/readyz",
        "/healthz",
        INSTANCES,
        f"{INSTANCES}/{id}?showHistory=true",
    ):
        headers = {"Authorization": f"Bearer {SYSTEM_KEY}"}
        answer = busy.call("GET", path, headers=headers)
        assert answer.status_code < 300, (path, answer.text)
    metrics = busy.call("GET", "/metrics", headers=headers).text
    assert "textback_webhook_pending" in metrics


def configured_endpoint(harness: Harness) -> str:
    return harness.store.read(webhook_endpoints.configured)[0].id


def former_endpoint(harness: Harness) -> str:
    """An endpoint that was set before the present ones."""
    urls = [endpoint.url for endpoint in harness.store.read(webhook_endpoints.configured)]
    for wanted in ([*urls, "https://former.example/"], urls):
        harness.store.write(notify.configure, wanted, includes_number=False)
    return harness.store.read(webhook_endpoints.list_all)[-1].id


def test_every_command_that_reads_and_those_that_clear(busy: Harness) -> None:
    id = busy.newest(1)[0].verification.id
    commands = [
        ["list"],
        ["list", "--status", "canceled", "--json"],
        ["show", id],
        ["show", PHONE],
        ["texts"],
        ["limits", "show", PHONE],
        ["limits", "clear", PHONE],
        ["optout", "list"],
        ["optout", "clear", STOPPED],
        ["webhooks", "list"],
        ["webhooks", "resend", "--failed-since", "2026-01-01"],
        ["webhooks", "test"],
        ["audit"],
        ["resend", id],
        ["cancel", id],
        ["forget", PHONE],
        ["check"],
        ["webhooks", "enable", configured_endpoint(busy)],
        ["webhooks", "move", former_endpoint(busy), configured_endpoint(busy)],
        ["clock", "reset"],
        ["version"],
    ]
    named = {tuple(command[: 2 if command[0] in GROUPS else 1]) for command in commands}
    assert leaves(busy) - named == NOT_HERE
    for command in commands:
        result = busy.flask(*command)
        assert result.exit_code == 0, (command, result.output, result.exception)
