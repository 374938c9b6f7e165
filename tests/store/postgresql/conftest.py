"""A new database on PostgreSQL, and a store on it."""

from collections.abc import Iterator

import pytest

from bot.store.postgres import PostgresStore
from tests.harness import HandClock
from tests.postgres import Server


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.new_database()


@pytest.fixture
def store(url: str, clock: HandClock) -> Iterator[PostgresStore]:
    opened = PostgresStore(url, connections=10, clock=clock)
    yield opened
    opened.close()
