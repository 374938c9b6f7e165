"""Sends queued texts.

1. Claim due texts in one short transaction: each is ours until the lease lapses.
2. Call Twilio, no transaction open. Several at once: a call takes 100 to 500 ms, nearly all of it
   waiting, and must not limit us to a few texts a second.
3. Write the result down, each in its own transaction.

A lease lasts three timeouts and a whole call at most one, so a call ends long before its lease
lapses. A process that was paused between claim and call finds that its lease has lapsed, and sends
nothing. A process that is paused while it writes the request can send a text a second time, with
the same code; only Twilio could prevent that.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from bot.channels.gateway import (
    Accepted,
    ChannelUnavailable,
    Gateway,
    Postponed,
    Refused,
    SendResult,
    Unknown,
)
from bot.concurrency.pool import Pool
from bot.dispatch.batch import write_batch
from bot.domain.delivery import SendOutcome
from bot.observability.logs import noting
from bot.store.tx import Store, StoreUnavailable
from bot.usecases import claim as claiming
from bot.usecases import look_up, send
from bot.usecases.claim import Step, TextClaim
from bot.usecases.rules import Rules

LEASE_TIMEOUTS = 3
CLAIMED_AT_ONCE = 64

# Twilio's advice for 429: wait half a second, then twice as long each time, with jitter. The limit
# is five seconds because a text is tried for only a minute (SEND_WITHIN_SECONDS): a longer wait
# could skip the last seconds in which Twilio accepts texts again.
BACKOFF_SECONDS = 0.5
BACKOFF_LIMIT_SECONDS = 5.0

log = logging.getLogger(__name__)


def backoff(tries: int, *, jitter: float) -> timedelta:
    """How long to wait after so many refusals; `jitter` is from 0 to 1.

    >>> [backoff(tries, jitter=1).total_seconds() for tries in range(4)]
    [0.5, 1.0, 2.0, 4.0]
    """
    longest = min(BACKOFF_LIMIT_SECONDS, BACKOFF_SECONDS * 2 ** min(tries, 10))
    return timedelta(seconds=longest * (0.5 + jitter / 2))


class SendDuty:
    def __init__(
        self,
        store: Store,
        gateway: Gateway,
        rules: Rules,
        *,
        timeout_seconds: float,
        at_once: int,
        on_sent: Callable[[SendOutcome, int | None], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_sent` gets the outcome of each call and Twilio's error code. `monotonic` measures
        leases."""
        self.monotonic = monotonic
        self._on_sent = on_sent
        self._store = store
        self._rules = rules
        self._gateway = gateway
        self._timeout = timeout_seconds
        self._lease = timedelta(seconds=timeout_seconds * LEASE_TIMEOUTS)
        self._at_once = at_once
        self._pool = Pool("send", at_once)
        self._is_stopping = threading.Event()
        self._mutex = threading.Lock()
        self._looks_after_end = 0  # under way: at most one, to leave the threads to texts

    def run_once(self) -> int:
        """Sends the texts that are due, one after the other, in this thread. Returns how many."""
        claims = self.claim(CLAIMED_AT_ONCE)
        for claim in claims:
            self.carry_out(claim)
        return len(claims)

    def run_in_background(self, on_done: Callable[[], None]) -> int:
        """Hands due texts to the threads that are free. Returns how many were claimed.

        `on_done` is called when a thread is free again.
        """
        free = self._at_once - self._pool.under_way
        if free <= 0 or self._is_stopping.is_set():
            return 0
        claims = self.claim(min(free, CLAIMED_AT_ONCE))
        for claim in claims:
            self._pool.submit(self.carry_out, claim, lambda _: on_done())
        return len(claims)

    def refuse_more(self) -> None:
        """Claims nothing more; texts that were claimed but not begun are handed back."""
        self._is_stopping.set()

    def stop(self, *, within_seconds: float) -> bool:
        """Waits for the sends under way. False: some have not ended."""
        self.refuse_more()
        return self._pool.stop(within_seconds=within_seconds)

    def claim(self, limit: int) -> list[TextClaim]:
        claim = partial(
            claiming.claim_due,
            lease=self._lease,
            rules=self._rules,
            asked_at=self.monotonic(),
            looks_after_end=self._looks_after_end == 0,
        )
        claimed = write_batch(
            self._store,
            partial(claim, limit=limit),
            ids=lambda: self._store.read(claiming.due_ids, limit=limit),
            one=lambda id: partial(claim, limit=1, only=id),
            set_aside=lambda id: partial(claiming.set_aside, id=id),
            failure_message="the text %s cannot be sent",
        )
        found = [one for claims in claimed for one in claims]
        with self._mutex:
            self._looks_after_end += sum(one.is_after_end for one in found)
        return found

    def carry_out(self, claim: TextClaim) -> None:
        try:
            if self._is_stopping.is_set():
                self._store.write(send.hand_back, claim)
            elif claim.step is Step.SEND:
                self._send(claim)
            else:
                self._look(claim)
        # The lease lapses and the text counts as unknown: nothing is lost, but it takes time.
        except StoreUnavailable as error:
            log.error("a text was left half done: %s", error, extra=_extra(claim))
        except Exception:
            log.exception("a text was left half done", extra=_extra(claim))
        finally:
            with self._mutex:
                self._looks_after_end -= claim.is_after_end

    def _send(self, claim: TextClaim) -> None:
        # A request written before `until` is answered, or cut off, before the lease lapses. None is
        # written after SEND_WITHIN_SECONDS.
        within = min(self._lease - timedelta(seconds=self._timeout), claim.give_up_in)
        until = claim.asked_at + within.total_seconds()
        if self.monotonic() >= until:
            log.warning("it is too late to send the text; it is handed back", extra=_extra(claim))
            self._store.write(send.hand_back, claim)
            return
        began = self.monotonic()
        result = self._gateway.send(
            to=claim.phone,
            body=claim.body,
            validity_seconds=claim.validity_seconds,
            text_id=claim.text_id,
            until=until,
        )
        self._on_sent(result.outcome, result.code)
        if isinstance(result, Accepted):
            self._accepted(claim, result, began)
            return
        log.info("the text is %s", _summary(result), extra=_extra(claim, result))
        match result:
            case Refused():
                self._store.write(send.refused, claim, result)
            case Postponed(code, retry_after_seconds):
                asked = timedelta(seconds=retry_after_seconds or 0)
                delay = max(asked, backoff(claim.tries, jitter=random.random()))
                self._store.write(send.postponed, claim, delay=delay, code=code)
            case Unknown(_, code):
                self._store.write(send.unknown, claim, code)

    def _accepted(self, claim: TextClaim, result: Accepted, began: float) -> None:
        with noting() as noted:
            try:
                self._store.write(send.accepted, claim, result.sid)
            finally:  # Twilio has the text, whether that can be written down or not
                took = {"milliseconds": round((self.monotonic() - began) * 1000, 1)}  # of the send
                extra = {**noted, **_extra(claim, result), **took}
                log.info("the text is accepted", extra=extra)

    def _too_early(self, claim: TextClaim) -> timedelta:
        """How much longer to wait before a look-up. A clock that was set forward may have ended a
        wait too early: the call of a lapsed lease may still be under way, or Twilio's list may
        still lag."""
        steady = self._store.steady
        if claim.looks:
            return look_up.LOOK_AGAIN - steady.since_step_or_start
        if claim.has_lapsed:
            return self._lease - min(steady.since_step, self._lease)
        return timedelta(0)

    def _look(self, claim: TextClaim) -> None:
        if (left := self._too_early(claim)) > timedelta(0):
            seconds = left.total_seconds()
            log.info("the clock was set; looking up in %.1f s", seconds, extra=_extra(claim))
            self._store.write(look_up.look_up_failed, claim, delay=left)
            return
        try:
            waited = timedelta(seconds=self.monotonic() - claim.asked_at)
            messages = self._gateway.find_sent(
                to=claim.phone,
                body=claim.body,
                tried_ago=claim.tried_ago + waited,
                sid=claim.sid,
            )
        except ChannelUnavailable as error:
            log.warning("looking the text up failed: %s", error, extra=_extra(claim))
            self._store.write(look_up.look_up_failed, claim, delay=look_up.LOOK_AGAIN)
        else:
            log.info("looking the text up found %d messages", len(messages), extra=_extra(claim))
            self._store.write(look_up.look_up_answered, claim, messages)


def _summary(result: Refused | Postponed | Unknown) -> str:
    match result:
        case Refused(code):
            return f"refused with {code}"
        case Postponed(code):
            return f"not taken ({code or 'no connection'}), to be tried again"
        case Unknown(cause):
            return f"perhaps taken ({cause}), to be looked up"


def _extra(claim: TextClaim, result: SendResult | None = None) -> dict[str, str | None]:
    return {
        "origin": claim.request_id,
        "verification": claim.verification_id,
        "text": claim.text_id,
        "sid": result.sid if isinstance(result, Accepted) else claim.sid,
    }
