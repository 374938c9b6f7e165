"""Writing a decision down: the row, its history, and what its end means for an unsent text."""

from bot.domain.transitions import Decision
from bot.domain.verification import Verification
from bot.store import history, outbox, verifications
from bot.store.tx import Tx


def record(tx: Tx, before: Verification | None, decision: Decision) -> tuple[str, ...]:
    """Writes what `decide` said. Returns the id if the verification has just ended, else nothing.

    An input that changed nothing costs nothing.
    """
    after = decision.verification
    if before is None:
        verifications.insert(tx, after)
    elif after is not before:
        verifications.update(tx, before, after)
    history.append(tx, after.id, decision.events)
    if before is not None and after.is_decided and not before.is_decided:
        outbox.settle(tx, after.id)
    has_ended = after.is_terminal and not (before and before.is_terminal)
    return (after.id,) if has_ended else ()
