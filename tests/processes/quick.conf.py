"""gunicorn.conf.py with shorter waits; each web process says in the log that it is ready."""

from pathlib import Path

from gevent import monkey as _monkey

_monkey.patch_all()

import tests.processes.quick  # noqa: E402, F401

exec(compile(Path("gunicorn.conf.py").read_text(), "gunicorn.conf.py", "exec"))
_make_ready = post_worker_init  # noqa: F821


def post_worker_init(worker):
    _make_ready(worker)
    worker.log.info("process %d is ready", worker.pid)
