"""The contract of a store: these tests run on every database that Textback supports."""

import pytest

from bot.store.tx import Store


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store
