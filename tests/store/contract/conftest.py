"""The contract of a store: these suites run against every database Textback knows."""

import pytest

from bot.store.tx import Store


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store
