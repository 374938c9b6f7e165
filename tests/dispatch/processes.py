"""Several processes on the test's clock, and replies that one of them loses."""

from dataclasses import dataclass

from bot.dispatch import expire
from bot.dispatch.catch_up import CatchUp
from bot.store.tx import Store
from simulator import faults
from tests.harness import PHONE, Harness


@dataclass
class Process:
    """One of several processes, on the test's clock."""

    store: Store
    catch_up: CatchUp

    def expire(self) -> int:
        return expire.run_once(
            self.store,
            judged_until=self.catch_up.judged_until,
            is_waited_for=self.catch_up.is_waited_for,
        )


def beat(harness: Harness, *processes: Process, seconds: int) -> None:
    """Moves time on, while all these processes write heartbeats."""
    for _ in range(seconds):
        harness.clock.forward(1)
        for process in processes:
            process.catch_up.heart.beat()


def sent(harness: Harness, phone: str = PHONE) -> str:
    """Sends without the harness's dispatcher, which would beat as a third process."""
    id = harness.start(phone)["id"]
    harness.dispatcher.send.run_once()
    return str(id)


def begin(harness: Harness, pair: list[Process], *, until_deadline: int) -> str:
    id = sent(harness)
    beat(harness, *pair, seconds=90 - until_deadline)
    return id


def status(harness: Harness, id: str) -> str:
    return str(harness.status(id)["customStatus"]["status"])


def missed(harness: Harness) -> None:
    """The right reply reaches a process that loses it."""
    harness.simulator.faults.add(faults.WEBHOOK_NEVER)
    harness.text(harness.code())


def heartbeats(harness: Harness) -> int:
    return len(harness.store.read(lambda tx: tx.all("SELECT * FROM heartbeat")))
