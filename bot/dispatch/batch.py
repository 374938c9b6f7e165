"""A batch in one transaction or, where a row makes that fail, each row by itself."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from bot.store.tx import Done, Store, StoreUnavailable, Tx

T = TypeVar("T")
UseCase = Callable[[Tx], Done[T]]

log = logging.getLogger(__name__)


def write_batch(
    store: Store,
    batch: UseCase[T],
    *,
    ids: Callable[[], Sequence[str]],
    one: Callable[[str], UseCase[T]],
    set_aside: Callable[[str], UseCase[None]],
    trouble: str,
) -> list[T]:
    """The result of the batch or, where it failed, of each row.

    `one` and `set_aside` make the use case of an id. A row that fails by itself too is set
    aside, so that it neither holds up the others nor is tried for ever; `trouble`, with a %s
    for its id, is logged. Raises StoreUnavailable."""
    try:
        return [store.write(batch)]
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("a batch could not be carried out; going on one by one")
    said: list[T] = []
    for id in ids():
        try:
            said.append(store.write(one(id)))
        except StoreUnavailable:
            raise
        except Exception:
            log.exception(f"{trouble}; it is set aside", id)
            store.write(set_aside(id))
    return said
