"""Ending, pausing and going on: what callers order and what time does."""

from collections.abc import Callable, Iterable

from bot.domain.transitions import Canceled, Input, Resumed, Suspended, TimePassed, decide
from bot.store import verifications
from bot.store.tx import Done, Tx
from bot.usecases.record import record
from bot.usecases.reply import require_running, retire_key


def terminate(tx: Tx, id: str, *, reason: str | None) -> Done[None]:
    """Raises UnknownVerification, AlreadyFinished."""
    return _order(tx, id, Canceled(reason))


def suspend(tx: Tx, id: str, *, reason: str | None) -> Done[None]:
    """Raises UnknownVerification, AlreadyFinished."""
    return _order(tx, id, Suspended(reason))


def resume(tx: Tx, id: str, *, reason: str | None) -> Done[None]:
    """Raises UnknownVerification, AlreadyFinished."""
    return _order(tx, id, Resumed(reason))


def due_ids(tx: Tx, *, limit: int) -> list[str]:
    """Verifications that time has something to say to, the longest due first."""
    return [verification.id for verification in verifications.due(tx, limit=limit)]


def expire(tx: Tx, *, ids: Iterable[str]) -> Done[None]:
    """Lets time pass for these; each is looked at again, since it may have ended meanwhile."""
    ended: list[str] = []
    for id in ids:
        verification = verifications.load(tx, id)
        if verification is not None:
            ended += record(tx, verification, decide(verification, TimePassed(), tx.now))
    return Done(None, decided=tuple(ended))


def retire_keys(tx: Tx, key_ids: Iterable[str], *, limit: int) -> Done[int]:
    """Ends pending verifications whose secret key is none of these. Returns how many."""
    stranded = verifications.under_other_keys(tx, key_ids, limit=limit)
    ended = [id for verification in stranded for id in retire_key(tx, verification)]
    return Done(len(ended), decided=tuple(ended))


Order = Callable[..., Done[None]]


def _order(tx: Tx, id: str, what: Input) -> Done[None]:
    verification = require_running(tx, id)
    return Done(None, decided=record(tx, verification, decide(verification, what, tx.now)))
