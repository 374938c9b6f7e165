"""Ports for servers of the tests, outside the range from which the kernel gives ports to clients:
such a port can be taken after it was found free and before the server listens on it."""

import itertools
import socket
from collections.abc import Iterator
from functools import cache

_FIRST, _LAST = 20_000, 32_000  # below the range for clients on Linux
_RANGE = 400


@cache
def _range() -> tuple[socket.socket, Iterator[int]]:
    """A range that no other test process uses, in this run or another. Its first port reserves it
    and stays bound while the process lives."""
    for first in range(_FIRST, _LAST, _RANGE):
        held = socket.socket()
        try:
            held.bind(("0.0.0.0", first))
        except OSError:
            held.close()
            continue
        return held, itertools.cycle(range(first + 1, first + _RANGE))
    raise OSError("every range of ports is in use")


def free_port() -> int:
    _, numbers = _range()
    for port in itertools.islice(numbers, _RANGE):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            return port
    raise OSError("every port of the range is in use")
