"""A real gunicorn under load, killed again and again: nothing lost, nothing decided twice."""

import random
import time
from pathlib import Path

import pytest

from tests.conftest import SEED, SOAK
from tests.processes.load import SETTINGS, Load, check
from tests.processes.service import Service

KILLS = 2 * SOAK
_random = random.Random(SEED)


@pytest.mark.timeout(120 + 5 * KILLS)
def test_killed_again_and_again_under_load(tmp_path: Path, database_url: str) -> None:
    service = Service(tmp_path, database_url, **SETTINGS)
    try:
        with Load(service) as load:
            for _ in range(KILLS):
                process = service.start()
                time.sleep(_random.uniform(0.1, 1.5))
                service.kill(process)
            service.start()
            load.wait()
        service.wait_until_all_ended()
        check(service, load)
    finally:
        service.close()


def test_sigterm_under_load_loses_nothing(tmp_path: Path, database_url: str) -> None:
    service = Service(tmp_path, database_url, **SETTINGS)
    try:
        with Load(service) as load:
            for _ in range(2):
                process = service.start()
                time.sleep(1.5)
                assert service.terminate(process) == 0
                states = {row["state"] for row in service.ask("SELECT state FROM outbox")}
                assert "sending" not in states, "what was being sent is finished or handed back"
            service.start()
            load.wait()
        service.wait_until_all_ended()
        check(service, load)
    finally:
        service.close()
