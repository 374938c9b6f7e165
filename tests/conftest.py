"""Fixtures: a store on a real file, a desk with simulator and service, a clock moved by hand."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store.sqlite import SqliteStore
from tests.desk import Desk, HandClock
from tests.desk import desk as open_desk

# How much longer than usual the tests with random input go on: `make soak` sets it.
SOAK = int(os.environ.get("SOAK", "1"))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(tmp_path: Path, clock: HandClock) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "textback.db", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as made:
        yield made


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """A skipped browser is said where nobody overlooks it: after everything else."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    if any("no Chromium" in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(
            "The browser tests did not run: there is no Chromium here. `make browser` gets one.",
            yellow=True,
        )
