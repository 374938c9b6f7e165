"""Ports for servers of the tests. Not those that the kernel gives to whoever connects somewhere:
one of these can be taken between being found free and being listened on."""

import itertools
import os
import socket

# Each of the processes that run tests at once has a range of its own.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw9").removeprefix("gw")) % 10
_numbers = itertools.count(20_000 + 1_200 * _WORKER)


def free_port() -> int:
    for port in _numbers:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            return port
    raise AssertionError("the numbers never end")
