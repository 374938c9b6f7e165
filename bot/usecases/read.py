"""Looking: one verification, or the newest ones."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import UnknownVerification
from bot.domain.verification import Verification
from bot.store import history, outbox, verifications
from bot.store.history import Line
from bot.store.outbox import Text
from bot.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Standing:
    """A verification and what is known of its text."""

    verification: Verification
    text: Text
    updated_at: datetime
    history: tuple[Line, ...] = ()


def standing(tx: Tx, id: str, *, with_history: bool = False) -> Standing:
    """Raises UnknownVerification."""
    verification = verifications.load(tx, id)
    if verification is None:
        raise UnknownVerification("No instance has this id.")
    return _standing(tx, verification, with_history)


def page(tx: Tx, wanted: verifications.Wanted) -> list[Standing]:
    return [_standing(tx, verification, False) for verification in verifications.find(tx, wanted)]


def newest(tx: Tx, *, limit: int) -> list[Standing]:
    return [
        _standing(tx, verification, False) for verification in verifications.newest(tx, limit=limit)
    ]


def _standing(tx: Tx, verification: Verification, with_history: bool) -> Standing:
    text = outbox.of(tx, verification.id)
    updated_at = verifications.updated_at(tx, verification.id)
    # Both were written in the transaction that wrote the verification.
    assert text is not None
    assert updated_at is not None
    lines = history.of(tx, verification.id) if with_history else []
    return Standing(verification, text, updated_at, tuple(lines))
