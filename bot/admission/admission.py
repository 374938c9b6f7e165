"""Decides whether a start may go ahead. A refusal says after how many seconds to try again, except
after an opt-out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.admission.circuit_breaker import CircuitBreaker, OpenArea
from bot.admission.delivery_delay import DeliveryDelay
from bot.admission.rate_limits import RateLimits
from bot.admission.usage_follower import UsageFollower
from bot.domain.effects import UsageKind
from bot.domain.errors import (
    Disowned,
    LimitReached,
    OptedOut,
    QueueTooLong,
    SenderUnavailable,
    StillCounting,
    retry_after,
)
from bot.domain.ids import run_id
from bot.domain.limits import Limit
from bot.domain.verification import Verification
from bot.store import circuits, disowns, opt_outs, outbox, usage
from bot.store.tx import Store, Tx

# After this time an opt-out that Twilio enforces too admits one start a day, to test whether it
# still holds: Textback may have missed a START.
OPT_OUT_TRUSTED = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """The facts that admission depends on."""

    run_id: str  # `domain/ids.run_id`
    phone: str
    country: str
    started_by: str
    from_address: str
    window: timedelta
    send: int  # the text that it asks for: 1 for the first of its verification
    began: datetime

    @classmethod
    def of(
        cls, verification: Verification, from_address: str, *, send: int = 1
    ) -> "AdmissionRequest":
        return cls(
            run_id=run_id(verification.nonce),
            phone=verification.phone,
            country=verification.country,
            started_by=verification.started_by,
            from_address=from_address,
            window=verification.terms.window,
            send=send,
            began=verification.created_at,
        )


class Admission:
    """Checks whether a start is admitted: exact per-number limits, read in the transaction, and
    service-wide limits, which may lag."""

    def __init__(
        self,
        *,
        starts_per_number: Sequence[Limit] = (),
        wrong_per_number: Sequence[Limit] = (),
        rate_limits: RateLimits | None = None,
        circuit_breaker: CircuitBreaker | None = None,
        follower: UsageFollower | None = None,
        disruptions: Callable[[], object] = lambda: None,
    ) -> None:
        """`follower` updates the rate limits and the circuit breaker. `disruptions` is passed to
        `DeliveryDelay`."""
        self._of_number = (
            (UsageKind.START, tuple(starts_per_number)),
            (UsageKind.WRONG, tuple(wrong_per_number)),
        )
        self._rate_limits = rate_limits
        self._circuit_breaker = circuit_breaker
        self.follower = follower
        self.delivery_delay = DeliveryDelay(disruptions)

    def refresh(self) -> bool:
        """Counts new usage, of other processes too. Returns False while usage from before this
        process started is not counted yet, so that no limit can be enforced."""
        return self.follower is None or self.follower.refresh()

    def require_counted(self) -> None:
        """Raises StillCounting."""
        if not self.refresh():
            raise StillCounting(
                "Earlier starts are still being counted, so limits cannot be enforced yet.",
                retry_after_seconds=1,
            )

    def check(self, tx: Tx, start: AdmissionRequest) -> bool:
        """Runs all checks but the circuit breaker's. Writes nothing, so a preview may call it.
        Returns True if the number opted out long ago and this start tests whether that still holds.

        Raises OptedOut, Disowned, LimitReached, SenderUnavailable, QueueTooLong."""
        tests_opt_out = _respect_opt_out(tx, start)
        _respect_disown(tx, start.phone)
        self._respect_limits(tx, start)
        _respect_circuit(tx, start.from_address)
        self._respect_delay(tx, start.window)
        return tests_opt_out

    def pass_circuit_breaker(self, tx: Tx, start: AdmissionRequest, *, tests_opt_out: bool) -> bool:
        """Returns whether an open circuit breaker admits the start as a probe. Call this check
        last, so that a start which another check refuses uses up neither the probe nor the daily
        test of an old opt-out. Raises BreakerOpen."""
        is_probe = self._circuit_breaker is not None and self._circuit_breaker.admit(
            tx, phone=start.phone, country=start.country, run_id=start.run_id, send=start.send
        )
        if tests_opt_out:
            opt_outs.note_test(tx, phone=start.phone, from_address=start.from_address)
        return is_probe

    def used(self, tx: Tx, phone: str) -> list[tuple[Limit, int]]:
        """Returns each limit of a number with its current usage."""
        return [
            (limit, usage.used(tx, kind, limit, phone=phone))
            for kind, limits in self._of_number
            for limit in limits
        ]

    def fullest(self, store: Store) -> list[tuple[Limit, str, int]]:
        """Returns, for each rate limit, the country or key with the highest usage now (empty for
        the total), and that usage."""
        self.refresh()
        return self._rate_limits.fullest(store.now()) if self._rate_limits else []

    def open_areas(self, store: Store) -> list[OpenArea]:
        """Prefixes and countries where the circuit breaker refuses starts now."""
        self.refresh()
        return self._circuit_breaker.open_areas(store.now()) if self._circuit_breaker else []

    def full_limit(self, store: Store, *, country: str) -> Limit | None:
        """The rate limit on all starts, or those of a country, that is used up now."""
        self.refresh()
        if self._rate_limits is None:
            return None
        hit = self._rate_limits.hit(country=country, started_by="", now=store.now())
        return hit[0] if hit else None

    def _respect_limits(self, tx: Tx, start: AdmissionRequest) -> None:
        hits = [usage.hit(tx, kind, limits, phone=start.phone) for kind, limits in self._of_number]
        if self._rate_limits is not None:
            hits.append(
                self._rate_limits.hit(
                    country=start.country,
                    started_by=start.started_by,
                    now=tx.now,
                    ahead=self.follower.starts_ahead(tx) if self.follower else (),
                )
            )
        reached = [hit for hit in hits if hit is not None]
        if reached:
            raise LimitReached(*max(reached, key=lambda hit: hit[1]))

    def _respect_delay(self, tx: Tx, window: timedelta) -> None:
        oldest = outbox.oldest_queued_at(tx)
        ours = tx.now - oldest if oldest else timedelta(0)
        delay = max(ours, self.delivery_delay.delay_at_twilio(tx.now))
        too_long = delay - window / 2
        if too_long > timedelta(0):
            raise QueueTooLong(
                f"Texts wait {delay.total_seconds():.0f} seconds at the moment, so the code"
                " would arrive too late.",
                retry_after_seconds=retry_after(too_long),
            )


def _respect_opt_out(tx: Tx, start: AdmissionRequest) -> bool:
    """Whether there is an old opt-out, which this start may test. Raises OptedOut."""
    mark = opt_outs.load(tx, phone=start.phone, from_address=start.from_address)
    if mark is None or (start.send > 1 and start.began > mark.since):
        return False  # a further text of the start that tests it
    if not mark.is_by_twilio or tx.now - (mark.last_tried or mark.since) < OPT_OUT_TRUSTED:
        is_number = start.from_address.startswith("+")
        ours = start.from_address if is_number else "the sending number"
        raise OptedOut(
            "This number has texted STOP and gets no texts."
            f" Its holder can text START to {ours}, then start again."
        )
    return True


def _respect_disown(tx: Tx, phone: str) -> None:
    ends_at = disowns.ends_at(tx, phone)
    if ends_at is not None:
        raise Disowned(
            "The holder of this number replied NO to a code and gets none for a day, unless they"
            " text START or an operator clears its limits.",
            retry_after_seconds=retry_after(ends_at - tx.now),
        )


def _respect_circuit(tx: Tx, from_address: str) -> None:
    circuit = circuits.load(tx, from_address)
    if circuit is not None:
        raise SenderUnavailable(
            "Twilio does not accept the credentials of this service, so nothing can be sent.",
            retry_after_seconds=retry_after(circuit.probe_at - tx.now),
        )
