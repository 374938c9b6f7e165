"""A plain model, and actions that change it and the store alike."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from bot.domain.effects import UsageKind
from bot.domain.verification import Status, Verification
from bot.store import inbound, opt_outs, outbox, usage, verifications
from bot.store.opening import open_store
from bot.store.tx import Done, Tx
from tests.builders import OUR_NUMBER, new_text, outcome, running
from tests.harness import HandClock

PHONES = [f"+142555502{number:02}" for number in range(4)]
ENDED = [status for status in Status if status is not Status.PENDING]


class Undone(Exception):
    """Raised by a use case on purpose."""


@dataclass
class Model:
    verifications: dict[str, Verification] = field(default_factory=dict)
    texts: dict[str, tuple[str, datetime | None, int]] = field(default_factory=dict)
    answers: dict[str, str | None] = field(default_factory=dict)
    opted_out: set[str] = field(default_factory=set)
    starts: list[tuple[str, datetime]] = field(default_factory=list)

    def pending_of(self, phone: str) -> Verification | None:
        mine = [v for v in self.verifications.values() if v.phone == phone and not v.is_terminal]
        return mine[0] if mine else None


class StoreAndModel(RuleBasedStateMachine):
    def __init__(self, new_url: Callable[[str], str]) -> None:
        """`new_url` gives the address of a new database; a file may lie in the folder given."""
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = HandClock()
        url = new_url(self.folder.name)
        self.store = open_store(url, connections=2, clock=self.clock)
        self.model = Model()
        self.count = 0

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def now(self) -> datetime:
        return self.store.read(lambda tx: tx.now)

    @rule(seconds=st.integers(1, 100))
    def time_passes(self, seconds: int) -> None:
        self.clock.forward(seconds)

    @rule(phone=st.sampled_from(PHONES), is_undone=st.booleans())
    def start(self, phone: str, is_undone: bool) -> None:
        if self.model.pending_of(phone):
            return
        self.count += 1
        made = running(id=f"v{self.count}", phone=phone, created_at=self.now())

        def use_case(tx: Tx) -> Done[None]:
            verifications.insert(tx, made)
            outbox.enqueue(tx, new_text(f"o{made.id}"), verification_id=made.id)
            usage.add(
                tx,
                UsageKind.START,
                phone=phone,
                country="US",
                started_by="function",
                run_id=made.id,
            )
            if is_undone:
                raise Undone
            return Done(None)

        try:
            self.store.write(use_case)
        except Undone:
            return
        self.model.verifications[made.id] = made
        self.model.texts[f"o{made.id}"] = ("queued", made.created_at, 0)
        self.model.starts.append((phone, made.created_at))

    @precondition(lambda self: self.model.verifications)
    @rule(data=st.data())
    def change(self, data: st.DataObject) -> None:
        before = self.model.verifications[data.draw(st.sampled_from([*self.model.verifications]))]
        if before.is_terminal:
            return
        status = data.draw(st.sampled_from([None, *ENDED]))
        attempts = min(before.attempts + 1, 3)
        if status is None:
            after = replace(before, attempts=attempts)
        else:
            ended_at = min(self.now(), before.deadline_at - timedelta(seconds=1))
            attempts = 4 if status is Status.MAX_ATTEMPTS_REACHED else before.attempts
            after = replace(before, attempts=attempts, outcome=outcome(status, ended_at))

        def use_case(tx: Tx) -> Done[None]:
            verifications.update(tx, before, after)
            if after.is_decided:
                outbox.withdraw(tx, after.id)
            return Done(None)

        self.store.write(use_case)
        self.model.verifications[after.id] = after
        state, _, claims = self.model.texts[f"o{after.id}"]
        if after.is_decided and state == "queued":
            self.model.texts[f"o{after.id}"] = ("withdrawn", None, claims)
        elif after.is_decided and state == "unknown":
            self.model.texts[f"o{after.id}"] = ("unknown", None, claims)

    @precondition(lambda self: self.model.verifications)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from([*self.model.verifications]))
        self.store.write(lambda tx: Done(verifications.remove(tx, id)))
        del self.model.verifications[id]
        del self.model.texts[f"o{id}"]

    @rule()
    def claim(self) -> None:
        def use_case(tx: Tx) -> Done[list[str]]:
            due = outbox.lock_due(tx, limit=2)
            ids = [text.id for text in due]
            until = tx.now + timedelta(seconds=24)
            outbox.claim(tx, ids, until=until, from_address=OUR_NUMBER)
            return Done(ids)

        now = self.now()
        due = [id for id, (_, at, _) in self.model.texts.items() if at is not None and at <= now]
        claimed = self.store.write(use_case)
        assert set(claimed) <= set(due)
        assert len(claimed) == min(2, len(due))
        for id in claimed:
            claims = self.model.texts[id][2] + 1
            self.model.texts[id] = ("sending", now + timedelta(seconds=24), claims)

    @precondition(lambda self: self.model.texts)
    @rule(data=st.data(), is_newest=st.booleans(), is_known=st.booleans())
    def write_a_result(self, data: st.DataObject, is_newest: bool, is_known: bool) -> None:
        id = data.draw(st.sampled_from([*self.model.texts]))
        state, _, claims = self.model.texts[id]
        claim = claims if is_newest else claims - 1
        now = self.now()

        def use_case(tx: Tx) -> Done[bool]:
            if is_known:
                return Done(outbox.put_back(tx, id, claim=claim, due_at=tx.now, error_code=None))
            return Done(outbox.schedule_look_up(tx, id, claim=claim, due_at=tx.now, looks=0))

        counts = state == "sending" and is_newest
        assert self.store.write(use_case) == counts
        if counts:
            self.model.texts[id] = ("queued" if is_known else "unknown", now, claims)

    @precondition(lambda self: self.model.texts)
    @rule(data=st.data())
    def accept(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from([*self.model.texts]))
        state, _, claims = self.model.texts[id]
        news = self.store.write(lambda tx: Done(outbox.accept(tx, id, sid=f"SM{id}")))
        assert news == (state != "accepted")
        self.model.texts[id] = ("accepted", None, claims)

    @rule(sid=st.sampled_from(["SM1", "SM2", "SM3"]), answer=st.sampled_from([None, "Thank you"]))
    def receive(self, sid: str, answer: str | None) -> None:
        def use_case(tx: Tx) -> Done[str | None]:
            given = inbound.load(tx, sid)
            if given is not None:
                return Done(given.answer)
            inbound.add(tx, sid, answer=answer)
            return Done(answer)

        expected = self.model.answers.setdefault(sid, answer)
        assert self.store.write(use_case) == expected

    @rule(phone=st.sampled_from(PHONES), is_stop=st.booleans())
    def opt(self, phone: str, is_stop: bool) -> None:
        if is_stop:
            self.store.write(
                lambda tx: Done(opt_outs.mark(tx, phone=phone, from_address=OUR_NUMBER))
            )
            self.model.opted_out.add(phone)
            return
        was = self.store.write(
            lambda tx: Done(opt_outs.unmark(tx, phone=phone, from_address=OUR_NUMBER))
        )
        assert was == (phone in self.model.opted_out)
        self.model.opted_out.discard(phone)
