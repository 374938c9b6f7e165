"""Starts gunicorn and flask by way of tests/processes/warm.py."""

import atexit
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

PROGRAMS = ("gunicorn", "flask")
ROOT = Path(__file__).parents[2]


class Starter:
    """The process that forks; the test processes ask it, one question at a time."""

    def __init__(self, program: str) -> None:
        self._lock = multiprocessing.Lock()
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.processes.warm", program],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def ask(self, **question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(f"{json.dumps(question)}\n".encode())
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """Ends it by closing its input, which only its owner does."""
        if os.getpid() == self._owner:
            self._process.communicate()


@cache
def starter(program: str) -> Starter:
    """The starter of this test process, or of the process that it was forked from."""
    made = Starter(program)
    atexit.register(made.close)
    return made


class Started:
    """A process that was started so, with what the tests use of subprocess.Popen."""

    def __init__(
        self,
        arguments: list[str],
        environment: dict[str, str],
        log: Path,
        *,
        errors: Path | None = None,
        folder: Path = ROOT,
    ) -> None:
        self._starter = starter(arguments[0])
        errors = errors or log
        log.touch()
        errors.touch()
        self.pid: int = self._starter.ask(
            arguments=arguments,
            environment=environment,
            niceness=os.getpriority(os.PRIO_PROCESS, 0),
            folder=str(folder),
            log=str(log),
            errors=str(errors),
        )
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._starter.ask(pid=self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        began = time.monotonic()
        while (code := self.poll()) is None:
            waited = time.monotonic() - began
            if timeout is not None and waited > timeout:
                raise subprocess.TimeoutExpired("gunicorn", timeout)
            time.sleep(min(0.005 + waited / 10, 0.1))
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)
