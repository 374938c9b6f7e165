"""Distributes the tests among forks of the process that has collected them.

Collection imports and rewrites every module of the tests: seconds of processor time, here spent
once and not in each process, as pytest-xdist does. A fork has a contiguous part of the list, since
neighbours share fixtures, and takes half of the longest part when its own is done.
"""

import atexit
import gc
import multiprocessing
import os
import random
import signal
import sys
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

import pytest

_PATIENCE_SECONDS = 30  # for fixtures to end, before a fork is killed
# Tests that take seconds, with browsers and services. Short ones run before them, beside the timed
# tests, and after them, so that all forks finish at about the same time.
_LONG = ("tests/browser/", "tests/processes/", "tests/examples/", "tests/simulation/")
_FINISHED, _ENDED = "a test has finished", "the process is gone"
_multiprocessing = multiprocessing.get_context("fork")


class Fork:
    """A process, the indexes of its own tests, and those it was given. It knows the next test while
    it runs one, so that fixtures which both use are kept."""

    def __init__(
        self, session: pytest.Session, places: deque[int], niceness: int, others: list["Fork"]
    ) -> None:
        self.places = places
        self.niceness = niceness
        self.given: deque[int] = deque()
        self.is_ending = False
        self.connection, its_end = multiprocessing.Pipe()
        ours = [self.connection, *(fork.connection for fork in others)]
        self._process = _multiprocessing.Process(
            target=_run, args=(session, its_end, ours, niceness)
        )
        self._process.start()
        its_end.close()

    def give(self) -> None:
        """Sends the next index; None, which ends the fork, if none is left."""
        place = self.places.popleft() if self.places else None
        if place is None:
            self.is_ending = True
        else:
            self.given.append(place)
        with suppress(BrokenPipeError):  # it has died, as `receive` will tell
            self.connection.send(place)

    def receive(self) -> Any:
        """Returns its next message: a report as data, _FINISHED or _ENDED."""
        try:
            return self.connection.recv()
        except (EOFError, ConnectionResetError):
            return _ENDED

    def interrupt(self) -> None:
        self._process.terminate()

    def join(self) -> int | None:
        """Waits until it has ended. Returns the exit code."""
        self._process.join(_PATIENCE_SECONDS)
        self._process.kill()
        self._process.join()
        self.connection.close()
        return self._process.exitcode


class Distribution:
    """A plugin of pytest. Tests marked `timed` run one after the other in a fork of their own; the
    other forks have a lower priority."""

    def __init__(self, forks: int, niceness: int) -> None:
        self._wanted = forks
        self._niceness = niceness
        self._forks: list[Fork] = []
        self._finished_count = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.config.option.collectonly or session.testsfailed:
            return None  # pytest's own loop lists them, or tells what could not be collected
        self._session = session
        self._hook = session.config.hook
        gc.collect()
        gc.freeze()  # else a fork's garbage collection visits, and so copies, all that is loaded
        try:
            self._begin()
            while self._forks:
                self._hear()
            assert self._finished_count == len(session.items), "a test was lost"
        finally:
            for fork in self._forks:
                fork.interrupt()
            for fork in self._forks:
                fork.join()
        return True

    def _begin(self) -> None:
        timed, long, short = [], [], []
        for place, item in enumerate(self._session.items):
            if item.get_closest_marker("timed"):
                timed.append(place)
            else:
                (long if item.nodeid.startswith(_LONG) else short).append(place)
        if timed:
            self._fork(deque(timed), niceness=0)
        for longs, shorts in zip(self._parts(long), self._parts(short), strict=True):
            half = len(shorts) // 2
            self._fork(deque([*shorts[:half], *longs, *shorts[half:]]), self._niceness)

    def _parts(self, places: list[int]) -> list[list[int]]:
        """Splits the indexes into a contiguous part for each fork."""
        size = -(-len(places) // self._wanted)  # rounded up
        return [places[n * size : (n + 1) * size] for n in range(self._wanted)]

    def _fork(self, places: deque[int], niceness: int) -> None:
        self._forks.append(Fork(self._session, places, niceness, self._forks))
        self._give(self._forks[-1])
        self._give(self._forks[-1])

    def _give(self, fork: Fork) -> None:
        if fork.is_ending:
            return
        if not fork.places and fork.niceness:
            longest = max(
                (other.places for other in self._forks if other.niceness), key=len, default=deque()
            )
            taken = [longest.pop() for _ in range(-(-len(longest) // 2))]
            fork.places.extend(reversed(taken))
        fork.give()

    def _hear(self) -> None:
        told = wait([fork.connection for fork in self._forks])
        for fork in [fork for fork in self._forks if fork.connection in told]:
            message = fork.receive()
            if message == _ENDED:
                self._ended(fork)
            elif message == _FINISHED:
                self._finished(fork.given.popleft())
                self._give(fork)
            else:
                from_data = self._hook.pytest_report_from_serializable
                self._report(from_data(config=self._session.config, data=message))

    def _report(self, report: pytest.TestReport) -> None:
        self._hook.pytest_runtest_logreport(report=report)
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)
        if self._session.shouldstop:
            raise self._session.Interrupted(self._session.shouldstop)

    def _finished(self, place: int) -> None:
        self._finished_count += 1
        item = self._session.items[place]
        self._hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def _ended(self, fork: Fork) -> None:
        """If a fork died early, its current test has failed, and a new fork continues."""
        self._forks.remove(fork)
        code = fork.join()
        if not fork.given:
            assert code == 0, f"after its last test a process ended with exit code {code}"
            return
        place, *following = fork.given
        item = self._session.items[place]
        died = f"The process of this test has died, exit code {code}."
        self._report(pytest.TestReport(item.nodeid, item.location, {}, "failed", died, "call"))
        self._finished(place)
        self._fork(deque([*following, *fork.places]), fork.niceness)


class _Sender:
    """Takes the place of the terminal in a fork."""

    def __init__(self, config: pytest.Config, connection: Connection) -> None:
        self._config = config
        self._connection = connection
        # pytest-timeout asks for it: without one a test that takes too long fails by an assertion
        # of pytest's, which says nothing of the time.
        self._tw = pytest.TerminalReporter(config, sys.stderr)._tw

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        to_data = self._config.hook.pytest_report_to_serializable
        self._connection.send(to_data(config=self._config, report=report))


def _run(session: pytest.Session, connection: Connection, ours: list[Any], niceness: int) -> None:
    """What a fork does. `ours` are the ends of the process that distributes: while a fork has one
    open, another fork does not see that process die."""
    for end in ours:
        end.close()
    os.setpgrp()  # Ctrl-C is for the process that distributes, which tells the forks
    os.nice(niceness)
    random.seed()
    plugins = session.config.pluginmanager
    capture = plugins.getplugin("capturemanager")
    capture.stop_global_capturing()  # its file would be that of all forks
    capture.start_global_capturing()
    plugins.unregister(name="terminalreporter")
    plugins.register(_Sender(session.config, connection), "terminalreporter")
    try:
        _run_tests(session, connection)
    except KeyboardInterrupt:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    finally:
        session._setupstate.teardown_exact(None)  # so pytest ends fixtures after an interruption
        atexit._run_exitfuncs()  # multiprocessing leaves them out


def _run_tests(session: pytest.Session, connection: Connection) -> None:
    place = connection.recv()
    while place is not None:
        following = connection.recv()
        session.config.hook.pytest_runtest_protocol(
            item=session.items[place],
            nextitem=None if following is None else session.items[following],
        )
        connection.send(_FINISHED)
        place = following
