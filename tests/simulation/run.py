"""One run: a seed, a virtual clock, several processes on one database, all that can go wrong.

The domain, the use cases, the store and the sender are the real ones. A process dies between any
two transactions, or while its call to Twilio is on its way; others act meanwhile. The same seed is
the same run, step by step, so a seed that fails is a test.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest

from bot.admission.admission import Admission
from bot.channels.gateway import Blame, ChannelUnavailable, Report
from bot.channels.twilio import errors
from bot.dispatch import catch_up, expire
from bot.dispatch import send as send_module
from bot.dispatch.catch_up import CatchUp
from bot.dispatch.send import SendDuty
from bot.dispatch.sweep import Sweeper
from bot.domain.delivery import Delivery
from bot.domain.errors import Refusal
from bot.domain.webhook_response import WebhookResponse, WebhookResult
from bot.store import verifications, webhook_events
from bot.store.opening import open_store
from bot.store.tx import Change, Done, Store, StoreUnavailable
from bot.store.verification_list import ListFilter
from bot.usecases import control, notify, read, resend, webhooks
from bot.usecases import start as start_module
from bot.usecases.answer import judge_text
from bot.usecases.claim import TextClaim
from bot.usecases.heartbeat import assume_all_judged
from bot.usecases.inbound_text import InboundText, Judged
from bot.usecases.repair import begin_anew
from bot.usecases.report import reported
from bot.usecases.start import StartRequest, begin
from tests import invariants
from tests.builders import OUR_NUMBER, RULES
from tests.harness import HandClock
from tests.simulation.twilio import Killed, Reply, Taken, Twilio

ENDPOINT = "https://app.example.com/webhooks"
PHONES = 3  # so few that two often act on one verification
TIMEOUT_SECONDS = 8.0
LEASE = timedelta(seconds=24)
DEPTH = 3  # how deeply interruptions may nest


Judge = Callable[[Store, InboundText], Judged]


def judge_honestly(store: Store, text: InboundText) -> Judged:
    return store.write(judge_text, text, rules=RULES, judged_until=assume_all_judged)


class SeededSecrets:
    """Stands in for `secrets`."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._ids = 0
        self.choice = random.choice

    def token_hex(self, length: int) -> str:
        return f"{self._random.getrandbits(8 * length):0{2 * length}x}"

    def token_urlsafe(self, length: int) -> str:
        return "text" + self.token_hex(length)

    def new_id(self) -> str:
        self._ids += 1
        return f"{self._ids:032x}"


class Process:
    """One process: its store, duties and claims, which die with it. The database stays."""

    def __init__(
        self,
        url: str,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        twilio: Twilio,
    ) -> None:
        self.store = open_store(url, connections=2, clock=clock, monotonic=monotonic)
        self.admission = Admission()
        self.send = SendDuty(
            self.store,
            twilio,
            RULES,
            timeout_seconds=TIMEOUT_SECONDS,
            at_once=8,
            on_sent=lambda outcome, code: None,
            monotonic=monotonic,
        )
        self.catch_up = CatchUp(self.store, twilio, RULES, monotonic)
        self.sweeper = Sweeper(self.store, kept=timedelta(days=3650))
        self.store.write(notify.configure, [ENDPOINT], includes_number=False)
        self.claims: list[TextClaim] = []
        self.events: list[notify.EventClaim] = []
        self.is_dead = False


