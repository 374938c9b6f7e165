"""Runs all tests: `python -m tests.run`, with further arguments of pytest.

Those marked `timed` have the processor to themselves whenever they want it: the others run beside
them at a lower priority, and use what they leave, which is most of it.
"""

import signal
import subprocess
import sys
import tempfile

PYTEST = [sys.executable, "-m", "pytest"]
GIVING_WAY = ["nice", "-n", "10"]
MANY_AT_ONCE = ["-n", "5", "--dist", "worksteal"]


def main(arguments: list[str]) -> int:
    """The exit code of pytest, of the others or else of the timed ones."""
    with tempfile.TemporaryFile("w+") as report:
        timed = subprocess.Popen(
            [*PYTEST, "-m", "timed", *arguments], stdout=report, stderr=subprocess.STDOUT
        )
        others = subprocess.Popen(
            [*GIVING_WAY, *PYTEST, *MANY_AT_ONCE, "-m", "not timed", *arguments]
        )
        # Both hear of Ctrl-C by themselves, and clear away what they have started; so on SIGTERM.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(
            signal.SIGTERM, lambda *_: [p.send_signal(signal.SIGINT) for p in (others, timed)]
        )
        others.wait()
        timed.wait()
        report.seek(0)
        said = report.read()
        print("\nThe tests marked `timed`:", said if timed.returncode else said.splitlines()[-1])
    return others.returncode or timed.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
