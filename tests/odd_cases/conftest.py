"""A harness whose stored time is ahead of its clock."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.harness import Harness
from tests.harness import harness as open_harness
from tests.odd_cases.phones import OTHER


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
