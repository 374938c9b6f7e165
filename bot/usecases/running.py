"""Checks before a use case acts on a verification."""

from collections.abc import Callable

from bot.domain.errors import AlreadyFinished, UnknownVerification
from bot.domain.inputs import TextImpossible
from bot.domain.transitions import decide
from bot.domain.verification import Cause, Verification
from bot.store import verifications
from bot.store.tx import Change, MissedRepliesFirst, Tx
from bot.usecases.record import record

KEY_RETIRED = "key_retired"


def always() -> bool:
    """`may_expire` for use cases that expire nothing, or need not wait for missed replies."""
    return True


def require_time(tx: Tx, verification: Verification | None, may_expire: Callable[[], bool]) -> None:
    """Refuses what would expire a verification while replies that were missed in an outage are
    still being read: one of them may approve it. Raises StoreUnavailable."""
    if verification is None or verification.is_decided or tx.now < verification.deadline_at:
        return
    if not may_expire():
        raise MissedRepliesFirst("replies that were missed are read first")


def require_running(tx: Tx, id: str) -> Verification:
    """Raises UnknownVerification, AlreadyFinished."""
    verification = verifications.load(tx, id)
    if verification is None:
        raise UnknownVerification("No verification has this id.")
    if verification.is_terminal:
        raise AlreadyFinished("This verification has already finished.")
    return verification


def retire_key(tx: Tx, verification: Verification) -> tuple[Change, ...]:
    """Fails a verification whose secret key was removed."""
    impossible = TextImpossible(Cause.KEY_RETIRED, KEY_RETIRED)
    return record(tx, verification, decide(verification, impossible, tx.now))
