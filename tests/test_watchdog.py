"""The watchdog ends what runs too long, even where no file can be opened any more."""

import os
import resource
import socket

from bot.concurrency.watchdog import shut


def test_a_connection_is_cut_where_no_file_is_left() -> None:
    ours, theirs = socket.socketpair()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)  # the lowest number that is free
    os.close(lowest)
    with ours, theirs:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            shut(ours.fileno())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        theirs.settimeout(1)
        assert theirs.recv(1) == b""
        assert os.fstat(ours.fileno()), "it is still open"
