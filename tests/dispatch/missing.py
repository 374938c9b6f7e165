"""Texts whose webhook never comes, and the reading of what was missed."""

from bot.dispatch.missed import read_missed
from simulator import faults
from tests.harness import PHONE, Harness


def missed(harness: Harness, body: str, phone: str = PHONE) -> None:
    harness.simulator.faults.add(faults.WEBHOOK_NEVER)
    harness.text(body, phone)


def catch_up(harness: Harness) -> int:
    return read_missed(harness.store, harness.service.gateway, harness.service.rules)
