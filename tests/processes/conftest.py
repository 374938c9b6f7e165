"""Fixtures of tests that need real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.service import Service

# They read the environment of the processes they are run in.
collect_ignore = ["crashing.py", "skewed.py", "quick.py", "quick.conf.py", "warm.py"]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """On SQLite."""
    made = Service(tmp_path)
    yield made
    made.close()


@pytest.fixture
def any_service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    made = Service(tmp_path, database_url)
    yield made
    made.close()
