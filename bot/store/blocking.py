"""Calls that wait in C, which nothing but a thread can wait beside.

In a web process threads are greenlets of one loop (gunicorn.conf.py), and a COMMIT that waits for
the disk would hold all of them up. There it is handed to a real thread, and requests that come
meanwhile are served, or queue up for the next commit. In other processes it is called as it is.
"""

import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")


def call(function: Callable[..., T], *args: Any) -> T:
    """The call's result; its exceptions are raised here."""
    if not _are_threads_greenlets():
        return function(*args)
    from gevent import get_hub

    result: T = get_hub().threadpool.apply(function, args)
    return result


def breathe() -> None:
    """In the middle of long work: requests that wait are answered first. Real threads need none."""
    if _are_threads_greenlets():
        time.sleep(0)


@lru_cache(maxsize=1)
def _are_threads_greenlets() -> bool:
    """Decided before this is imported: patching later would leave locks of both kinds."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))
