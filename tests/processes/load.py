"""Callers and phones who keep a real service busy, and what must hold afterwards."""

import itertools
import json
import re
import threading
import time
from collections import Counter

import requests

from tests import invariants
from tests.conftest import SOAK
from tests.harness import RECEIVER, WEBHOOK_SECRET
from tests.processes.service import Service, until

SETTINGS = {
    "WINDOW_SECONDS": "4",
    "SEND_WITHIN_SECONDS": "3",
    "WEBHOOK_URLS": RECEIVER,
    "WEBHOOK_SECRET": WEBHOOK_SECRET,
}
CALLERS = 6
PAUSE_SECONDS = 0.4 if SOAK == 1 else 0.0  # of a caller, between two verifications


class Load:
    """Callers who start, and phones who answer wrong and then right, until told to stop."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._is_over = threading.Event()
        self._numbers = itertools.count(5_570_000)
        self.started: dict[str, str] = {}  # phone by id: answered with 202
        self.thanked: set[str] = set()  # phones told that they are verified
        self._threads = [threading.Thread(target=self._run) for _ in range(CALLERS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def wait(self) -> None:
        """Waits until there were enough verifications for the test to mean something."""
        until(lambda: len(self.started) > 10 and len(self.thanked) > 5)

    def _run(self) -> None:
        while not self._is_over.is_set():
            phone = f"+1425{next(self._numbers)}"
            try:
                self.started[self._service.begin(phone)] = phone
            except (requests.RequestException, AssertionError):
                time.sleep(0.05)  # it is down, or goes down
                continue
            self._answer(phone)
            self._is_over.wait(PAUSE_SECONDS)

    def _answer(self, phone: str) -> None:
        for _ in range(100):
            texts = self._service.texts(phone)
            if texts or self._is_over.is_set():
                break
            time.sleep(0.02)
        else:
            return
        code = re.search(r"code is ([0-9]{4})", texts[-1] if texts else "")
        if code is None:
            return
        wrong = str((int(code[1]) + 1) % 10_000).zfill(4)
        receive = self._service.simulator.webhooks.receive
        receive(phone, wrong)
        if "Thank you" in receive(phone, code[1]).body:
            self.thanked.add(phone)


def check(service: Service, load: Load) -> None:
    assert invariants.broken(service.ask) == []
    status = {row["id"]: row["status"] for row in service.ask("SELECT * FROM verification")}
    assert load.started.keys() <= status.keys(), "what was answered with 202 is there"
    by_phone = {row["phone"]: row["status"] for row in service.ask("SELECT * FROM verification")}
    assert {by_phone[phone] for phone in load.thanked} == {"approved"}, "what was said is so"
    texts = Counter(
        message.status_callback.rpartition("/")[2]
        for message in service.simulator.world.messages()
        if message.direction == "outbound-api"
    )
    assert set(texts.values()) == {1}, "nobody got a second text"
    check_events(service, status)


def check_events(service: Service, status: dict[str, str]) -> None:
    """The receiver, which remembers ids, saw every outcome, with the same bytes each time."""
    if not service.ask("SELECT 1 FROM webhook_endpoint WHERE is_configured = 1"):
        return
    undelivered = "SELECT 1 FROM webhook_event WHERE state <> 'delivered'"
    until(lambda: not service.ask(undelivered), 60)
    received = service.simulator.receiver.events()
    assert all(event.is_verified and event.is_same for event in received)
    told = [json.loads(event.body)["data"] for event in received]
    assert sorted((data["id"], data["status"]) for data in told) == sorted(status.items())
