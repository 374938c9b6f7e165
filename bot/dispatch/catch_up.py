"""Inbound texts that were missed: while a process was down or halted, or its store out of reach.

Twilio does not repeat a webhook that met a dead server, and gives up soon on one that was answered
503. So before anything is expired, its list of inbound messages is read since the oldest pending
verification began, and each unseen text is judged like any reply, as of the time it was sent.
`usecases/heartbeat.py` has how a process learns that another one has missed something.
"""

import logging
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.channels.gateway import ChannelUnavailable, Gateway
from bot.concurrency.background import Background
from bot.dispatch import expire
from bot.domain.code import Keyring
from bot.domain.phone import masked
from bot.store import verifications as table
from bot.store.tx import Store, StoreUnavailable, Tx
from bot.usecases import control, heartbeat, timekeeping
from bot.usecases.answer import judge_text
from bot.usecases.inbound_text import InboundText
from bot.usecases.keywords import is_start_or_stop
from bot.usecases.rules import Rules

EXPIRY_WAITS_SECONDS = heartbeat.EXPIRY_WAITS.total_seconds()
LOOK_EVERY_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.5
# Expiry waits ten seconds from the end of an outage, so the list is tried within them.
LONGEST_PAUSE_SECONDS = 4.0
SILENT_AFTER_SECONDS = heartbeat.SILENT_AFTER.total_seconds()
NEVER = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger(__name__)


def read_missed(
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
        if is_start_or_stop(read.heard, code_length=rules.terms.code_length):
            with_newer_keyword.add(text.phone)
    for read in reversed(missed):
        judged = store.write(judge_text, read, rules=rules, judged_until=heartbeat.everything)
        if judged.ignored is not None:
            log.info("a missed text of %s is ignored: %s", masked(read.phone), judged.ignored)
    return len(missed)


def retire_keys(store: Store, keyring: Keyring) -> int:
    """Ends pending verifications whose secret key was removed. Returns how many."""
    total = 0
    while count := store.write(control.retire_keys, sorted(keyring.ids), limit=expire.BATCH):
        total += count
    return total


def _oldest_age(tx: Tx) -> timedelta | None:
    since = table.oldest_pending_since(tx)
    return None if since is None else tx.now - since


class CatchUp(Background):
    """Runs at the start, after every outage of the store, and where another process is silent. Also
    beats for this process (`usecases/heartbeat.py`)."""

    def __init__(
        self,
        store: Store,
        gateway: Gateway,
        rules: Rules,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("catch-up")
        self._store = store
        self._gateway = gateway
        self._rules = rules
        self._monotonic = monotonic
        self._process = secrets.token_hex(8)
        self._outages = store.outages
        self._seen = self._outages.ended  # outages whose missed texts were read
        self._due = (0, 0.0)  # outages that had ended, and when that was noticed
        self._silent: list[str] = []  # other processes, whose missed texts are to be read
        self._has_beaten = False
        self._pending_since: float | None = None  # as long as this process knows

    @property
    def is_due(self) -> bool:
        """This process has missed texts."""
        return self._outages.ended != self._seen

    def judged_until(self, tx: Tx) -> datetime:
        """Until when every text that had been sent is judged; what this process has missed is
        waited for as long as for other processes."""
        return heartbeat.judged_until(tx, self._process) if self._is_caught_up() else NEVER

    def _is_caught_up(self) -> bool:
        """True after EXPIRY_WAITS_SECONDS, too."""
        if self._outages.is_open:
            return False
        if not self.is_due:
            return True
        ended = self._outages.ended
        noticed, at = self._due
        if noticed != ended:
            noticed, at = self._due = ended, self._monotonic()
        return self._monotonic() - at > EXPIRY_WAITS_SECONDS

    def start(self) -> None:
        """Returns once it has caught up, or after ten seconds."""
        self._seen = -1  # the time before this start counts as an outage
        self._is_caught_up()
        super().start()
        ends = time.monotonic() + EXPIRY_WAITS_SECONDS
        while self.is_due and time.monotonic() < ends and not self._is_over.is_set():
            time.sleep(0.02)

    def run_once(self) -> bool:
        """Beats, and reads what was missed. False: it failed, and is still due."""
        self._try(self._probe_and_beat)
        return not self._has_missed or self._try(self._read_missed)

    def beat(self) -> None:
        """Says that this process has judged what reached it. Raises StoreUnavailable."""
        found = self._store.write(heartbeat.beat, self._process, is_caught_up=self._has_read_all)
        self._has_beaten = self._has_beaten or found.is_pending
        if not found.is_pending:
            self._pending_since = None
        elif self._pending_since is None:
            self._pending_since = self._monotonic()
        elif self._monotonic() - self._pending_since > SILENT_AFTER_SECONDS:
            self._silent = found.silent  # they should have written too

    def stop(self, *, within_seconds: float) -> None:
        super().stop(within_seconds=within_seconds)
        if self._has_beaten and self._has_read_all():
            self._try(lambda: self._store.write(heartbeat.leave, self._process))

    @property
    def _has_missed(self) -> bool:
        return self.is_due or bool(self._silent)

    def _has_read_all(self) -> bool:
        return not self._outages.is_open and not self.is_due

    def _probe_and_beat(self) -> None:
        if self._outages.is_open:
            self._store.check_writable()  # ends it, if no other write has
        self.beat()

    def _try(self, step: Callable[[], object]) -> bool:
        try:
            step()
        except (ChannelUnavailable, StoreUnavailable) as error:
            log.warning("catching up waits: %s", error)
            return False
        return True

    def _read_missed(self) -> None:
        """Raises ChannelUnavailable, StoreUnavailable."""
        ended, silent = self._outages.ended, self._silent
        if silent:
            log.warning("%d other processes are silent; their missed texts are read", len(silent))
        until = self._store.read(timekeeping.now)
        retire_keys(self._store, self._rules.keyring)
        uncounted = self._store.steady.uncounted if self._seen == -1 else timedelta(0)
        count = read_missed(self._store, self._gateway, self._rules, uncounted=uncounted)
        log.info("caught up with %d texts", count)
        self._store.write(heartbeat.caught_up, until=until, silent=silent)
        self._seen, self._silent = ended, []

    def _run(self) -> None:
        beat_at, read_at, pause = 0.0, 0.0, FIRST_PAUSE_SECONDS
        while not self._is_over.wait(LOOK_EVERY_SECONDS):
            now = self._monotonic()
            try:
                if now >= beat_at:
                    beat_at = now + heartbeat.EVERY_SECONDS
                    self._try(self._probe_and_beat)
                if not self._has_missed or now < read_at:
                    continue
                is_done = self._try(self._read_missed)
            except Exception:
                log.exception("catching up failed; trying again")
                is_done = False
            if is_done:
                pause = FIRST_PAUSE_SECONDS
            else:
                read_at = self._monotonic() + pause
                pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
