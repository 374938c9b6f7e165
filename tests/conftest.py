"""Fixtures: a store on a real file, a harness with simulator and service, a clock moved by hand."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store.opening import open_store
from bot.store.sqlite import SqliteStore
from bot.store.tx import Store
from tests import kept, memory
from tests.databases import sqlite_in
from tests.harness import RECEIVER, WEBHOOK_SECRET, HandClock, Harness
from tests.harness import harness as open_harness
from tests.postgres import Server, shared

# How many times longer than usual tests with random input run; `make soak` sets it.
SOAK = int(os.environ.get("SOAK", "1"))
SEED = 1 if SOAK == 1 else None  # None: another one each time

memory.use()
kept.use()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(tmp_path: Path, clock: HandClock) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "textback.db", clock=clock)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres() -> Server:
    return shared()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database; tests that use it run on both kinds."""
    if request.param == "sqlite":
        return sqlite_in(tmp_path)
    server: Server = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def any_store(database_url: str, clock: HandClock) -> Iterator[Store]:
    """A store on SQLite, then on PostgreSQL."""
    opened = open_store(database_url, connections=20, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    with open_harness(tmp_path) as made:
        yield made


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Harness]:
    """A harness with the simulator's receiver as its webhook endpoint."""
    with open_harness(tmp_path, WEBHOOK_URLS=RECEIVER, WEBHOOK_SECRET=WEBHOOK_SECRET) as made:
        yield made


@pytest.fixture
def sqlite_harness(tmp_path: Path) -> Iterator[Harness]:
    """A harness on SQLite, for behaviour that only SQLite has."""
    with open_harness(tmp_path, DATABASE_URL=sqlite_in(tmp_path)) as made:
        yield made


@pytest.fixture
def any_harness(tmp_path: Path, database_url: str) -> Iterator[Harness]:
    with open_harness(tmp_path, DATABASE_URL=database_url) as made:
        yield made


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Reports a skipped browser or Node.js after everything else, where it is seen."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    if any("no Chromium" in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(
            "The browser tests did not run: there is no Chromium here. `make browser` gets one.",
            yellow=True,
        )
    if any("no Node.js" in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(
            "The JavaScript of the documents did not run: there is no Node.js here.",
            yellow=True,
        )
