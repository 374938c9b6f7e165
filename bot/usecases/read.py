"""Reads one verification, or a page of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.verification import Verification
from bot.store import history, outbox, verification_list, verifications
from bot.store.history import HistoryLine
from bot.store.paging import PageCursor
from bot.store.rows import UnreadableRow
from bot.store.texts import Text
from bot.store.tx import Tx
from bot.store.verification_list import ListFilter
from bot.usecases.preconditions import require

OTHERS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class VerificationView:
    """A verification and the state of its texts."""

    verification: Verification
    texts: tuple[Text, ...]  # the oldest first, at least one
    history: tuple[HistoryLine, ...] = ()

    @property
    def text(self) -> Text:
        """The newest."""
        return self.texts[-1]

    @property
    def error_code(self) -> int | None:
        """Twilio's error that ended it, or of its newest text."""
        outcome = self.verification.outcome
        return (outcome.error_code if outcome else None) or self.text.error_code

    @property
    def updated_at(self) -> datetime:
        return self.verification.updated_at or self.verification.created_at


@dataclass(frozen=True, slots=True)
class Page:
    views: list[VerificationView]  # fewer than the page holds where texts cannot be read
    further: PageCursor | None  # where the next page begins; None: this was the last


def view(tx: Tx, id: str, *, with_history: bool = False) -> VerificationView:
    """Raises UnknownVerification."""
    return of(tx, require(tx, id), with_history=with_history)


def find(tx: Tx, id: str) -> Verification | None:
    return verifications.load(tx, id)


def others_of(tx: Tx, verification: Verification) -> list[Verification]:
    """The newest others of the same number."""
    wanted = ListFilter(limit=OTHERS_SHOWN + 1, phone=verification.phone, newest_first=True)
    found = verification_list.find(tx, wanted)
    return [one for one in found if one.id != verification.id][:OTHERS_SHOWN]


def newest_of(tx: Tx, phones: Sequence[str]) -> Verification | None:
    """The newest of a number, whichever of its spellings it was kept under."""
    found = [one for phone in phones if (one := verifications.latest_of(tx, phone))]
    return max(found, key=lambda one: one.created_at, default=None)


def exists(tx: Tx, id: str) -> bool:
    return verifications.phone_of(tx, id) is not None


def page(tx: Tx, wanted: ListFilter) -> Page:
    found = verification_list.find(tx, wanted)
    last = found[-1] if len(found) == wanted.limit else None
    return Page(of_many(tx, found), (last.created_at, last.id) if last else None)


def of_many(tx: Tx, found: Sequence[Verification]) -> list[VerificationView]:
    texts = outbox.of_many(tx, [verification.id for verification in found])
    # One whose texts cannot be read is left out of a list, which is logged.
    return [VerificationView(v, tuple(texts[v.id])) for v in found if v.id in texts]


def of(tx: Tx, verification: Verification, *, with_history: bool = False) -> VerificationView:
    """Raises UnreadableRow, also if it has no text: the first one is written with it."""
    texts = outbox.of(tx, verification.id)
    if not texts:
        raise UnreadableRow("outbox", verification.id)
    lines = history.of(tx, verification.id) if with_history else []
    return VerificationView(verification, tuple(texts), tuple(lines))
