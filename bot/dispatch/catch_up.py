"""Inbound texts that were missed: while the service was down, or its store out of reach.

Twilio does not repeat a webhook that met a dead server, and gives up soon on one that was answered
503. So before anything is expired, its list of inbound messages is read since the oldest pending
verification began, and each unseen text is judged like any reply, as of the time it was sent.
"""

import logging
import time
from datetime import timedelta

from bot.channels.gateway import ChannelUnavailable, Gateway
from bot.concurrency.background import Background
from bot.dispatch import expire
from bot.domain.phone import masked
from bot.store import verifications as table
from bot.store.tx import Store, StoreUnavailable, Tx
from bot.usecases.answer import judge_text
from bot.usecases.inbound_text import InboundText
from bot.usecases.keywords import asks_for_texts_or_none
from bot.usecases.rules import Rules
from bot.usecases.running import always

# The longest time that expiry waits for the catch-up: if Twilio is down, verifications still end.
EXPIRY_WAITS_SECONDS = 10.0
LOOK_EVERY_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0

log = logging.getLogger(__name__)


def run_once(
    store: Store, gateway: Gateway, rules: Rules, *, uncounted: timedelta = timedelta(0)
) -> int:
    """Judges every inbound text since the oldest pending verification began, and returns how many
    there were. `uncounted`: how much further back to read (`store/steady.py`).

    Raises ChannelUnavailable, StoreUnavailable.
    """
    ago = store.read(_oldest_age)
    if ago is None:
        return 0
    found = sorted(gateway.received_since(ago + uncounted), key=lambda text: text.age)
    with_newer_keyword: set[str] = set()  # numbers
    missed = []
    for text in found:
        read = InboundText(
            message_sid=text.message_sid,
            phone=text.phone,
            from_address=rules.from_address,
            body=text.body,
            age=text.age,
            uncounted=uncounted,
            is_outdated=text.phone in with_newer_keyword,
        )
        missed.append(read)
        if asks_for_texts_or_none(read.heard, code_length=rules.terms.code_length):
            with_newer_keyword.add(text.phone)
    for read in reversed(missed):
        judged = store.write(judge_text, read, rules=rules, may_expire=always)
        if judged.ignored is not None:
            log.info("a missed text of %s is ignored: %s", masked(read.phone), judged.ignored)
    return len(missed)


def _oldest_age(tx: Tx) -> timedelta | None:
    since = table.oldest_pending_since(tx)
    return None if since is None else tx.now - since


class CatchUp(Background):
    """Runs once at the start, and once more after every outage of the store."""

    def __init__(self, store: Store, gateway: Gateway, rules: Rules) -> None:
        super().__init__("catch-up")
        self._store = store
        self._gateway = gateway
        self._rules = rules
        self._outages = store.outages
        self._seen = self._outages.ended  # outages whose missed texts were read
        self._due = (0, 0.0)  # outages that had ended, and when that was noticed

    @property
    def is_due(self) -> bool:
        return self._outages.ended != self._seen

    def may_expire(self) -> bool:
        """Returns True once all missed texts are read, or after EXPIRY_WAITS_SECONDS."""
        if self._outages.is_open:
            return False
        if not self.is_due:
            return True
        ended = self._outages.ended
        noticed, at = self._due
        if noticed != ended:
            noticed, at = self._due = ended, time.monotonic()
        return time.monotonic() - at > EXPIRY_WAITS_SECONDS

    def start(self) -> None:
        """Returns once it has caught up, or after ten seconds."""
        self._seen = -1  # the time before this start counts as an outage
        self.may_expire()
        super().start()
        ends = time.monotonic() + EXPIRY_WAITS_SECONDS
        while self.is_due and time.monotonic() < ends and not self._is_over.is_set():
            time.sleep(0.02)

    def run_once(self) -> bool:
        """Tries, if it is due. False: it failed, and is still due."""
        if not self._end_outage():
            return False
        ended = self._outages.ended
        if ended == self._seen:
            return True
        try:
            expire.retire_keys(self._store, self._rules.keyring)
            is_first = self._seen == -1
            uncounted = self._store.steady.uncounted if is_first else timedelta(0)
            count = run_once(self._store, self._gateway, self._rules, uncounted=uncounted)
        except (ChannelUnavailable, StoreUnavailable) as error:
            log.warning("missed texts cannot be read yet: %s", error)
            return False
        log.info("caught up with %d texts", count)
        self._seen = ended
        return True

    def _end_outage(self) -> bool:
        """Ends an open outage by a write of its own, if no other write has ended it. False: it is
        still open."""
        if not self._outages.is_open:
            return True
        try:
            self._store.check_writable()
        except StoreUnavailable:
            return False
        return not self._outages.is_open

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._is_over.is_set():
            try:
                is_done = self.run_once()
            except Exception:
                log.exception("catching up failed; trying again")
                is_done = False
            self._is_over.wait(LOOK_EVERY_SECONDS if is_done else pause)
            # Keep pauses short while the store is away: expiry resumes ten seconds later.
            if is_done or self._outages.is_open:
                pause = FIRST_PAUSE_SECONDS
            else:
                pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