class Run:
    def __init__(
        self,
        seed: int,
        url: str,
        *,
        judge: Judge = judge_honestly,
        processes: int = 2,
        phones: int = PHONES,
    ) -> None:
        self.random = Random(seed)
        self._phones = [f"+142555501{number:02}" for number in range(1, phones + 1)]
        self.clock = HandClock()  # the true time, and Twilio's
        self._ahead = timedelta(0)  # how far this machine's clock is ahead of it
        self.twilio = Twilio(self.random, self.clock)
        self.twilio.interleave = self.interleave
        self._judge = judge
        self._url = url
        self._depth = 0
        self._is_draining = False
        self._is_catching_up = False
        self._calling: list[Process] = []  # whose calls to Twilio are on their way
        self.processes = [self._process() for _ in range(processes)]
        self.broken: list[str] = []
        self.verifications = 0  # that were started, counted at the end
        self._answers: dict[str, str | None] = {}
        self._failed_texts: set[str] = set()  # that Twilio reported as failed, lying or not
        self.is_locked = False  # the database, by somebody else
        self._waiting: list[Callable[[], None]] = []  # webhooks on their way
        self._reported: set[str] = set()
        self.events: dict[str, str] = {}  # bodies that the receiver got, by id

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

    def interleave(self) -> None:
        """Others act while a call is on its way."""
        if self._depth >= DEPTH or self._is_draining:
            return
        self._depth += 1
        for _ in range(self.random.choice([0, 0, 1, 2, 3])):
            self._step()
        self._depth -= 1
        if self._calling and self._calling[-1].is_dead:
            raise Killed  # by one of the others

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

    # -- what can happen -------------------------------------------------------------------------

    def _random_process(self) -> Process:
        return self.random.choice(self.processes)

    def _process(self) -> Process:
        made = Process(self._url, self._now, lambda: self.clock.now.timestamp(), self.twilio)
        made.store.on_commit(lambda done, _: self._committed(made, done))
        write = made.store.write

        def lockable(use_case: Any, *args: Any, **more: Any) -> Any:
            if made.is_dead:  # by one of the others, meanwhile
                raise Killed
            if self.is_locked:
                raise StoreUnavailable("locked by somebody else")
            return write(use_case, *args, **more)

        made.store.write = lockable  # type: ignore[method-assign]
        return made

    def _start(self) -> None:
        phone, key = self.random.choice(self._phones), self.random.choice(["a", "a", "a", "b"])
        with suppress(Refusal):
            process = self._random_process()
            asked = StartRequest(key, "r", f'"{phone}"')
            begin(process.store, phone, asked, rules=RULES, admission=process.admission)

    def _claim(self) -> None:
        process = self._random_process()
        claims = process.send.claim(4)
        for claim in claims:
            verification = process.store.read(verifications.load, claim.verification_id)
            if verification is None or verification.is_decided:
                self.broken.append(f"{claim.text_id} was claimed after the end")
        process.claims += claims

    def _resend(self) -> None:
        process = self._random_process()
        found = process.store.read(verifications.pending_of, self.random.choice(self._phones))
        if found is not None:
            with suppress(Refusal):
                resend.begin_resend(
                    process.store, found.id, rules=RULES, admission=process.admission
                )

    def _claim_events(self) -> None:
        process = self._random_process()
        for endpoint_id in process.store.read(notify.due):
            process.events += process.store.write(notify.claim_events, endpoint_id, limit=4)

    def _send_event(self) -> None:
        """A process may die after the receiver has the event, and before that is written down."""
        process = self._random_process()
        if not process.events:
            return
        claim = process.events.pop(self.random.randrange(len(process.events)))
        self.interleave()
        self._receive(claim)
        if self.random.random() < 0.2 and not self._is_draining:
            self._die(process)
            return
        results = [WebhookResult.DELIVERED, WebhookResult.REFUSED, WebhookResult.TIMEOUT]
        (result,) = self.random.choices(results, [6, 2, 1])
        answer = WebhookResponse(WebhookResult.DELIVERED if self._is_draining else result)
        process.store.write(notify.answered, claim, answer, jitter=self.random.uniform(-1, 1))

    def _repair_endpoint(self) -> None:
        """An operator enables an endpoint that a day of failures has disabled, and sends again what
        has failed for good."""
        write = self._random_process().store.write
        for view in self.processes[0].store.read(webhooks.endpoints):
            if view.state is webhooks.EndpointState.DISABLED:
                generation = view.endpoint.generation
                write(webhooks.enable, view.endpoint.id, generation=generation)
        write(webhooks.replay_failed, since=datetime.min.replace(tzinfo=UTC), operator="o")

    def _receive(self, claim: notify.EventClaim) -> None:
        """The receiver remembers ids: the same one always brings the same bytes, of a real end."""
        first = self.events.setdefault(claim.event.id, claim.event.body)
        if first != claim.event.body:
            self.broken.append(f"the event {claim.event.id} came with other bytes")

    def _carry_out(self) -> None:
        process = self._random_process()
        if process.claims:
            claim = process.claims.pop(self.random.randrange(len(process.claims)))
            try:
                self._call(process, claim)
            except Killed:
                self._die(process)

    def _call(self, process: Process, claim: TextClaim) -> None:
        """A process may have been paused meanwhile for longer than its lease: it writes nothing
        then. (Paused in the middle of writing it can; see the README on what cannot be promised.)
        """
        self._calling.append(process)
        try:
            process.send.carry_out(claim)
        finally:
            self._calling.pop()

    def _taken_claims(self, process: Process) -> list[TextClaim]:
        claims, process.claims = process.claims, []
        return claims

    def _reply(self) -> None:
        """A phone texts: the right code, a wrong one, the one of an older text, or something."""
        phone = self.random.choice(self._phones)
        mine = [_code(taken) for taken in self.twilio.taken if taken.to == phone]
        right = mine[-1] if mine else "0000"
        wrong = str((int(right) + self.random.randint(1, 9)) % 10000).zfill(4)
        older = self.random.choice(mine) if mine else "0000"
        bodies = [right, wrong, older, "hello?", "STOP", "START"]
        (body,) = self.random.choices(bodies, [6, 8, 2, 2, 1, 2])
        reply = Reply(self.twilio.sid(), phone, body, self.clock.now)
        self.twilio.replies.append(reply)
        for _ in range(self.random.choices([0, 1, 2], [1, 8, 2])[0]):
            self._waiting.append(lambda: self._deliver(reply))

    def _webhook(self) -> None:
        if self._waiting:
            self._waiting.pop(self.random.randrange(len(self._waiting)))()

    def _deliver(self, reply: Reply) -> None:
        text = InboundText(
            message_sid=reply.sid, phone=reply.phone, from_address=OUR_NUMBER, body=reply.body
        )
        judged = self._judge(self._random_process().store, text)
        first = self._answers.setdefault(reply.sid, judged.answer)
        if judged.answer != first and judged.is_repeat:
            self.broken.append(f"the repeat of {reply.sid} was answered otherwise")

    def _report(self) -> None:
        if not self.twilio.taken:
            return
        taken = self.random.choice(self.twilio.taken)
        delivery, code = self.random.choice(
            [("queued", None), ("sent", None), ("delivered", None)]
            + [("undelivered", 30005), ("undelivered", 30007), ("failed", 30007)]
            if taken.sid not in self._reported
            else [("sent", None), ("queued", None), ("delivered", None)]
        )
        if code:  # of a text that has arrived: the phone replies to it all the same
            self._reported.add(taken.sid)
        if delivery == "failed":
            self._failed_texts.add(taken.text_id)
        trouble = errors.in_report(code)
        report = Report(
            text_id=taken.text_id,
            sid=taken.sid,
            delivery=Delivery(delivery),
            error_code=code,
            is_final=delivery == "failed" and trouble.is_permanent,
            blame=Blame.NUMBER,
            sentence=trouble.sentence,
        )
        self._waiting.append(lambda: self._random_process().store.write(reported, report, RULES))

    def _expire(self) -> None:
        self._expire_at(self._random_process())

    def _expire_at(self, process: Process) -> None:
        """Expires what is due; after an outage of the store, missed replies are read first."""
        self._is_catching_up = True  # judges as of when a text was sent
        try:
            process.catch_up.run_once()
        finally:
            self._is_catching_up = False
        expire.run_once(process.store, judged_until=process.catch_up.judged_until)

    def _lock(self) -> None:
        """Another program locks the database for long, or releases it."""
        self.is_locked = not self.is_locked
        if not self.is_locked:
            for process in self.processes:
                process.store.outages.ended += 1

    def _move_clock(self) -> None:
        """Moves time on; now and then sets this machine's clock forward or back, by seconds, hours
        or days."""
        self.clock.forward(self.random.choices([0.2, 2, 10, 40, 100], [8, 8, 6, 4, 2])[0])
        if self.random.random() < 0.1:
            self._ahead = timedelta(seconds=self.random.uniform(-4, 4))
        if self.random.random() < 0.03:
            self._ahead = timedelta(hours=self.random.choice([-50, -24, -3, 0, 0, 3, 24, 900]))
        for process in self.processes:
            with suppress(StoreUnavailable):
                process.sweeper.run_once(0.0)

    def _now(self) -> datetime:
        return self.clock.now + self._ahead

    def _control(self) -> None:
        process = self._random_process()
        found = process.store.read(read.page, ListFilter(limit=3, newest_first=True)).views
        if not found:
            return
        id = self.random.choice(found).verification.id
        waiting = {"judged_until": assume_all_judged}
        order = self.random.choice(
            [
                control.cancel,
                partial(control.suspend, **waiting),
                partial(control.resume, **waiting),
            ]
        )
        with suppress(Refusal):
            process.store.write(order, id, reason="because")

    def _kill(self) -> None:
        self._die(self._random_process())

    def _die(self, process: Process) -> None:
        """Kills the process and starts it again, which begins with catching up."""
        if process.is_dead:
            return
        process.is_dead = True
        process.store.close()
        place = self.processes.index(process)
        self.processes[place] = self._process()
        self._is_catching_up = True  # judges as of when a text was sent
        with suppress(Killed, ChannelUnavailable, StoreUnavailable):
            store = self.processes[place].store
            store.write(begin_anew)
            catch_up.read_missed(store, self.twilio, RULES, uncounted=store.steady.uncounted)
        self._is_catching_up = False

    def _outage(self) -> None:
        """Takes Twilio away, or brings it back."""
        self.twilio.is_gone = not self.twilio.is_gone

    # -- what must hold --------------------------------------------------------------------------

    def _committed(self, process: Process, done: Done[object]) -> None:
        for change in done.changes:
            self._check_change(process, change)

    def _check_change(self, process: Process, change: Change) -> None:
        before, after = change.before, change.after
        if before is not None and before.is_terminal and before.outcome != after.outcome:
            self.broken.append(f"{after.id} was decided twice")
        names = [event.name for event in change.events]
        was_in_time = process.store.steady.latest < after.deadline_at or "resumed" in names
        by_catch_up = self._is_catching_up
        if "right_answer" in names and not was_in_time and not by_catch_up:
            self.broken.append(f"{after.id} was approved at or after its deadline")

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


def _code(taken: Taken) -> str:
    found = re.search(r"[0-9]{4}", taken.body)
    return found[0] if found else "0000"
