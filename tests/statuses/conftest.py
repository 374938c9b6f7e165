"""The statuses that the phones page knows."""

from collections.abc import Iterator

import pytest

from simulator.statuses import Statuses
from tests.harness import SYSTEM_KEY, Harness
from tests.statuses.looks import HandSeconds


@pytest.fixture
def seconds() -> HandSeconds:
    return HandSeconds()


@pytest.fixture
def known(harness: Harness, seconds: HandSeconds) -> Iterator[Statuses]:
    made = Statuses(harness.url, SYSTEM_KEY, clock=harness.clock, monotonic=seconds)
    yield made
    made.close()
