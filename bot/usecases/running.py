"""Checks before a use case acts on a verification."""

from bot.domain.errors import AlreadyFinished, UnknownVerification
from bot.domain.verification import Verification
from bot.store import verifications
from bot.store.tx import MissedRepliesFirst, Tx
from bot.usecases.heartbeat import JudgedUntil


def require_caught_up(tx: Tx, verification: Verification | None, judged_until: JudgedUntil) -> None:
    """Refuses what would expire a verification while a reply that another process got, or that was
    missed, may not be judged yet: it may approve it. Raises StoreUnavailable."""
    if verification is None or verification.is_decided or tx.now < verification.deadline_at:
        return
    if judged_until(tx) < verification.deadline_at:
        raise MissedRepliesFirst("replies that were missed are read first")


def require_running(tx: Tx, id: str) -> Verification:
    """Raises UnknownVerification, AlreadyFinished."""
    verification = verifications.load(tx, id)
    if verification is None:
        raise UnknownVerification("No verification has this id.")
    if verification.is_terminal:
        raise AlreadyFinished("This verification has already finished.")
    return verification
