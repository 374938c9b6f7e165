"""The audit: each action of an operator is written down in the transaction that carries it out."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from bot.domain import phone
from bot.domain.operators import Action, Operator, Via
from bot.domain.verification import Verification
from bot.store import audit
from bot.store.audit import AuditFilter, AuditLine, Entry
from bot.store.tx import Done, Store, Tx

T = TypeVar("T")

# Strangers make these, so beyond this many an hour they are counted in the metrics alone.
REFUSALS_KEPT_AN_HOUR = 60

log = logging.getLogger(__name__)


class Audited(Store):
    """The store as an operator writes to it: each write adds a line to the audit, in its own
    transaction."""

    def __init__(
        self,
        store: Store,
        operator: Operator,
        action: Action,
        *,
        verification_id: str | None = None,
        number: str | None = None,
        detail: str = "",
    ) -> None:
        """What is not given here is taken from what the use case changed."""
        super().__init__()
        self.steady, self.outages = store.steady, store.outages
        self._store = store
        self._entry = Entry(
            operator.name,
            operator.via,
            action,
            verification_id,
            phone.masked(number) if number else None,
            detail,
        )

    def _write(self, use_case: Callable[[Tx], Done[T]], seconds: float) -> T:
        value = self._store.write_within(seconds, partial(self._both, use_case))
        _tell(self._entry)
        return value

    def _both(self, use_case: Callable[[Tx], Done[T]], tx: Tx) -> Done[T]:
        done = use_case(tx)
        audit.add(tx, _completed(self._entry, done))
        return done

    def _read(self, query: Callable[[Tx], T]) -> T:
        return self._store.read(query)

    def probe(self) -> None:
        self._store.probe()

    def tidy(self) -> None:
        self._store.tidy()

    def scrub(self) -> bool:
        return self._store.scrub()

    def close(self) -> None:
        """Does nothing: the store belongs to the service."""


def signed(tx: Tx, operator: Operator, action: Action, *, address: str) -> Done[None]:
    """Writes down that an operator came or went."""
    audit.add(tx, Entry(operator.name, operator.via, action, detail=address))
    return Done(None)


def sign_in_refused(store: Store, *, address: str) -> None:
    """Writes down that a key was wrong, and from which address."""
    entry = Entry("", Via.CONSOLE, Action.SIGN_IN_REFUSED, detail=address)
    _tell(entry)
    if store.read(_may_keep_refusal):
        store.write(_keep_refusal, entry)


def lines(tx: Tx, wanted: AuditFilter) -> list[AuditLine]:
    """The newest first."""
    return audit.find(tx, wanted)


def drop_old(tx: Tx, *, limit: int) -> Done[int]:
    """Removes lines older than a year. Returns how many."""
    return Done(audit.drop_old(tx, limit=limit))


def _may_keep_refusal(tx: Tx) -> bool:
    since = tx.now - timedelta(hours=1)
    most = REFUSALS_KEPT_AN_HOUR
    return audit.count_since(tx, Action.SIGN_IN_REFUSED, since, at_most=most) < most


def _keep_refusal(tx: Tx, entry: Entry) -> Done[None]:
    if _may_keep_refusal(tx):  # looked at again under the lock
        audit.add(tx, entry)
    return Done(None)


def _completed(entry: Entry, done: Done[Any]) -> Entry:
    about = _about(done)
    count = str(int(done.value)) if isinstance(done.value, int) else ""
    return replace(
        entry,
        verification_id=entry.verification_id or (about.id if about else None),
        masked_phone=entry.masked_phone or (phone.masked(about.phone) if about else None),
        detail=entry.detail or count,
    )


def _about(done: Done[Any]) -> Verification | None:
    if isinstance(done.value, Verification):
        return done.value
    return done.changes[-1].after if done.changes else None


def _tell(entry: Entry) -> None:
    told = {
        "operator": entry.operator,
        "via": entry.via.value,
        "verification": entry.verification_id,
        "phone": entry.masked_phone,
        "detail": entry.detail,
    }
    log.info("operator: %s", entry.action, extra={n: v for n, v in told.items() if v})
