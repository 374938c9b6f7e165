"""Checks before a use case acts on a verification."""

from bot.domain.errors import AlreadyFinished, UnknownVerification
from bot.domain.verification import Verification
from bot.store import verifications
from bot.store.tx import MissedRepliesFirst, Tx
from bot.usecases.heartbeat import JudgedUntil


def require_caught_up(tx: Tx, verification: Verification | None, judged_until: JudgedUntil) -> None:
    """Raises MissedRepliesFirst if the verification would expire now although a reply to it, missed
    or received by another process, may not be judged yet."""
    if verification is None or verification.is_decided or tx.now < verification.deadline_at:
        return
    if judged_until(tx) < verification.deadline_at:
        raise MissedRepliesFirst("replies that were missed are read first")


def require(tx: Tx, id: str) -> Verification:
    """Raises UnknownVerification."""
    verification = verifications.load(tx, id)
    if verification is None:
        raise UnknownVerification("No verification has this id.")
    return verification


def require_running(tx: Tx, id: str) -> Verification:
    """Raises UnknownVerification, AlreadyFinished."""
    verification = require(tx, id)
    if verification.is_terminal:
        raise AlreadyFinished("This verification has already finished.")
    return verification
