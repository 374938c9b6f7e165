"""One run: a seed, a virtual clock, several processes on one database, all that can go wrong.

The domain, the use cases, the store and the sender are the real ones. A process dies between any
two transactions, or while its call to Twilio is on its way; others act meanwhile. The same seed is
the same run, step by step, so a seed that fails is a test.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from bot.dispatch import send as send_module
from bot.domain.webhook_response import WebhookResponse, WebhookResult
from bot.store import webhook_events
from bot.store.tx import StoreUnavailable
from bot.usecases import notify, resend
from bot.usecases import start as start_module
from bot.usecases.repair import begin_anew
from tests import invariants
from tests.simulation.actions import Actions
from tests.simulation.processes import Process, SeededSecrets
from tests.simulation.twilio import Killed, Taken


class Run(Actions):
    # -- the run ---------------------------------------------------------------------------------

    def go(self, steps: int) -> list[str]:
        """Runs these steps. Returns the broken invariants."""
        with self._seeded():
            return self._run_steps(steps)

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        """Draws everything random from the seed, so that the same seed gives the same run."""
        drawn = SeededSecrets(self.random)
        with pytest.MonkeyPatch.context() as patch:
            for module in (start_module, resend, webhook_events):
                patch.setattr(module, "secrets", drawn)
            patch.setattr(start_module, "new_id", drawn.new_id)
            patch.setattr(send_module, "random", self.random)
            yield

    def _run_steps(self, steps: int) -> list[str]:
        try:
            for _ in range(steps):
                self._step()
            self._drain()
            self._check()
        finally:
            for process in self.processes:
                process.store.close()
        return self.broken

    def _step(self) -> None:
        actions: list[tuple[Callable[[], None], int]] = [
            (self._start, 8),
            (self._claim, 12),
            (self._carry_out, 16),
            (self._reply, 14),
            (self._webhook, 16),
            (self._report, 8),
            (self._expire, 8),
            (self._move_clock, 14),
            (self._control, 3),
            (self._resend, 14),
            (self._claim_events, 5),
            (self._send_event, 6),
            (self._repair_endpoint, 1),
            (self._kill, 2),
            (self._outage, 6 if self.twilio.is_gone else 1),  # most of the time all is well
            (self._lock, 6 if self.is_locked else 1),
        ]
        act = self.random.choices([a for a, _ in actions], [weight for _, weight in actions])[0]
        with suppress(Killed, StoreUnavailable):
            act()

    def _drain(self) -> None:
        """Twilio works, no process dies, and time passes until no work can be left."""
        self.twilio.is_gone = False
        if self.is_locked:
            self._lock()
        self._is_draining = True
        self.processes[0].store.write(begin_anew)
        self._repair_endpoint()
        for _ in range(90):
            while self._waiting:
                self._waiting.pop(0)()
            for process in self.processes:
                for claim in self._taken_claims(process):
                    with suppress(Killed):
                        self._call(process, claim)
                with suppress(Killed):
                    process.send.run_once()
                self._expire_at(process)
                self._drain_events(process)
            self.clock.forward(5 if _ < 60 else 300)
        self.clock.forward(86_400)  # the longest wait of an event
        self._drain_events(self.processes[0])

    def _drain_events(self, process: Process) -> None:
        self._claim_events()
        for one in self.processes:
            while one.events:
                claim = one.events.pop()
                self._receive(claim)
                delivered = WebhookResponse(WebhookResult.DELIVERED, 204)
                process.store.write(notify.answered, claim, delivered, jitter=0)

    # -- what must hold --------------------------------------------------------------------------

    def _check(self) -> None:
        store = self.processes[0].store
        (row,) = store.read(lambda tx: tx.all("SELECT count(*) AS count FROM verification"))
        self.verifications = row["count"]
        self.broken += invariants.broken(
            lambda sql: store.read(lambda tx: [dict(row) for row in tx.all(sql)])
        )
        self._check_texts()
        self._check_causes()
        self._check_events()

    def _check_causes(self) -> None:
        """`undelivered` alone ends nothing."""
        sql = """
            SELECT v.id, o.id AS text_id FROM verification v
            JOIN outbox o ON o.verification_id = v.id WHERE v.cause = 'not_delivered'
        """
        rows = self.processes[0].store.read(lambda tx: tx.all(sql))
        reported = {row["id"] for row in rows if row["text_id"] in self._failed_texts}
        for id in {row["id"] for row in rows} - reported:  # one of its texts is enough
            self.broken.append(f"no text of {id} was reported as failed")

    def _check_events(self) -> None:
        """The receiver saw every outcome, and none that is not in the database."""
        sql = "SELECT id, body, state FROM webhook_event"
        rows = self.processes[0].store.read(lambda tx: tx.all(sql))
        if {row["id"]: row["body"] for row in rows} != self.events:
            self.broken.append(f"{len(rows)} events, and the receiver saw {len(self.events)}")
        self.broken += [f"{r['id']} is {r['state']}" for r in rows if r["state"] != "delivered"]

    def _check_texts(self) -> None:
        by_text: dict[str, list[Taken]] = {}
        for taken in self.twilio.taken:
            by_text.setdefault(taken.text_id, []).append(taken)
        store = self.processes[0].store
        for text_id, texts in by_text.items():
            if len({taken.body for taken in texts}) != 1:
                self.broken.append(f"{text_id} was sent with two codes")
            if len(texts) > 1:
                self.broken.append(f"{text_id} was sent {len(texts)} times")
            row = store.read(
                lambda tx, id=text_id: tx.one("SELECT state FROM outbox WHERE id = :id", id=id)
            )
            if row is None or row["state"] == "withdrawn":
                self.broken.append(f"{text_id} was withdrawn, and sent")
