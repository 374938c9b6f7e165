"""gunicorn.conf.py with shorter waits."""

from pathlib import Path

from gevent import monkey as _monkey

_monkey.patch_all()

import tests.processes.quick  # noqa: E402, F401

exec(compile(Path("gunicorn.conf.py").read_text(), "gunicorn.conf.py", "exec"))
