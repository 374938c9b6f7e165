"""Provokes faults of the simulated Twilio and tells the state of a text."""

from bot.dispatch.send import LEASE_TIMEOUTS
from bot.usecases import look_up
from tests.harness import Harness

LOOK_AGAIN_SECONDS = look_up.LOOK_AGAIN.total_seconds()
LEASE_SECONDS = LEASE_TIMEOUTS * 8.0  # with TWILIO_TIMEOUT_SECONDS as it is by default


def fault(harness: Harness, kind: str, **more) -> None:
    harness.simulator.faults.add(kind, **more)


def state(harness: Harness, id: str) -> str:
    return harness.view(id).text.state
