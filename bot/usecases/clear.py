"""Lifting the limits of a number, and its opt-out, by an operator."""

from collections.abc import Sequence

from bot.store import disowns, opt_outs, usage, verifications
from bot.store.tx import Done, Tx
from bot.usecases.rules import Rules


def clear_limits(tx: Tx, phones: Sequence[str], rules: Rules) -> Done[int]:
    """Forgets what counts against a number, under each of its spellings, and that its holder
    replied NO. Returns how much."""
    left = min((limit.amount for limit in rules.wrong_per_number), default=None)
    for phone in sorted(phones):
        tx.lock_name(phone)  # waits for a concurrent start, which may have read the usage already
        verifications.lift_wrong_left(tx, phone, left=left)
    disowned = sum(disowns.unmark(tx, phone) for phone in phones)
    return Done(disowned + sum(usage.lift_all(tx, phone) for phone in phones))


def clear_opt_out(tx: Tx, phones: Sequence[str], rules: Rules) -> Done[bool]:
    """Removes the opt-out of a number. Returns whether it had one, under any of its spellings."""
    marked = [opt_outs.unmark(tx, phone=p, from_address=rules.from_address) for p in phones]
    return Done(any(marked))
