"""A claim that waited for its thread, or that another one has replaced."""

from datetime import timedelta
from typing import Any

import pytest

from bot.channels.gateway import Blame, Refused
from bot.usecases import send
from simulator import faults
from tests.dispatch.sending import LEASE_SECONDS, fault, state
from tests.harness import Harness


def test_a_refusal_of_a_text_that_was_claimed_anew_changes_nothing(harness: Harness) -> None:
    id = harness.start()["id"]
    (first,) = harness.dispatcher.send.claim(10)
    harness.clock.forward(LEASE_SECONDS)
    (second,) = harness.dispatcher.send.claim(10)
    assert second.number > first.number
    harness.store.write(send.refused, first, Refused(21614, "no", Blame.NUMBER))
    assert state(harness, id) == "sending"
    assert harness.status(id)["runtimeStatus"] == "Pending"


def test_a_look_up_that_waited_for_its_thread_searches_further_back(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(harness, faults.ERROR_AFTER)
    harness.start()
    sender = harness.dispatcher.send
    sender.run_once()
    harness.clock.forward(3)
    (claim,) = sender.claim(1)
    sender.monotonic = lambda: claim.asked_at + 5
    searched: list[timedelta] = []

    def find_sent(*, tried_ago: timedelta, **_: Any) -> list[Any]:
        searched.append(tried_ago)
        return []

    monkeypatch.setattr(harness.service.gateway, "find_sent", find_sent)
    sender.carry_out(claim)
    assert searched == [timedelta(seconds=3 + 5)]
