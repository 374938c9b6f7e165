"""The list of duties that the dispatcher repeats every second, each in a thread of its own, so that
none waits behind another. Sending, expiring, notifying and catching up are not among them, since
they begin as soon as they are due: see `loop`, `notify` and `catch_up`."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bot.channels.gateway import Gateway
from bot.dispatch import count, credentials, erase
from bot.dispatch.sweep import Sweeper
from bot.store.tx import Store
from bot.usecases.rules import Rules

AWAY_SECONDS = 1.0  # between two tries while the database is away


@dataclass(frozen=True, slots=True)
class Duty:
    """A background duty. `run` gets an instant of `time.monotonic()` after which it begins nothing
    new. Duties that run a single transaction ignore it."""

    name: str
    run: Callable[[float], object]
    budget_seconds: float  # of one run
    every_seconds: float = 1.0  # its pace: between the end of one run and the next
    is_housekeeping: bool = False  # nothing waits for it

    def run_once(self) -> None:
        self.run(time.monotonic() + self.budget_seconds)


def all_duties(store: Store, gateway: Gateway, rules: Rules, sweeper: Sweeper) -> list[Duty]:
    return [
        Duty(
            "credentials",
            lambda until: credentials.run_once(store, gateway, rules),
            budget_seconds=10.0,
        ),
        Duty("erase", partial(erase.run_once, store, gateway, rules), budget_seconds=60.0),
        Duty("count", partial(count.run_once, store), budget_seconds=0.5),
        Duty(
            "checkpoint",
            lambda until: store.checkpoint(),
            budget_seconds=4.0,
            is_housekeeping=True,
        ),
        Duty("sweep", lambda until: sweeper.run_once(), budget_seconds=60.0, is_housekeeping=True),
    ]
