"""An operator whose application is the simulator's receiver, and the page of webhooks."""

import pytest

from simulator.receiver import Behaviour
from tests.console import pages
from tests.console.conftest import Operator
from tests.console.page import Page
from tests.harness import PHONE, Harness

EVENTS = "#events table"


@pytest.fixture
def operator(told: Harness) -> Operator:
    signed_in = Operator(told.app.test_client())
    assert signed_in.sign_in().status_code == 303
    return signed_in


def show(operator: Operator, path: str = "/webhooks") -> Page:
    return pages.show(operator, path)


def approve(harness: Harness, phone: str = PHONE, *, behaviour: Behaviour) -> str:
    """Approves a verification and tries to send its event once."""
    harness.simulator.receiver.behaviour = behaviour
    id = harness.start_and_send(phone)["id"]
    harness.text(harness.code(phone), phone)
    harness.run_once()
    return id


def name(harness: Harness) -> str:
    return harness.simulator.receiver_url.removeprefix("http://")
