"""Checks before a use case acts on a verification."""

from bot.domain.errors import AlreadyFinished, UnknownVerification
from bot.domain.verification import Verification
from bot.store import verifications
from bot.store.tx import MissedRepliesFirst, Tx
from bot.usecases.heartbeat import SILENT_AFTER, JudgedUntil


def require_caught_up(tx: Tx, verification: Verification | None, judged_until: JudgedUntil) -> None:
    """Refuses what would expire a verification while replies that were missed are still being read:
    one of them may approve it. A caller does not wait for the next heartbeat of other processes,
    only for one of a process that is silent. Raises StoreUnavailable."""
    if verification is None or verification.is_decided or tx.now < verification.deadline_at:
        return
    until = judged_until(tx)
    if until < verification.deadline_at and tx.now - until > SILENT_AFTER:
        raise MissedRepliesFirst("replies that were missed are read first")


def require_running(tx: Tx, id: str) -> Verification:
    """Raises UnknownVerification, AlreadyFinished."""
    verification = verifications.load(tx, id)
    if verification is None:
        raise UnknownVerification("No verification has this id.")
    if verification.is_terminal:
        raise AlreadyFinished("This verification has already finished.")
    return verification
