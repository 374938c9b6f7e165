"""Calls that block in C, moved to a thread where they would block all greenlets.

In a web process, threads are greenlets of one loop (gunicorn.conf.py), and a COMMIT that waits for
the disk would block all of them. There `call` hands it to a real thread; meanwhile the process
serves other requests, or they queue up for the next commit. In other processes `call` calls it
directly.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, TypeVar, cast

T = TypeVar("T")

# Through a timer: `sleep(0)` runs up to fifty other callbacks without looking at the sockets.
YIELD_SECONDS = 1e-6
THREADS = 2  # one commits while the other copies the log


def call(function: Callable[..., T], *args: Any) -> T:
    """The call's result; its exceptions are raised here."""
    if not _are_threads_greenlets():
        return function(*args)
    result, error = _pool().apply(_caught, (function, *args))
    if error is not None:
        raise error
    return cast(T, result)


def _caught(function: Callable[..., T], *args: Any) -> tuple[T | None, BaseException | None]:
    """Returns an exception instead of raising it: gevent would print it between our JSON lines."""
    try:
        return function(*args), None
    except BaseException as error:
        return None, error


@lru_cache(maxsize=1)
def _pool() -> Any:
    """Threads of our own: gevent's are shared with name look-ups, which can hang. Made in the
    process that uses it, after the fork."""
    from gevent.threadpool import ThreadPool

    return ThreadPool(THREADS)


def yield_control() -> None:
    """Yields in the middle of long work to requests that wait. Real threads need no yield."""
    if _are_threads_greenlets():
        time.sleep(YIELD_SECONDS)


def yield_turn() -> None:
    """Yields to every request whose bytes have arrived: one yield may return before sockets that
    are ready at the same time are looked at."""
    yield_control()
    yield_control()


def yielding(items: Iterable[T], *, every: int) -> Iterator[T]:
    """The items, with a call of `yield_control` before every `every`-th one."""
    for place, item in enumerate(items, start=1):
        if place % every == 0:
            yield_control()
        yield item


@lru_cache(maxsize=1)
def _are_threads_greenlets() -> bool:
    """Whether gevent has patched threads. The result is cached: gevent must patch before any of our
    modules is imported, or some locks would be greenlet locks and others thread locks."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))
