"""The distribution of tests over forks loses none of them."""

import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUN = """
import sys
import pytest
from tests.forked import Distribution
sys.exit(pytest.main(sys.argv[1:], plugins=[Distribution(forks=3, niceness=10)]))
"""
TESTS = """
    import os
    import threading
    import pytest

    @pytest.mark.parametrize("place", range(40))
    def test_passes(place):
        pass

    def test_kills_its_process():
        os.kill(os.getpid(), 9)

    def test_fails():
        print("what it printed")
        assert False

    @pytest.mark.timeout(0.2)
    def test_takes_too_long():
        threading.Event().wait()

    @pytest.mark.skip(reason="not here")
    def test_skipped():
        pass

    @pytest.mark.timed
    def test_timed():
        assert os.nice(0) == {niceness}

    def test_gives_way():
        assert os.nice(0) == min({niceness} + 10, 19)
"""


def test_every_test_is_told_once_though_a_process_dies(tmp_path: Path) -> None:
    niceness = "os.getpriority(os.PRIO_PROCESS, os.getppid())"
    (tmp_path / "test_some.py").write_text(textwrap.dedent(TESTS).format(niceness=niceness))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = timed\n")
    ran = subprocess.run(
        [sys.executable, "-c", RUN, "-rfs", "--rootdir", tmp_path, "-c", tmp_path / "pytest.ini",
         "-p", "no:schemathesis", tmp_path],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "3 failed, 42 passed, 1 skipped" in ran.stdout.splitlines()[-1]
    assert "The process of this test has died, exit code -9." in ran.stdout
    assert "what it printed" in ran.stdout
    assert "Failed: Timeout (>0.2s)" in ran.stdout
    assert "not here" in ran.stdout
