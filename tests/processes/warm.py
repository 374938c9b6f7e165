"""gunicorn or flask, started again and again by a process that has imported what it and Textback
need.

Imports are most of a start. This process does them once, and for each line that it reads forks one
that becomes the program of its argument, as a new one would: with its own environment, output and
process group. What a start reads and does it does anew. tests/processes/starting.py talks to it.
"""

import sys

from gevent import monkey

if sys.argv[1:] == ["gunicorn"]:
    monkey.patch_all()  # gunicorn.conf.py does, before anything else

import gc  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402

import tests.processes.quick  # noqa: E402, F401

# isort: split
import flask.cli  # noqa: E402
import gunicorn.arbiter  # noqa: E402, F401
from gunicorn.app import wsgiapp  # noqa: E402

import bot.app  # noqa: E402
import bot.server.logger  # noqa: E402
import bot.server.worker  # noqa: E402
import bot.store.postgres  # noqa: E402
import bot.store.sqlite  # noqa: E402, F401
from bot.wording import catalogues  # noqa: E402

PROGRAMS = {"gunicorn": wsgiapp.run, "flask": flask.cli.main}
# gevent's own would begin its loop here, and watch for what ends.
_fork, _waitpid = monkey.get_original("os", ["fork", "waitpid"])


def become(arguments: list[str], environment: dict[str, str], log: str) -> None:
    """This process is the program from here on."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    nothing, written = os.open(os.devnull, os.O_RDWR), os.open(log, os.O_WRONLY | os.O_APPEND)
    for number, file in ((0, nothing), (1, written), (2, written)):
        os.dup2(file, number)
    os.close(nothing)
    os.close(written)
    sys.argv = arguments
    PROGRAMS[arguments[0]]()


def ended(pid: int) -> int | None:
    """What it returned, as subprocess tells it; None: it runs."""
    found, status = _waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def main() -> None:
    catalogues.load()
    gc.collect()
    gc.freeze()  # else each collection of a fork visits, and so copies, all that is loaded here
    # Files wait as they are: the loop of gevent has not begun when a fork is made.
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.dup(1)
    while line := requests.readline():
        asked = json.loads(line)
        if "pid" in asked:
            answer = ended(asked["pid"])
        elif (answer := _fork()) == 0:
            requests.close()
            os.close(answers)
            become(**asked)
            return
        os.write(answers, f"{json.dumps(answer)}\n".encode())


if __name__ == "__main__":
    main()
