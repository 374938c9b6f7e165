"""Harnesses whose number or Messaging Service at Twilio is ready."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.channels.twilio import number as webhooks
from simulator.world import Service
from tests.harness import Harness
from tests.harness import harness as open_harness
from tests.sms.findings import SERVICE


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Harness]:
    """A harness with a number that is ready: its webhook set, its campaign verified."""
    with open_harness(tmp_path) as made:
        world = made.simulator.world
        world.configure_number(sms_url=webhooks.wanted_url(made.settings))
        world.configure_service(Service(SERVICE, world.number.sid, campaign_status="VERIFIED"))
        yield made


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Harness]:
    """The same with a Messaging Service."""
    more = {"TWILIO_PHONE_NUMBER": "", "TWILIO_MESSAGING_SERVICE_SID": SERVICE}
    with open_harness(tmp_path, **more) as made:
        world = made.simulator.world
        made_ready = Service(
            SERVICE,
            world.number.sid,
            uses_number_webhook=False,
            inbound_url=webhooks.wanted_url(made.settings),
            campaign_status="VERIFIED",
        )
        world.configure_service(made_ready)
        yield made
