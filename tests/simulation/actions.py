"""What callers, phones, operators and processes do in a run."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from bot.channels.gateway import Blame, Report
from bot.channels.twilio import errors
from bot.dispatch import expire
from bot.domain.delivery import Delivery
from bot.domain.errors import Refusal
from bot.domain.webhook_response import WebhookResponse, WebhookResult
from bot.store import verifications
from bot.store.verification_list import ListFilter
from bot.usecases import control, notify, read, resend, webhooks
from bot.usecases.claim import TextClaim
from bot.usecases.heartbeat import assume_all_judged
from bot.usecases.inbound_text import InboundText
from bot.usecases.report import reported
from bot.usecases.start import StartRequest, begin
from tests.builders import OUR_NUMBER, RULES
from tests.simulation.machine import Machine
from tests.simulation.processes import Process
from tests.simulation.twilio import Killed, Reply, Taken


class Actions(Machine):
    # -- callers and operators -------------------------------------------------------------------

    def _start(self) -> None:
        phone, key = self.random.choice(self._phones), self.random.choice(["a", "a", "a", "b"])
        with suppress(Refusal):
            process = self._random_process()
            asked = StartRequest(key, "r", f'"{phone}"')
            begin(process.store, phone, asked, rules=RULES, admission=process.admission)

    def _resend(self) -> None:
        process = self._random_process()
        found = process.store.read(verifications.pending_of, self.random.choice(self._phones))
        if found is not None:
            with suppress(Refusal):
                resend.begin_resend(
                    process.store, found.id, rules=RULES, admission=process.admission
                )

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

    # -- sending and expiry ----------------------------------------------------------------------

    def _claim(self) -> None:
        process = self._random_process()
        claims = process.send.claim(4)
        for claim in claims:
            verification = process.store.read(verifications.load, claim.verification_id)
            if verification is None or verification.is_decided:
                self.broken.append(f"{claim.text_id} was claimed after the end")
        process.claims += claims

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

    def _expire(self) -> None:
        self._expire_at(self._random_process())

    def _expire_at(self, process: Process) -> None:
        """Expires what is due; after an outage of the store, missed replies are read first."""
        self._is_catching_up = True  # judges as of when a text was sent
        try:
            process.catch_up.run_once()
        finally:
            self._is_catching_up = False
        expire.run_once(
            process.store,
            judged_until=process.catch_up.judged_until,
            is_waited_for=process.catch_up.is_waited_for,
        )

    # -- outcome webhooks ------------------------------------------------------------------------

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

    # -- phones and reports ----------------------------------------------------------------------

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


def _code(taken: Taken) -> str:
    found = re.search(r"[0-9]{4}", taken.body)
    return found[0] if found else "0000"
