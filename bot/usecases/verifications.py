"""The use cases as the faces call them: each method is one transaction.

Holds what all of them need (store, secret keys, terms) and draws the random values, so that a face
knows nothing of either.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from bot import wording
from bot.domain import phone
from bot.domain.code import Keyring
from bot.domain.errors import CannotReceiveTexts, CountryNotAllowed, StillCounting
from bot.domain.limits import Limit
from bot.domain.reply import Heard
from bot.domain.verification import Terms, Verification
from bot.store import inbound, opt_outs, usage
from bot.store import verifications as table
from bot.store.inbound import Ignored, IgnoredText
from bot.store.tx import Done, Store, Tx
from bot.store.verifications import ListFilter
from bot.usecases import answer, control, delivery, forget, overview, read, readiness
from bot.usecases.answer import InboundText, Judged
from bot.usecases.read import VerificationView
from bot.usecases.start import Bounds, Start, start

# Of one transaction that removes many rows on a busy database.
REMOVING_SECONDS = 60.0


class Verifications:
    def __init__(
        self,
        store: Store,
        *,
        keyring: Keyring,
        terms: Terms,
        sender: str,
        service: str | None = None,
        template: str | None = None,
        allowed_countries: frozenset[str] = frozenset(),
        bounds: Bounds | None = None,
        erases_at_twilio: bool = False,
    ) -> None:
        """No allowed countries: all of them."""
        self.store = store
        self.keyring = keyring
        self.sender = sender
        self._terms = terms
        self._service = service
        self._template = template
        self._allowed_countries = allowed_countries
        self._bounds = bounds or Bounds()
        self.erases_at_twilio = erases_at_twilio
        # Set by the dispatcher of this process: False while missed replies are being read.
        self.may_expire: Callable[[], bool] = lambda: True

    def start(
        self,
        number: str,
        *,
        started_by: str,
        start_input: str,
        request_id: str,
        caller_key: str | None = None,
        id: str | None = None,
        idempotency_key: str | None = None,
        may_supersede: bool = True,
    ) -> Verification:
        """Raises InvalidNumber, CannotReceiveTexts, CountryNotAllowed, LimitReached, OptedOut,
        NumberBusy, IdInUse, StillCounting."""
        read = phone.parse(number)
        country = read.country
        if read.number == self.sender:
            raise CannotReceiveTexts("This is the number that Textback itself sends from.")
        if self._allowed_countries and country not in self._allowed_countries:
            raise CountryNotAllowed(
                f"Numbers of {country} are not verified here. ALLOWED_COUNTRIES says which are."
            )
        if not self._follow():
            raise StillCounting(
                "The starts of the last hour are still being counted, so no limit can be kept.",
                retry_after_seconds=1,
            )
        reference = "".join(secrets.choice(wording.REFERENCE_LETTERS) for _ in range(2))
        wanted = Start(
            id=id or new_id(),
            phone=read.number,
            country=country,
            started_by=started_by,
            caller_key=caller_key,
            start_input=start_input,
            request_id=request_id,
            nonce=secrets.token_hex(16),
            reference=reference,
            outbox_id=secrets.token_urlsafe(18),
            key_id=self.keyring.present_id,
            challenge_text=wording.challenge(
                self._template, service=self._service, terms=self._terms, reference=reference
            ),
            terms=self._terms,
            sender=self.sender,
            is_to_erase=self.erases_at_twilio,
            idempotency_key=idempotency_key,
            may_supersede=may_supersede,
        )
        return self.store.write(partial(start, wanted=wanted, bounds=self._bounds))

    def restart(
        self,
        id: str,
        *,
        request_id: str,
        caller_key: str | None = None,
        idempotency_key: str | None = None,
        may_supersede: bool = True,
    ) -> Verification:
        """A new one for the same number, counted as a start of the key that began this one.

        Raises UnknownVerification, and what `start` raises.
        """
        before = self.view(id).verification
        return self.start(
            before.phone,
            started_by=before.started_by,
            caller_key=caller_key,
            start_input=before.start_input,
            request_id=request_id,
            idempotency_key=idempotency_key,
            may_supersede=may_supersede,
        )

    def purge(self, id: str) -> None:
        """Raises UnknownVerification, StillRunning."""
        self.store.write(partial(forget.purge, id=id))

    def purge_many(self, wanted: ListFilter) -> int:
        """Removes finished ones, whatever `wanted` says of others. Returns how many."""
        total = 0
        while True:
            count = self.store.write(
                partial(forget.purge_many, wanted=wanted), within=REMOVING_SECONDS
            )
            total += count
            if count < wanted.limit:
                return total

    def forget(self, number: str) -> tuple[forget.Forgotten, bool]:
        """Erases a number; also whether its bytes are gone from the disk. Raises InvalidNumber."""
        phones = phone.known_as(number)
        forgotten = self.store.write(partial(forget.forget, phones=phones), within=REMOVING_SECONDS)
        return forgotten, self.store.scrub()

    def judge_text(self, text: InboundText) -> Judged:
        return self.store.write(
            partial(
                answer.judge_text,
                text=text,
                keyring=self.keyring,
                wrong=self._bounds.wrong,
                service=self._service,
                erased_code_length=self._terms.code_length if self.erases_at_twilio else None,
                may_expire=self.may_expire,
            )
        )

    def ignore_text(self, message_sid: str, reason: Ignored, sender: str) -> bool:
        """Remembers a text that is not for us. False: it was known."""
        return self.store.write(
            partial(answer.ignore_text, message_sid=message_sid, reason=reason, sender=sender)
        )

    def ignored_texts(self, limit: int) -> list[IgnoredText]:
        """The newest first."""
        return self.store.read(partial(inbound.newest_ignored, limit=limit))

    def judge_event(self, id: str, heard: Heard) -> None:
        """Raises UnknownVerification, AlreadyFinished."""
        self.store.write(
            partial(
                answer.judge_event,
                id=id,
                heard=heard,
                keyring=self.keyring,
                wrong=self._bounds.wrong,
                may_expire=self.may_expire,
            )
        )

    def note_event(self, id: str, event_name: str) -> None:
        """Raises UnknownVerification, AlreadyFinished."""
        self.store.write(partial(answer.note_event, id=id, event_name=event_name))

    def require_running(self, id: str) -> Verification:
        """Raises UnknownVerification, AlreadyFinished."""
        return self.store.read(partial(answer.require_running, id=id))

    def terminate(self, id: str, reason: str | None) -> None:
        self._order(control.terminate, id, reason)

    def suspend(self, id: str, reason: str | None) -> None:
        self._order(control.suspend, id, reason)

    def resume(self, id: str, reason: str | None) -> None:
        self._order(control.resume, id, reason)

    def report(self, report: delivery.Report) -> None:
        waited = self.store.write(partial(delivery.reported, report=report))
        if waited is not None:
            self._bounds.queue.note(waited.delay, now=waited.at)

    def find(self, id: str) -> Verification | None:
        return self.store.read(partial(table.load, id=id))

    def view(self, id: str, *, with_history: bool = False) -> VerificationView:
        """Raises UnknownVerification."""
        return self.store.read(partial(read.view, id=id, with_history=with_history))

    def page(self, wanted: ListFilter) -> list[VerificationView]:
        return self.store.read(partial(read.page, wanted=wanted))

    def clear_limits(self, number: str) -> int:
        """Forgets what counts against a number. Returns how much that was. Raises InvalidNumber."""
        phones = phone.known_as(number)
        left = min((limit.amount for limit in self._bounds.wrong), default=None)

        def clear(tx: Tx) -> Done[int]:
            for spelling in phones:
                table.lift_wrong_left(tx, spelling, left=left)
            return Done(sum(usage.clear(tx, spelling) for spelling in phones))

        return self.store.write(clear)

    def opt_outs(self, limit: int) -> list[tuple[str, datetime]]:
        """Numbers that have texted STOP to our sender, and when; the newest first."""
        return self.store.read(partial(opt_outs.newest, sender=self.sender, limit=limit))

    def clear_opt_out(self, number: str) -> bool:
        """Whether the number was marked. Raises InvalidNumber."""
        phones = phone.known_as(number)

        def clear(tx: Tx) -> Done[bool]:
            marked = [opt_outs.unmark(tx, phone=p, sender=self.sender) for p in phones]
            return Done(any(marked))

        return self.store.write(clear)

    def known_replies(self, message_sids: Sequence[str]) -> frozenset[str]:
        """Those of Twilio's sids that belong to replies which have reached us."""
        return self.store.read(partial(inbound.known, message_sids=message_sids))

    def load(self) -> read.Load:
        ahead = self.store.steady.ahead
        return self.store.read(partial(read.load, sender=self.sender, ahead=ahead))

    def faults(self) -> list[str]:
        """What an operator must mend, a word each. Raises StoreUnavailable."""

        def look(tx: Tx) -> list[str]:
            tx.now  # noqa: B018  what is ahead is known once the clock was read
            return readiness.faults(tx, sender=self.sender, ahead=self.store.steady.ahead)

        return self.store.read(look)

    def pending(self) -> list[VerificationView]:
        return self.store.read(overview.pending)

    def today(self) -> overview.Today:
        return self.store.read(overview.today)

    def rate_limits(self) -> list[tuple[Limit, str, int]]:
        """Of each limit on all starts: what is fullest now, and how full."""
        rate_limits = self._bounds.rate_limits
        self._follow()
        return rate_limits.fullest(self.store.read(lambda tx: tx.now)) if rate_limits else []

    def open_areas(self) -> list[str]:
        """Prefixes and countries where the breaker refuses starts at the moment."""
        breaker = self._bounds.breaker
        if breaker is None:
            return []
        self._follow()
        return breaker.closed(self.store.read(lambda tx: tx.now))

    def newest(self, limit: int) -> list[VerificationView]:
        return self.page(ListFilter(limit=limit, newest_first=True))

    def prepare(self) -> None:
        """Counts what limits look back on. Called before a server listens, so that its first start
        does not wait for it."""
        self._follow()

    def _follow(self) -> bool:
        return self._bounds.following is None or self._bounds.following.refresh()

    def _order(self, order: control.Order, id: str, reason: str | None) -> None:
        self.store.write(partial(order, id=id, reason=reason, may_expire=self.may_expire))


def new_id(clock: Callable[[], int] = time.time_ns) -> str:
    """32 lower-case hex digits, as the Durable extension's own ids.

    A UUID of version 7 (RFC 9562) without its dashes: it begins with the time, so new rows go to
    the end of every index, which costs the same after ten million rows as after ten.
    """
    milliseconds = clock() // 1_000_000 & (1 << 48) - 1
    value = milliseconds << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return f"{value:032x}"
