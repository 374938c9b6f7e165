"""Two processes on one database."""

from collections.abc import Iterator

import pytest

from bot.dispatch.catch_up import CatchUp
from bot.store.opening import open_store
from tests.dispatch.processes import Process
from tests.harness import Harness


@pytest.fixture
def pair(any_harness: Harness) -> Iterator[list[Process]]:
    service = any_harness.service

    def process() -> Process:
        store = open_store(
            any_harness.settings.database_url, connections=2, clock=any_harness.clock
        )

        def monotonic() -> float:
            return any_harness.clock.now.timestamp()

        return Process(store, CatchUp(store, service.gateway, service.rules, monotonic=monotonic))

    processes = [process(), process()]
    yield processes
    for one in processes:
        one.store.close()
