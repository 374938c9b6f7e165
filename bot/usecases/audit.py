"""The audit: each action of an operator is written down in the transaction that carries it out."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast

from bot.domain import phone
from bot.domain.ids import is_ours
from bot.domain.operators import Action, Operator, Via
from bot.store import audit
from bot.store.audit import AuditFilter, AuditLine, Entry
from bot.store.tx import Done, Store, StoreUnavailable, Tx

T = TypeVar("T")

# Anyone can cause these, so beyond this many an hour they are only counted in the metrics.
REFUSALS_KEPT_AN_HOUR = 60

log = logging.getLogger(__name__)


class AuditedStore(Store):
    """The store as an operator writes to it: each write adds a line to the audit in its own
    transaction, unless it concerned a verification and changed nothing."""

    def __init__(
        self,
        store: Store,
        operator: Operator,
        action: Action,
        *,
        number: str | None = None,
        detail: str = "",
        at: datetime | None = None,
    ) -> None:
        """A line about a number names no verification; any other names the one that was changed.
        `at`: None for the store's time."""
        super().__init__()
        self.steady, self.outages, self.errors = store.steady, store.outages, store.errors
        self._store = store
        self._entry = Entry(
            operator.name,
            operator.via,
            action,
            masked_phone=phone.masked(number) if number else None,
            detail=detail,
        )
        self._at = at

    def _write(self, use_case: Callable[[Tx], Done[T]], seconds: float) -> T:
        value, entry = self._store.write_within(seconds, partial(self._both, use_case))
        if entry is not None:
            _log(entry)
        return value

    def _both(self, use_case: Callable[[Tx], Done[T]], tx: Tx) -> Done[tuple[T, Entry | None]]:
        done = use_case(tx)
        entry = _completed(self._entry, done)
        if entry is not None:
            audit.add(tx, entry, at=self._at or tx.now)
        return replace(cast(Done[Any], done), value=(done.value, entry))

    def _read(self, query: Callable[[Tx], T]) -> T:
        return self._store.read(query)

    def check_writable(self) -> None:
        self._store.check_writable()

    def checkpoint(self) -> None:
        self._store.checkpoint()

    def scrub(self) -> bool:
        return self._store.scrub()

    def close(self) -> None:
        """Does nothing: the store belongs to the service."""


def record_session(store: Store, operator: Operator, action: Action, *, address: str) -> None:
    """Records that an operator signed in or out. If the store cannot be written, only the log has
    it: an operator must be able to sign in to fix a full disk."""
    entry = Entry(operator.name, operator.via, action, detail=address)
    _log(entry)
    with _warned_of():
        store.write(_keep, entry)


def sign_in_refused(store: Store, *, address: str) -> None:
    """Records a sign-in with a wrong key, and its address; in the log alone if the store cannot be
    written."""
    entry = Entry("", Via.CONSOLE, Action.SIGN_IN_REFUSED, detail=address)
    _log(entry)
    with _warned_of():
        if store.read(_may_keep_refusal):
            store.write(_keep_refusal, entry)


def lines(tx: Tx, wanted: AuditFilter) -> list[AuditLine]:
    """The newest first."""
    return audit.find(tx, wanted)


def drop_old(tx: Tx, *, limit: int) -> Done[int]:
    """Removes lines older than a year. Returns how many."""
    return Done(audit.drop_old(tx, limit=limit))


@contextmanager
def _warned_of() -> Iterator[None]:
    """Logs a warning instead of StoreUnavailable."""
    try:
        yield
    except StoreUnavailable as error:
        log.warning("audit: the line before this one was not kept: %s", error)


def _may_keep_refusal(tx: Tx) -> bool:
    since = tx.now - timedelta(hours=1)
    most = REFUSALS_KEPT_AN_HOUR
    return audit.count_since(tx, Action.SIGN_IN_REFUSED, since, at_most=most) < most


def _keep(tx: Tx, entry: Entry) -> Done[None]:
    audit.add(tx, entry, at=tx.now)
    return Done(None)


def _keep_refusal(tx: Tx, entry: Entry) -> Done[None]:
    tx.lock_name(Action.SIGN_IN_REFUSED)
    if _may_keep_refusal(tx):  # looked at again under the lock
        audit.add(tx, entry, at=tx.now)
    return Done(None)


def _completed(entry: Entry, done: Done[Any]) -> Entry | None:
    """The entry with its count or its verification filled in. None: an action on a verification
    changed nothing, such as resending a text that is on its way already."""
    if entry.action.is_about_a_verification and not done.changes:
        return None
    count = str(int(done.value)) if isinstance(done.value, int) else ""
    entry = replace(entry, detail=entry.detail or count)
    if entry.masked_phone is not None or not done.changes:
        return entry
    about = done.changes[-1].after
    # An id that a caller chose may tell of a person, and the audit outlives a forgotten number.
    id = about.id if is_ours(about.id) else None
    return replace(entry, verification_id=id, masked_phone=phone.masked(about.phone))


def _log(entry: Entry) -> None:
    fields = {
        "operator": entry.operator,
        "via": entry.via.value,
        "verification": entry.verification_id,
        "phone": entry.masked_phone,
        "detail": entry.detail,
    }
    log.info("operator: %s", entry.action, extra={n: v for n, v in fields.items() if v})
