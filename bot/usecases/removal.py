"""Removes old rows that belong to no verification, a batch at a time. Each returns how many."""

from bot.store import disowns, inbound
from bot.store.tx import Done, Tx


def drop_old_messages(tx: Tx, *, limit: int) -> Done[int]:
    return Done(inbound.drop_old(tx, limit=limit))


def drop_old_disowns(tx: Tx, *, limit: int) -> Done[int]:
    return Done(disowns.drop_old(tx, limit=limit))
