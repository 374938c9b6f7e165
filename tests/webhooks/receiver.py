"""Approves verifications, sets how the simulator's receiver answers, and reads what it received."""

import json
from typing import Any

from bot.store import webhook_events
from bot.store.webhook_events import WebhookEvent
from simulator.receiver import Behaviour, Received
from tests.harness import PHONE, Harness

OTHER = "+14255550124"


def received(harness: Harness) -> list[Received]:
    return harness.simulator.receiver.events()


def bodies(harness: Harness) -> list[dict[str, Any]]:
    return [json.loads(event.body) for event in received(harness)]


def events(harness: Harness) -> list[WebhookEvent]:
    return harness.store.read(webhook_events.newest, limit=50)


def approve(harness: Harness, phone: str = PHONE, **more: Any) -> str:
    id = harness.start_and_send(phone, **more)["id"]
    harness.text(harness.code(phone), phone)
    return id


def behave(harness: Harness, behaviour: Behaviour) -> None:
    harness.simulator.receiver.behaviour = behaviour
