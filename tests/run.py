"""Runs all tests: `python -m tests.run`, with further arguments of pytest.

Tests marked `timed` get the processor whenever they need it: the others run beside them at a lower
priority and use the rest, which is most of it.
"""

import signal
import sys

import pytest

from tests.forked import Distribution
from tests.processes.starting import PROGRAMS, starter

_GIVING_WAY = 15
_AT_ONCE = 5  # on two cores: they wait part of the time


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for program in PROGRAMS:
        starter(program)  # imports beside the collection, for all forks
    sys.exit(pytest.main(sys.argv[1:], plugins=[Distribution(_AT_ONCE, _GIVING_WAY)]))
