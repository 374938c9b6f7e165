"""Where a scenario runs: on files in a folder, or on a server."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.service import Service
from tests.console.million import fill
from tests.harness import HandClock
from tests.postgres import Server


@dataclass
class Where:
    folder: Path
    server: Server | None = None
    rows: int = 0
    web_processes: int = 1

    @contextlib.contextmanager
    def service(self, name: str, **settings: str) -> Iterator[Service]:
        place = self.folder / name
        place.mkdir()
        url = self.server.new_database() if self.server else ""
        if self.rows:
            clock = HandClock()
            clock.now = datetime.now(UTC)
            fill(place / "textback.db", clock, self.rows)
        # A day longer than the age of the oldest row, so the sweeper removes none during the run.
        settings = {"RETENTION_DAYS": "31", **settings}
        made = Service(place, url, WEB_CONCURRENCY=str(self.web_processes), **settings)
        try:
            yield made
        finally:
            made.close()


def phones(first: int, count: int) -> list[str]:
    return [f"+1425{5560000 + first + number:07}" for number in range(count)]
