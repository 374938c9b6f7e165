"""Reads inbound texts that were missed while a process was down or halted, or its database was
unreachable.

Twilio does not repeat a webhook that no server received, and soon stops repeating one answered 503.
So before anything expires, Textback reads Twilio's list of inbound messages since the oldest
pending verification began, and judges each unseen text like any reply, as of the time it was sent.
`usecases/heartbeat.py` describes how a process learns that another one has missed replies.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.channels.gateway import ChannelUnavailable, Gateway
from bot.concurrency.background import Background
from bot.dispatch import expire
from bot.dispatch.heartbeat import HeartbeatWriter, Ticker
from bot.dispatch.missed import MOST_BLOCKED, OnIgnored, TextRefused, read_missed
from bot.domain.code import Keyring
from bot.store.outages import NOTED_SECONDS
from bot.store.tx import RowLocked, Store, StoreUnavailable, Tx
from bot.usecases import control, heartbeat
from bot.usecases.rules import Rules

EXPIRY_WAITS_SECONDS = heartbeat.EXPIRY_WAITS.total_seconds()
LOOK_EVERY_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.5
# Expiry waits ten seconds from the end of an outage, so the list is tried within them.
LONGEST_PAUSE_SECONDS = 4.0
NOTHING_JUDGED = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger(__name__)


def retire_keys(store: Store, keyring: Keyring) -> int:
    """Ends pending verifications whose secret key was removed. Returns how many."""
    total = 0
    while count := store.write(control.retire_keys, sorted(keyring.ids), limit=expire.BATCH):
        total += count
    return total


class CatchUp(Background):
    """Reads Twilio's list at the start, after every outage or halt of this process, and where a
    verification waits for another process that is silent."""

    def __init__(
        self,
        store: Store,
        gateway: Gateway,
        rules: Rules,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        serves: bool = True,
        on_ignored: OnIgnored = lambda _: None,
    ) -> None:
        """`serves`: whether replies reach this process. `on_ignored` gets the reason why a
        missed text had no effect."""
        super().__init__("catch-up")
        self._store = store
        self._gateway = gateway
        self._rules = rules
        self._on_ignored = on_ignored
        self._monotonic = monotonic
        self._outages = store.outages
        self._seen: tuple[int, int] | None = store.disruptions  # those whose missed texts were read
        # When missed texts were noticed: the number of long outages by then, and the instant.
        self._noticed: tuple[int, float] | None = None
        # Numbers whose texts wait for another transaction: in the last reading, and in this one.
        self._locked: list[str] = []
        self._locked_now: list[str] = []
        self._has_refused = False  # the database refuses a text; all others are judged
        self._ticker = Ticker(store.outages, monotonic)
        self.heart = HeartbeatWriter(store, self._may_expire, serves=serves)

    @property
    def is_due(self) -> bool:
        """This process has missed texts."""
        return self._seen != self._store.disruptions

    def judged_until(self, tx: Tx) -> datetime:
        """The instant until which every text that had been sent is judged."""
        tx.now  # noqa: B018  a step of the clock is noticed where it is read
        if self._store.oldest_write.total_seconds() >= NOTED_SECONDS:
            self._outages.interrupted()  # a reply may wait behind this transaction, or be in it
        return (
            heartbeat.judged_until(tx, self.heart.process) if self._may_expire() else NOTHING_JUDGED
        )

    def _may_expire(self) -> bool:
        """Whether verifications may expire: the store is in reach, and no text was missed, or
        Twilio's list could not be read for EXPIRY_WAITS_SECONDS."""
        if self._outages.is_open or self._ticker.is_late:
            return False
        if len(self._locked) >= MOST_BLOCKED:  # all may wait for one table
            self._noticed = None  # expiry waits ten seconds from when the lock is gone
            return False
        if self._locked_now:  # it is not known yet how many there are
            return False
        if not self.is_due:
            self._noticed = None
            return True
        # A further short outage starts no new wait: one every few seconds would prevent all expiry.
        if self._noticed is None or self._noticed[0] != self._outages.long_ended:
            self._noticed = self._outages.long_ended, self._monotonic()
        return self._monotonic() - self._noticed[1] > EXPIRY_WAITS_SECONDS

    def is_waited_for(self, phone: str) -> bool:
        """Whether a text of this number was missed, and cannot be judged before another transaction
        ends."""
        return phone in (*self._locked, *self._locked_now)

    def start(self) -> None:
        """Returns once it has caught up, or after ten seconds."""
        self._gateway.prepare()
        self._seen = None  # the time before this start counts as an outage
        self._ticker.start()
        super().start()
        ends = time.monotonic() + EXPIRY_WAITS_SECONDS
        while self.is_due and time.monotonic() < ends and not self._is_over.is_set():
            time.sleep(0.02)
        self.heart.try_to_beat()
        self.heart.start()  # before this, no reply reaches this process

    def refuse_more(self) -> None:
        super().refuse_more()
        self._ticker.refuse_more()
        self.heart.refuse_more()

    def stop(self, *, within_seconds: float) -> None:
        has_run = self._thread is not None
        super().stop(within_seconds=within_seconds)
        self._ticker.stop(within_seconds=within_seconds)
        self.heart.stop(within_seconds=within_seconds)
        if has_run and not self._outages.is_open and not self.is_due:
            try:
                self.heart.leave()
            except (StoreUnavailable, self._store.errors) as error:
                log.warning("the other processes wait for this one: %s", error)

    def run_once(self) -> bool:
        """Writes the heartbeat and reads missed texts. False: it failed, and is still due."""
        return self._try(self.heart.beat) and (not self._has_missed or self._try(self._read_missed))

    @property
    def _has_missed(self) -> bool:
        # A text that a lock holds up is waited for until it is judged.
        return self.is_due or self._has_refused or self.heart.silent > 0 or bool(self._locked)

    def _try(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except (ChannelUnavailable, StoreUnavailable) as error:
            log.warning("missed texts cannot be read yet: %s", error)
            return False
        return True

    def _read_missed(self) -> None:
        """Raises ChannelUnavailable, StoreUnavailable."""
        disruptions, is_first = self._store.disruptions, self._seen is None
        if self.heart.silent:
            log.warning("missed texts are read for silent processes: %d", self.heart.silent)
        uncounted = self._store.steady.uncounted if is_first else timedelta(0)
        try:
            until = self._store.now()
            retire_keys(self._store, self._rules.keyring)
            count = read_missed(
                self._store,
                self._gateway,
                self._rules,
                uncounted=uncounted,
                on_ignored=self._on_ignored,
                on_locked=self._locked_now.append,
            )
            self._store.write(heartbeat.caught_up, until=until)
        except ChannelUnavailable:
            if self._locked:  # the list is waited for anew: it has their texts
                self._outages.interrupted()
                self._noticed = None
            raise
        except TextRefused:
            if self._may_expire():  # expiry has waited; a later disruption starts a new wait
                self._seen, self._noticed, self._has_refused = disruptions, None, True
            raise
        except RowLocked:  # others need not wait for it
            self._locked_now = self._locked_now or self._locked
            raise
        except StoreUnavailable:
            self._noticed = None  # only an unreadable list makes expiry stop waiting
            raise
        finally:
            self._locked, self._locked_now = self._locked_now, []
        log.info("caught up with %d texts", count)
        self._seen, self._has_refused = disruptions, False
        self.heart.silent = 0
        if not self.is_due:
            self._noticed = None

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._is_over.is_set():
            if not self._has_missed:
                self._is_over.wait(LOOK_EVERY_SECONDS)
                continue
            began = self._monotonic()
            try:
                is_done = self._try(self._read_missed)
            except Exception:
                log.exception("catching up failed; trying again")
                is_done = False
            pause = FIRST_PAUSE_SECONDS if is_done else min(LONGEST_PAUSE_SECONDS, pause * 2)
            # Pause at least as long as the reading took, so that it does not crowd out other work.
            self._is_over.wait(max(pause, self._monotonic() - began))
