"""Looks at Textback by a clock that is moved by hand, and what the phones page shows then."""

import requests

from simulator.statuses import Statuses
from tests.harness import PHONE, Harness


class HandSeconds:
    """A monotonic clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def look(known: Statuses, seconds: HandSeconds, *phones: str) -> dict | None:
    """The status of the first phone after the next look."""
    seconds.now += 10
    known.refresh(phones or [PHONE], texts=0).result(20)
    return known.of((phones or [PHONE])[0])


def shown(harness: Harness, phone: str = PHONE) -> dict | None:
    phones = requests.get(f"{harness.simulator.url}/simulator/phones", timeout=20).json()
    return phones[phone]["verification"]
