"""gunicorn or flask, started again and again by a process that has imported what it and Textback
need.

Imports are most of a start. This process does them once, and for each line that it reads forks one
that becomes the program of its argument, as a new one would: with its own environment, folder,
priority, output and process group. Each start reads its settings and opens its files anew. Its
client is tests/processes/starting.py.
"""

import sys

from gevent import monkey

if sys.argv[1:] == ["gunicorn"]:
    monkey.patch_all()  # gunicorn.conf.py does, before anything else

import atexit
import gc
import json
import os
import threading
import traceback
from typing import NoReturn

import tests.processes.quick  # noqa: F401

# isort: split
import flask.cli
import gunicorn.arbiter  # noqa: F401
import twilio.rest.api  # noqa: F401
from gunicorn.app import wsgiapp

import bot.app
import bot.server.logger
import bot.server.worker
import bot.store.postgres
import bot.store.sqlite  # noqa: F401
from bot.wording import catalogues

PROGRAMS = {"gunicorn": wsgiapp.run, "flask": flask.cli.main}
# gevent's versions would start its loop here and watch for ended children.
_fork, _waitpid = monkey.get_original("os", ["fork", "waitpid"])


def become(
    arguments: list[str],
    environment: dict[str, str],
    niceness: int,
    folder: str,
    log: str,
    errors: str,
) -> NoReturn:
    """Turns this process into the program."""
    os.setsid()
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate((os.devnull, log, errors)):
        file = os.open(path, os.O_RDWR | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    sys.argv = arguments
    code = 0
    try:
        PROGRAMS[arguments[0]]()
    except SystemExit as error:
        code = _exit_code(error)
    except BaseException:
        traceback.print_exc()
        code = 1
    _end(code)


def _exit_code(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    print(error.code, file=sys.stderr)
    return 1


def _end(code: int) -> NoReturn:
    """Exits as Python does, but without tearing down all modules: that would copy every page shared
    with the other forks, which takes longer than a start."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def ended(pid: int) -> int | None:
    """The return code, as of subprocess; None: it runs."""
    found, status = _waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def main() -> None:
    catalogues.load()
    gc.collect()
    gc.freeze()  # else a fork's garbage collection visits, and so copies, all that is loaded
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
        os.write(answers, f"{json.dumps(answer)}\n".encode())


if __name__ == "__main__":
    main()
