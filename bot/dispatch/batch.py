"""Runs a batch in one transaction or, if a row makes it fail, each row in its own."""

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
    failure_message: str,
) -> list[T]:
    """Runs `batch` and returns its result. If it fails, runs `one` for each row instead and returns
    their results.

    `one` and `set_aside` return the use case for an id. A row whose own use case fails is set
    aside, so that it does not block the other rows and is not retried without end;
    `failure_message`, with %s for the id, is logged. Raises StoreUnavailable."""
    try:
        return [store.write(batch)]
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("a batch could not be carried out; going on one by one")
    results: list[T] = []
    for id in ids():
        try:
            results.append(store.write(one(id)))
        except StoreUnavailable:
            raise
        except Exception:
            log.exception(f"{failure_message}; it is set aside", id)
            store.write(set_aside(id))
    return results
