"""Fixtures of tests that need real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.service import Service

# Reads the environment of the processes it is run in.
collect_ignore = ["crashing.py"]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.close()
