"""The contract of a store: these suites run against every database Textback knows.

To add one, give `stores` another name and open it here.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store.sqlite import SqliteStore
from bot.store.tx import Store
from tests.desk import HandClock


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> Iterator[Store]:
    assert request.param == "sqlite"
    opened = SqliteStore(tmp_path / "textback.db", clock=clock)
    yield opened
    opened.close()
