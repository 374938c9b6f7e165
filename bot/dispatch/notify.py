"""Sending events to applications.

1. Claim due events of an endpoint in one short transaction: each is ours until the lease lapses.
2. Call the endpoint, no transaction open.
3. Record the result.

Each endpoint has its own threads, so that an endpoint that never answers does not delay others or
texts. If a process dies in between, the lease lapses and the event is sent again with the same id
and bytes.
"""

import logging
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from bot.concurrency.background import Background
from bot.concurrency.pool import Pool
from bot.dispatch.duties import AWAY_SECONDS
from bot.domain.webhook_response import WebhookResponse
from bot.store.tx import Done, Store, StoreUnavailable
from bot.store.webhook_endpoints import Endpoint
from bot.usecases import notify
from bot.usecases.notify import EventClaim
from bot.webhooks.client import WebhookClient

CALLS_PER_ENDPOINT = 8  # at the same time
# Most events of one endpoint that are claimed and not answered: twice the calls at once, so that
# claims come in batches and no thread waits for one. Two calls in a row fit into a lease.
MOST_CLAIMED = 2 * CALLS_PER_ENDPOINT
# The loop wakes at once for an end in this process, and within this time for one in another.
LONGEST_SLEEP_SECONDS = 0.05

log = logging.getLogger(__name__)


class Notifier(Background):
    """Sends events to endpoints. `start` alone starts its thread, and only if there are
    endpoints."""

    def __init__(
        self,
        store: Store,
        client: WebhookClient | None,
        *,
        on_result: Callable[[str], None],
    ) -> None:
        """`client`: None where no endpoint is set. `on_result` gets the result of each try."""
        super().__init__("notify")
        self._store = store
        self._client = client
        self._on_result = on_result
        self._wake = threading.Event()
        self._disabled: dict[str, int] = {}  # endpoints: the generation that an answer has ended
        # By endpoint. Only the thread of this loop adds pools.
        self._pools: defaultdict[str, Pool] = defaultdict(
            partial(Pool, "notify", CALLS_PER_ENDPOINT)
        )
        if client is not None:
            store.on_commit(self._committed)

    def start(self) -> None:
        if self._client is not None:
            super().start()

    def refuse_more(self) -> None:
        super().refuse_more()
        self._wake.set()

    def stop(self, *, within_seconds: float) -> None:
        """Finishes the calls under way; events that were claimed but not begun are handed back."""
        until = time.monotonic() + within_seconds
        super().stop(within_seconds=within_seconds)
        for pool in self._pools.values():
            pool.stop(within_seconds=max(0.0, until - time.monotonic()))

    def run_once(self) -> int:
        """Sends the events that are due, one after the other, in this thread. Returns how many."""
        if self._client is None:
            return 0
        count = 0
        for endpoint_id in self._due():
            claims = self._store.write(notify.claim_events, endpoint_id, limit=CALLS_PER_ENDPOINT)
            for claim in claims:
                self._carry_out(claim)
            count += len(claims)
        return count

    def _committed(self, done: Done[Any], seconds: float) -> None:
        if done.has_webhook_events or any(change.has_ended for change in done.changes):
            self._wake.set()

    def _run(self) -> None:
        while not self._is_over.is_set():
            self._wake.clear()
            try:
                is_more = self._turn()
            except StoreUnavailable as error:
                log.warning("webhooks wait for the database: %s", error)
                self._is_over.wait(AWAY_SECONDS)
            except Exception:
                log.exception("webhooks could not be claimed; going on in %.0f s", AWAY_SECONDS)
                self._is_over.wait(AWAY_SECONDS)
            else:
                if not is_more:
                    self._wake.wait(LONGEST_SLEEP_SECONDS)

    def _turn(self) -> bool:
        """Claims due events and hands them to the threads of their endpoints. Returns whether more
        may be due."""
        is_more = False
        for endpoint_id in self._due():
            pool = self._pools[endpoint_id]
            free = MOST_CLAIMED - pool.under_way
            if free >= CALLS_PER_ENDPOINT:
                claims = self._store.write(notify.claim_events, endpoint_id, limit=free)
                for claim in claims:
                    pool.submit(self._carry_out, claim, self._ended)
                is_more = is_more or len(claims) == free
        return is_more and not self._is_over.is_set()

    def _due(self) -> list[str]:
        return self._store.read(notify.due)

    def _ended(self, left: int) -> None:
        if left == MOST_CLAIMED - CALLS_PER_ENDPOINT:  # from here on another batch can be claimed
            self._wake.set()

    def _carry_out(self, claim: EventClaim) -> None:
        try:
            if self._is_over.is_set() or self._is_disabled(claim.endpoint):
                self._store.write(notify.hand_back, claim)
            else:
                self._send(claim)
        # The lease lapses and the event is sent again: nothing is lost, but it takes time.
        except StoreUnavailable as error:
            log.error("an event was left half done: %s", error, extra=_extra(claim))
        except Exception:
            log.exception("an event was left half done", extra=_extra(claim))

    def _is_disabled(self, endpoint: Endpoint) -> bool:
        """Whether an answer has disabled it since the claim."""
        return self._disabled.get(endpoint.id) == endpoint.generation

    def _send(self, claim: EventClaim) -> None:
        assert self._client is not None
        event = claim.event
        answer = self._client.post(claim.endpoint.url, event.id, event.body)
        self._on_result(answer.result.value)
        log.info("the event is %s", answer.result.value, extra=_extra(claim, answer))
        was_disabled = self._store.write(
            notify.answered, claim, answer, jitter=random.uniform(-1, 1)
        )
        if was_disabled:
            self._disabled[claim.endpoint.id] = claim.endpoint.generation
            log.error(
                "the webhook endpoint %s is disabled, since it answered %s; enable it in the"
                " console or by flask webhooks enable",
                claim.endpoint.id,
                "410" if answer.status == 410 else "nothing but failures for 24 hours",
            )


def _extra(claim: EventClaim, answer: WebhookResponse | None = None) -> dict[str, object]:
    """Fields of a log line. Of the address only the host: the rest can hold a secret."""
    return {
        "event": claim.event.id,
        "verification": claim.event.verification_id,
        "endpoint": claim.endpoint.id,
        "host": urlsplit(claim.endpoint.url).hostname,
        "try": claim.event.tries + 1,
        "status": answer.status if answer else None,
    }
