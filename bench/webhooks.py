"""Measures how fast an outcome reaches its receiver, and how long a burst of outcomes takes.

`python -m bench.webhooks [--database postgresql]` first sends a thousand right replies as fast as
they are answered, which gives the rate at which outcomes are delivered, then a thousand at half of
that rate. Meanwhile a second endpoint accepts connections and never answers. The receiver is the
simulator's; it checks each signature and shares the cores with the service and the driver.
"""

import argparse
import json
import socket
import tempfile
import time
from datetime import datetime
from pathlib import Path

from bench.service import CODE, Service
from simulator.receiver import Received
from tests.harness import RECEIVER, WEBHOOK_SECRET
from tests.postgres import Server
from tests.processes.service import until

COUNT = 1000


def phones(first: int) -> list[str]:
    return [f"+1425{first + number}" for number in range(COUNT)]


def late_milliseconds(event: Received) -> float:
    """The time from the decision, which comes before its commit, to the receiver's answer."""
    assert event.accepted_at is not None
    decided_at = datetime.fromisoformat(json.loads(event.body)["timestamp"]).timestamp()
    return (event.accepted_at - decided_at) * 1000


def show(what: str, events: list[Received], seconds: float) -> None:
    late = sorted(map(late_milliseconds, events))
    p50, p99 = late[len(late) // 2], late[int(len(late) * 0.99)]
    print(
        f"{what}: {len(events)} events in {seconds:.1f} s; decision to receipt p50 {p50:.0f} ms,"
        f" p99 {p99:.0f} ms, longest {late[-1]:.0f} ms; tries {sum(e.tries for e in events)}"
    )


def measure(folder: Path, database_url: str, silent_url: str) -> None:
    made = Service(
        folder,
        database_url,
        WEBHOOK_URLS=f"{RECEIVER},{silent_url}",
        WEBHOOK_SECRET=WEBHOOK_SECRET,
    )
    try:
        made.start()
        calm, burst, warm = phones(5_560_000), phones(5_570_000), phones(5_580_000)
        made.make_pending([*calm, *burst, *warm])
        receiver = made.simulator.receiver
        made.drive([made.reply(phone, CODE) for phone in warm])
        until(lambda: len(receiver.events()) == COUNT, 60)
        began = time.monotonic()
        made.drive([made.reply(phone, CODE) for phone in burst])
        until(lambda: len(receiver.events()) == 2 * COUNT, 60)
        seconds = time.monotonic() - began
        show("burst", receiver.events()[COUNT:], seconds)
        half = COUNT / seconds / 2
        began = time.monotonic()
        made.drive([made.reply(phone, CODE) for phone in calm], rate=half)
        until(lambda: len(receiver.events()) == 3 * COUNT, 60)
        seconds = time.monotonic() - began
        show(f"half load, {half:.0f} a second", receiver.events()[2 * COUNT :], seconds)
    finally:
        made.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    is_shared = parser.parse_args().database == "postgresql"
    server = Server() if is_shared else None
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0), backlog=64) as silent,
    ):
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        measure(Path(folder), server.new_database() if server else "", url)
    if server:
        server.close()


if __name__ == "__main__":
    main()
