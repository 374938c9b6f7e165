"""A harness on SQLite, then on PostgreSQL."""

import pytest

from tests.harness import Harness

OTHER_PHONE = "+14255550199"


@pytest.fixture
def harness(any_harness: Harness) -> Harness:
    """Each test runs on both databases."""
    return any_harness
